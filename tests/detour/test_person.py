"""How commands find what is meant, how they end, and how long they bear with an API server that is away."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import click
import pytest
from click.testing import CliRunner

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, NotFound, Refused, Unreachable
from analyzer.kube.resources import CANARIES, DEPLOYMENTS, NAMESPACES, Resource
from analyzer.status import Ending, Outcome, Phase, Status
from detour.application import NAME, Application, Name, find
from detour.cli import COMMANDS, main
from detour.outcome import Exit, Standing, wanted_of
from detour.person import Clock, Place, Problem, patiently
from detour.picture import picture_of
from detour.wait import until_over
from tests.detour.objects import NOW, V2, Object, canary, deployment
from webhook import stash

RUNS = Status(phase=Phase.INITIALIZED, guarded=True).begin(V2, "", {}, NOW)
REJECTED = replace(RUNS, ending=Ending(Outcome.FAILED, "too many errors")).end(NOW)
AWAY = Unreachable("refused")
PEOPLES = ("status", "diff", "promote", "abort", "retry", "history", "wait")


class Server(Client):
    """An API server that holds these objects; `failing` is asked before each answer."""

    def __init__(
        self, *objects: tuple[Resource, Object], failing: Callable[[], Exception | None] = lambda: None
    ) -> None:
        self.objects = list(objects)
        self.failing = failing

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        for kind, found in self._answer():
            if kind.kind == resource.kind and found["metadata"]["name"] == name:
                return found
        raise NotFound(404, "NotFound", f'{resource.plural} "{name}" not found')

    def list(self, resource: Resource, namespace: str | None = None, **query: str) -> Object:
        return {"items": [found for kind, found in self._answer() if kind.kind == resource.kind]}

    def _answer(self) -> Sequence[tuple[Resource, Object]]:
        if error := self.failing():
            raise error
        return self.objects


def there(primary: Object | None, *canaries: Object, **options: Any) -> Place:
    """A place with these objects."""
    objects = [(DEPLOYMENTS, primary)] if primary else []
    return Place(Server(*objects, *((CANARIES, each) for each in canaries), **options), "shop")


@pytest.mark.parametrize("text", ["web", "deploy/web", "deployment/web", "deployments.apps/web", "Deployment/web"])
def test_a_deployment_goes_by_all_the_names_that_kubectl_has_for_it(text: str) -> None:
    assert NAME.convert(text, None, None) == Name("web")


@pytest.mark.parametrize("text", ["canary/web", "canaries/web", "canary.flagger.app/web"])
def test_a_canary_can_be_named_too(text: str) -> None:
    assert NAME.convert(text, None, None) == Name("web", of_canary=True)


@pytest.mark.parametrize("text", ["statefulset/web", "deploy/", ""])
def test_other_kinds_are_refused_with_the_way_to_write_it(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write it like podinfo"):
        NAME.convert(text, None, None)


def test_the_oldest_canary_with_the_target_is_the_one_that_counts() -> None:
    older, newer = canary(), canary()
    older["metadata"] |= {"name": "z"}
    newer["metadata"] |= {"name": "a", "creationTimestamp": "2026-11-22T11:00:00Z"}
    found = find(there(deployment(), newer, older), Name("web")).canary
    assert found == older


def test_a_canary_of_another_name_leads_to_its_target() -> None:
    other = canary()
    other["metadata"] |= {"name": "rollout-of-web"}
    assert find(there(deployment(), other), Name("rollout-of-web", of_canary=True)).name == "web"


def test_what_is_not_there_is_named_with_where_to_look() -> None:
    with pytest.raises(Problem, match="no Deployment web in namespace shop; kubectl -n shop get deployments"):
        find(there(None), Name("web"))
    with pytest.raises(Problem, match="no Deployment web in namespace shop"):
        find(there(None, canary()), Name("web")).managed()
    with pytest.raises(Problem, match="Deployment web is not managed: no Canary"):
        find(there(deployment()), Name("web")).managed()


@pytest.mark.parametrize("on", ["deployment", "namespace"])
def test_what_a_policy_manages_has_no_canary_before_its_first_update(on: str) -> None:
    primary = deployment()
    namespace: Object = {"metadata": {"name": "shop"}}
    (primary if on == "deployment" else namespace)["metadata"]["labels"] = {stash.POLICY: "strict"}
    place = Place(Server((DEPLOYMENTS, primary), (NAMESPACES, namespace)), "shop")
    found = find(place, Name("web"))
    assert picture_of(found).message == "under policy strict: a Canary comes with the first update"
    with pytest.raises(Problem, match="no update of web was diverted yet since policy strict applies"):
        found.managed()


@pytest.mark.parametrize("command", PEOPLES)
def test_every_command_has_a_short_help_with_an_example(command: str) -> None:
    shown = CliRunner().invoke(main, [command, "--help"]).output
    assert f"Example: kubectl {'apply' if command == 'wait' else 'detour ' + command}" in shown
    assert command in COMMANDS


@pytest.mark.parametrize("command", PEOPLES)
def test_without_a_cluster_every_command_says_so_and_exits_3(command: str, tmp_path: Any) -> None:
    for nowhere in (tmp_path / "none", tmp_path):
        ended = CliRunner().invoke(main, [command, "web", "--kubeconfig", str(nowhere)])
        assert ended.exit_code == 3, ended.output
        assert "no cluster: " in ended.output
        assert "--kubeconfig" in ended.output


@pytest.mark.parametrize("arguments", [["web", "--timeout", "soon"], ["web", "--until", "x"], [], ["pod/web"]])
def test_a_mistake_on_waits_command_line_is_no_timeout(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, ["wait", *arguments]).exit_code == 3


class Time:
    """It passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []
        self.clock = Clock(lambda: self.now, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)


def test_an_api_server_that_is_away_is_asked_again_later_and_later() -> None:
    time, said = Time(), list[str]()
    failures = [Unreachable("refused"), ApiError(503, "Unavailable", "starting"), ApiError(429, "", "busy")]

    def ask() -> str:
        if failures:
            raise failures.pop(0)
        return "here"

    assert patiently(ask, 60.0, said.append, time.clock) == "here"
    assert time.slept == [0.5, 1.0, 2.0]
    assert said[0] == "no answer from the API server: refused; again in 0.5 s"


def test_patience_ends_at_the_deadline() -> None:
    time, place = Time(), there(deployment(), failing=lambda: AWAY)
    with pytest.raises(Unreachable):
        patiently(lambda: find(place, Name("web")), 10.0, print, time.clock)
    assert time.now == pytest.approx(10.0)


def test_there_is_no_patience_with_a_refusal() -> None:
    time, refusal = Time(), Refused(403, "Forbidden", "you may not")
    place = there(deployment(), failing=lambda: refusal)
    with pytest.raises(Refused):
        patiently(lambda: find(place, Name("web")), 10.0, print, time.clock)
    assert time.slept == []


def test_wait_bears_with_an_api_server_that_is_away_for_a_while() -> None:
    time, server, found = waited_for()
    server.failing = lambda: AWAY if time.now < 20 else None
    server.objects[1:] = [(CANARIES, canary(REJECTED))]
    ended = until_over(
        Place(server, "shop"), found, wanted_of(deployment(diverted="2"), found.canary), 60.0, time.clock
    )
    assert ended == Standing("failed: too many errors", Exit.NOT_PROMOTED)
    assert 20 <= time.now < 60


@pytest.mark.parametrize("away", [None, AWAY])
def test_wait_is_over_in_time_whether_or_not_the_api_server_answers(away: Exception | None) -> None:
    time, server, found = waited_for()
    server.failing = lambda: away
    ended = until_over(
        Place(server, "shop"), found, wanted_of(deployment(diverted="2"), found.canary), 30.0, time.clock
    )
    assert ended.exit is Exit.TIMEOUT
    assert ("refused" if away else "Progressing at weight 0 %") in ended.text
    assert time.now == pytest.approx(30.0)


def waited_for() -> tuple[Time, Server, Application]:
    """A canary in flight, and how it was found."""
    server = Server((DEPLOYMENTS, deployment(diverted="2")), (CANARIES, canary(RUNS)))
    return Time(), server, find(Place(server, "shop"), Name("web"))

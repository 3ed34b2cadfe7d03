"""Which revision a person means by promote, approve, abort and retry, and when there is none to be had."""

from dataclasses import replace

import pytest

from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict
from analyzer.status import Ending, Outcome, Phase, Status
from analyzer.wishes import Verb
from detour.application import Application
from detour.person import Place, Problem
from detour.wish import _clear, meant
from tests.detour.objects import NOW, V2, V3

WEB = Application("shop", "web")
RUNS = Status(phase=Phase.INITIALIZED, guarded=True).begin(V2, "", {}, NOW)
REJECTED = replace(RUNS, ending=Ending(Outcome.FAILED, "too many errors")).end(NOW)
FAILING = replace(RUNS, ending=Ending(Outcome.FAILED, "too many errors"))
DRAINING = replace(RUNS, phase=Phase.FINALISING, ending=Ending(Outcome.SUCCEEDED, "every check passed"))
PROMOTING = replace(RUNS, phase=Phase.PROMOTING)
WAITS = replace(RUNS, phase=Phase.WAITING, revision="")
AT_A_GATE = replace(RUNS, phase=Phase.WAITING_PROMOTION, gate="confirm-promotion ann")
BEFORE_IT_BEGINS = replace(WAITS, gate="confirm-rollout ann", waits=V2)


@pytest.mark.parametrize(
    ("verb", "status", "waiting"),
    [
        pytest.param(Verb.PROMOTE, RUNS, V2, id="promote what runs"),
        pytest.param(Verb.PROMOTE, WAITS, V2, id="promote what waits"),
        pytest.param(Verb.PROMOTE, REJECTED, V2, id="promote what was rejected"),
        pytest.param(Verb.PROMOTE, FAILING, V2, id="promote what is on its way out"),
        pytest.param(Verb.APPROVE, AT_A_GATE, V2, id="approve what stands at a gate"),
        pytest.param(Verb.APPROVE, BEFORE_IT_BEGINS, V2, id="approve what waits at a gate before it begins"),
        pytest.param(Verb.PROMOTE, AT_A_GATE, V2, id="promote what stands at a gate"),
        pytest.param(Verb.ABORT, RUNS, V2, id="abort what runs"),
        pytest.param(Verb.ABORT, PROMOTING, "", id="abort a promotion"),
        pytest.param(Verb.ABORT, WAITS, V2, id="abort what waits"),
        pytest.param(Verb.RETRY, REJECTED, V2, id="retry what was rejected"),
        pytest.param(Verb.RETRY, FAILING, V2, id="retry what is being rejected"),
        pytest.param(Verb.ABORT, RUNS, V3, id="what runs comes before what is to replace it"),
    ],
)
def test_what_is_on_its_way_is_meant_and_else_what_waits(verb: Verb, status: Status, waiting: str) -> None:
    assert meant(WEB, verb, status, waiting) == V2


@pytest.mark.parametrize(
    ("verb", "status", "waiting", "says"),
    [
        (Verb.PROMOTE, Status(), "", "no revision of web waits or runs"),
        (Verb.PROMOTE, PROMOTING, "", "is being promoted already"),
        (Verb.APPROVE, RUNS, V2, "waits at no gate"),
        (Verb.APPROVE, WAITS, V2, "waits at no gate"),
        (Verb.APPROVE, BEFORE_IT_BEGINS, V3, "waits at no gate"),
        (Verb.APPROVE, Status(), "", "no revision of web waits or runs"),
        (Verb.ABORT, DRAINING, "", "on its way out already: every check passed"),
        (Verb.ABORT, REJECTED, V2, "was rejected already"),
        (Verb.RETRY, RUNS, V2, "was not rejected, it runs"),
        (Verb.RETRY, WAITS, V2, "was not rejected, it waits"),
        (Verb.RETRY, REJECTED, "", "no revision of web waits"),
        (Verb.RETRY, REJECTED, V3, "was not rejected, it waits"),
    ],
)
def test_what_is_not_to_be_had_is_said_in_the_persons_own_terms(
    verb: Verb, status: Status, waiting: str, says: str
) -> None:
    with pytest.raises(Problem, match=f"nothing to {verb}: ") as problem:
        meant(WEB, verb, status, waiting)
    assert says in str(problem.value)


class Changed(Client):
    """An API server on which somebody has wished something else meanwhile."""

    def __init__(self) -> None:
        self.patches: list[object] = []

    def patch(self, *arguments: object, **options: object) -> object:  # type: ignore[override]  # only this is asked
        self.patches.append(arguments[-1])
        raise Conflict(422, "Invalid", "testing value failed")


def test_only_the_wish_that_was_heard_is_cleared_away() -> None:
    server = Changed()
    wish = {"detour.dev/ask": "abort x y", "detour.dev/asked-by": "ann", "detour.dev/reason": None}
    _clear(Place(server, "shop"), "web", wish)
    (patch,) = server.patches
    assert patch == [
        {"op": "test", "path": "/metadata/annotations/detour.dev~1ask", "value": "abort x y"},
        {"op": "remove", "path": "/metadata/annotations/detour.dev~1ask"},
        {"op": "remove", "path": "/metadata/annotations/detour.dev~1asked-by"},
    ]

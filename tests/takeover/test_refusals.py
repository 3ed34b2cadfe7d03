"""What cannot be taken over now is refused, with what to do about it, and nothing is changed."""

import re
from collections.abc import Callable

import pytest

from detour.person import Problem
from detour.takeover.refusals import refusals
from tests.takeover.leftovers import NEWER, flaggers, ingress, template
from tests.takeover.taking import seen, take_over
from tests.takeover.world import HPA, Object, World
from webhook import stash

Change = Callable[[World], object]


def canary(world: World) -> Object:
    return world.things["canaries", "web"]


def weighted(world: World) -> None:
    world.things["ingresses", "web-canary"]["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] = (
        "5"
    )


def by_header(world: World) -> None:
    world.things["ingresses", "web-canary"]["metadata"]["annotations"]["x/canary-by-header"] = "insider"


def calls_the_copy(world: World) -> None:
    world.things["ingresses", "admin"] = world.things["ingresses", "web"] | {
        **ingress("admin", "web-primary"),
    }


def waits(world: World) -> None:
    notes = {stash.TEMPLATE: stash.encode(stash.Stash(template("web:3")))}
    world.things["deployments", "web"]["metadata"]["annotations"] = notes


def rival(world: World) -> None:
    world.things["canaries", "second"] = {**canary(world), "metadata": {**canary(world)["metadata"], "name": "second"}}


CASES: dict[str, tuple[Change, str]] = {
    "an analysis": (lambda w: canary(w)["status"].update(phase="Progressing"), "Flagger is in the middle"),
    "a promotion": (lambda w: canary(w)["status"].update(phase="Promoting"), "phase Promoting"),
    "a Canary that Flagger has not seen": (lambda w: canary(w).pop("status"), "phase Initializing"),
    "a canary with a share": (weighted, "the canary has traffic (weight 5)"),
    "a canary for some users": (by_header, "the canary has traffic (canary-by-header insider)"),
    "a provider that Detour lacks": (lambda w: canary(w)["spec"].update(provider="istio"), "spec.provider"),
    "an analysis that Detour lacks": (lambda w: canary(w)["spec"]["analysis"].update(match=[{}]), "analysis.match"),
    "a route of which nothing is known": (
        lambda w: w.things.pop(("ingresses", "web-canary")),
        "routes of other providers would lose their Service",
    ),
    "no Deployment": (lambda w: w.things.pop(("deployments", "web")), "Deployment web does not exist"),
    "no copy": (lambda w: w.things.pop(("deployments", "web-primary")), "selects pods of web-primary, which is gone"),
    "a Canary at its end": (lambda w: canary(w)["metadata"].update(deletionTimestamp="now"), "is being deleted"),
    "an Ingress of the copy": (calls_the_copy, "Ingress admin sends requests to Service web-primary"),
    "another Canary": (rival, "Canary second has this target, too"),
    "a newer ConfigMap": (
        lambda w: w.things["configmaps", "settings"]["data"].update(colour="red"),
        "ConfigMap settings is newer than settings-primary",
    ),
    "a Secret that is gone": (lambda w: w.things.pop(("secrets", "settings")), "Secret settings does not exist"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused(case: str) -> None:
    change, sentence = CASES[case]
    world = flaggers()
    world.beside = True
    change(world)
    [reason] = refusals(seen(world))
    assert sentence in reason
    with pytest.raises(Problem, match=re.escape(sentence)):
        take_over(world)
    assert world.requests == 0


def test_an_autoscaler_that_would_not_allow_as_many_is_refused() -> None:
    world = flaggers(autoscaled=True)
    world.things[HPA.plural, "web"]["spec"]["maxReplicas"] = 2
    assert "allows 2 replicas, and web-primary has 3" in refusals(seen(world))[0]


def test_what_waits_already_would_be_mixed_into_the_template() -> None:
    world = flaggers(newer=NEWER)
    waits(world)
    assert "take it back first" in refusals(seen(world))[0]


def test_a_flagger_that_looks_at_the_namespace_is_in_the_way_unless_it_is_told() -> None:
    found = seen(flaggers(), "Deployment flagger-system/flagger")
    assert "Flagger runs (Deployment flagger-system/flagger)" in refusals(found)[0]
    assert refusals(found, beside=True) == []


def test_a_newer_configmap_may_be_let_go_live() -> None:
    world = flaggers()
    world.things["configmaps", "settings"]["data"]["colour"] = "red"
    assert refusals(seen(world), newer_configuration=True) == []


def test_a_canary_without_routes_says_so_by_its_provider() -> None:
    world = flaggers()
    del world.things["ingresses", "web-canary"]
    canary(world)["spec"]["provider"] = "nginx"
    assert refusals(seen(world)) == []


def test_an_autoscaler_reference_is_no_obstacle() -> None:
    assert refusals(seen(flaggers(autoscaled=True))) == []


def test_a_version_that_waits_for_approval_is_no_analysis() -> None:
    assert refusals(seen(flaggers(newer=NEWER, phase="Waiting"))) == []


def test_a_status_that_detour_has_written_says_nothing_of_flagger() -> None:
    world = flaggers()
    canary(world)["status"] = {"phase": "Initializing", "conditions": [{"type": "Guarded", "status": "False"}]}
    assert refusals(seen(world)) == []

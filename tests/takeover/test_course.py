"""A whole take-over: what it comes to, what users feel, and that it may end anywhere and begin again."""

from typing import Any

import pytest

from analyzer.kube.resources import CANARIES, CONFIG_MAPS, DEPLOYMENTS, SERVICES
from analyzer.stored import from_object
from detour.takeover.found import MARK
from detour.takeover.plan import plan
from tests.takeover.leftovers import NEWER, flaggers, template
from tests.takeover.taking import seen, take_over
from tests.takeover.world import HPA, World
from webhook import stash
from webhook.revision import digest

OURS = {
    "canaries/web",
    "deployments/web",
    "services/web",
    "ingresses/web",
    "configmaps/settings",
    "secrets/settings",
}
SCENES: dict[str, dict[str, Any]] = {
    "a Canary at rest": {},
    "one that has an autoscaler": {"autoscaled": True},
    "one whose newest version was rejected": {"newer": NEWER, "phase": "Failed"},
    "one whose newest version nobody has looked at": {"newer": NEWER, "phase": "Succeeded"},
}


def waiting(world: World) -> str | None:
    """The image that waits."""
    found = world.of(DEPLOYMENTS, "web")
    assert found
    waits = stash.diverted(found)
    return waits.template["spec"]["containers"][0]["image"] if waits else None


def is_over(world: World, *more: str) -> bool:
    """Whether the user's objects are as they were before Flagger, and nothing else is left."""
    target, apex, canary = (world.of(resource, "web") or {} for resource in (DEPLOYMENTS, SERVICES, CANARIES))
    assert world.names() == OURS | set(more)
    assert target["spec"]["replicas"] == 3
    assert digest(target["spec"]["template"]) == digest(template())
    assert apex["spec"]["selector"] == {"app": "web", "tier": "front"}
    assert not [key for key in apex["metadata"]["annotations"] if "fluxcd" in key]
    assert not any(entry["manager"] == "flagger" for entry in target["metadata"]["managedFields"])
    assert canary["metadata"]["finalizers"] == ["somebody.else/s"]
    assert MARK not in canary["metadata"].get("annotations", {})
    assert "autoscalerRef" not in canary["spec"]
    assert bool(canary["spec"].get("suspend")) == world.beside
    assert plan(seen(world)) == ()
    return True


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("beside", [False, True], ids=["Flagger is stopped", "Flagger goes on"])
def test_the_target_serves_as_the_copy_did_and_nothing_of_flaggers_is_left(scene: str, beside: bool) -> None:
    world = flaggers(**SCENES[scene])
    world.beside = beside
    take_over(world)
    assert is_over(world, *(["horizontalpodautoscalers/web"] if "autoscaled" in SCENES[scene] else []))
    assert world.problems == []


@pytest.mark.parametrize("beside", [False, True], ids=["Flagger is stopped", "Flagger goes on"])
def test_it_may_die_at_any_request_and_be_called_again(beside: bool) -> None:
    world = flaggers(newer=NEWER, phase="Failed", autoscaled=True)
    world.beside = beside
    take_over(world)
    assert len(world.moments) == 2 * world.requests > 30
    for number, left in enumerate(world.moments):
        take_over(left)
        assert left.problems == [], number
        assert is_over(left, "horizontalpodautoscalers/web"), number
        assert waiting(left) == NEWER, number


def test_a_second_take_over_asks_for_nothing() -> None:
    world = flaggers()
    take_over(world)
    before = world.requests
    assert take_over(world) == []
    assert world.requests == before


def test_what_was_never_analysed_is_diverted_at_the_end() -> None:
    world = flaggers(newer=NEWER, phase="Succeeded")
    take_over(world)
    assert waiting(world) == NEWER
    assert from_object(world.things["canaries", "web"]).rejected == ()


def test_what_flagger_has_rejected_waits_as_rejected() -> None:
    world = flaggers(newer=NEWER, phase="Failed")
    take_over(world)
    assert waiting(world) == NEWER
    assert from_object(world.things["canaries", "web"]).rejected == (digest(template(NEWER)),)


def test_the_template_that_is_live_is_left_as_its_user_wrote_it() -> None:
    world = flaggers()
    target = world.things["deployments", "web"]
    target["spec"]["template"]["metadata"]["annotations"] = {"kustomize.toolkit.fluxcd.io/x": "of Flux alone"}
    take_over(world)
    annotations = world.things["deployments", "web"]["spec"]["template"]["metadata"]["annotations"]
    assert annotations == {"kustomize.toolkit.fluxcd.io/x": "of Flux alone"}
    assert waiting(world) is None


def test_a_version_that_comes_before_the_target_runs_is_put_off_as_well() -> None:
    world = flaggers(newer=NEWER)

    def update_once(world: World) -> None:
        target = world.things["deployments", "web"]
        if world.requests == 2:
            target["spec"]["template"] = template("web:3")
            target["metadata"]["resourceVersion"] += "0"

    world.meanwhile = update_once
    take_over(world)
    assert is_over(world)
    assert waiting(world) == "web:3"
    assert world.problems == []


def test_a_version_that_comes_while_the_target_runs_is_what_waits_in_the_end() -> None:
    world = flaggers(newer=NEWER)

    def update_once(world: World) -> None:
        target = world.things["deployments", "web"]
        if target["spec"]["replicas"] and waiting(world) is None:
            waits = stash.encode(stash.Stash(template("web:3")))
            target["metadata"]["annotations"] = {stash.TEMPLATE: waits}
            target["metadata"]["resourceVersion"] += "0"

    world.meanwhile = update_once
    take_over(world)
    assert waiting(world) == "web:3"
    assert is_over(world)


def test_a_version_that_is_live_by_then_is_not_followed_by_an_older_one() -> None:
    world = flaggers(newer=NEWER)

    def promote(world: World) -> None:
        if world.of(DEPLOYMENTS, "web-primary") is None:
            world.things["deployments", "web"]["spec"]["template"] = template("web:3")

    world.meanwhile = promote
    take_over(world)
    assert waiting(world) is None
    assert world.things["deployments", "web"]["spec"]["template"] == template("web:3")


def test_a_target_that_git_has_scaled_up_with_an_unproven_version_serves_nobody() -> None:
    world = flaggers(newer=NEWER)
    world.things["deployments", "web"]["spec"]["replicas"] = 2
    take_over(world)
    assert is_over(world)
    assert world.problems == []


def test_a_copy_that_grows_meanwhile_is_followed() -> None:
    world = flaggers()

    def grow(world: World) -> None:
        if copied := world.of(DEPLOYMENTS, "web-primary"):
            copied["spec"]["replicas"] = 5

    world.meanwhile = grow
    take_over(world)
    target = world.of(DEPLOYMENTS, "web")
    assert target
    assert target["spec"]["replicas"] == 5


def test_an_autoscaler_is_held_until_it_sees_users_again() -> None:
    world = flaggers(autoscaled=True)
    least: list[int] = []
    world.meanwhile = lambda world: least.append(world.things[HPA.plural, "web"]["spec"]["minReplicas"])
    told = take_over(world)
    assert least[0] == 2
    assert max(least) == 3
    autoscaler = world.of(HPA, "web")
    assert autoscaler
    assert autoscaler["spec"]["minReplicas"] == 2
    assert not autoscaler["metadata"]["annotations"]
    assert any(line.startswith("in 60 s: let HorizontalPodAutoscaler web scale again") for line in told)


def test_a_copied_configmap_of_two_canaries_is_left_to_the_other() -> None:
    world = flaggers()
    copied = world.things["configmaps", "settings-primary"]
    copied["metadata"]["ownerReferences"].append({"kind": "Canary", "name": "other", "uid": "canaries/other"})
    take_over(world)
    assert is_over(world, "configmaps/settings-primary")
    left = world.of(CONFIG_MAPS, "settings-primary")
    assert left
    assert [owner["name"] for owner in left["metadata"]["ownerReferences"]] == ["other"]


def test_a_canary_that_its_user_has_suspended_stays_suspended() -> None:
    world = flaggers()
    world.things["canaries", "web"]["spec"]["suspend"] = True
    take_over(world)
    assert world.things["canaries", "web"]["spec"]["suspend"] is True


def test_a_service_whose_manifest_nobody_knows_selects_what_the_deployment_selects() -> None:
    world = flaggers()
    del world.things["services", "web"]["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
    take_over(world)
    assert world.things["services", "web"]["spec"]["selector"] == {"app": "web"}


def test_the_plan_that_is_shown_is_what_is_done() -> None:
    for scene in SCENES.values():
        world = flaggers(**scene)
        shown = [step.says for step in plan(seen(world))]
        told = [line.partition(" s: ")[2] or line for line in take_over(world)]
        done = [line for number, line in enumerate(told) if line not in told[:number]]
        assert [line for line in shown if not line.startswith("wait ")] == [
            line for line in done if not line.startswith("wait ")
        ]
        assert world.problems == []

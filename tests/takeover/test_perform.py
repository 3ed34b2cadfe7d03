"""How a take-over is carried out: it looks before every step, bears with conflicts, and has an end in any case."""

from typing import Any

import pytest

from analyzer.kube.answers import Answer
from analyzer.kube.errors import Conflict, Unreachable
from detour.person import Problem
from tests.takeover.leftovers import flaggers
from tests.takeover.taking import take_over
from tests.takeover.world import Object, World


def test_a_canary_that_is_deleted_meanwhile_ends_it() -> None:
    world = flaggers()

    def delete(world: World) -> None:
        if world.requests == 3:
            world.things["canaries", "web"]["metadata"]["deletionTimestamp"] = "now"

    world.meanwhile = delete
    with pytest.raises(Problem, match="is being deleted"):
        take_over(world)
    assert world.requests == 3


def test_what_has_changed_meanwhile_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, conflicts = flaggers(), iter([True, True])
    patch = World.patch

    def at_first_not(self: World, *arguments: Any, **options: Any) -> Answer:
        if next(conflicts, False):
            raise Conflict(409, "Conflict", "the object has been modified")
        return patch(self, *arguments, **options)

    monkeypatch.setattr(World, "patch", at_first_not)
    told = take_over(world)
    assert sum("the object has been modified" in line for line in told) == 2
    assert "deployments/web-primary" not in world.names()


def test_an_api_server_that_is_away_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world, away = flaggers(), iter([False] * 20 + [True] * 3)
    get = World.get

    def sometimes(self: World, *arguments: Any) -> Object:
        if next(away, False):
            raise Unreachable("connection refused")
        return get(self, *arguments)

    monkeypatch.setattr(World, "get", sometimes)
    told = take_over(world)
    assert any("connection refused; again in" in line for line in told)
    assert world.problems == []


def test_who_undoes_a_step_again_and_again_is_not_fought() -> None:
    world = flaggers()

    def scale_to_zero(world: World) -> None:
        world.things["deployments", "web"]["spec"]["replicas"] = 0

    world.meanwhile = scale_to_zero
    with pytest.raises(Problem, match="something undoes this again and again: scale Deployment web to 3"):
        take_over(world)
    assert "deployments/web-primary" in world.names()
    assert world.problems == []


def test_a_target_that_does_not_get_ready_leaves_all_traffic_to_the_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    world = flaggers()
    run = World._run

    def never_ready(self: World, more: int) -> None:
        run(self, more)
        target = self.things["deployments", "web"]
        target["status"]["availableReplicas"] = 0

    monkeypatch.setattr(World, "_run", never_ready)
    with pytest.raises(Problem, match="not within 600 s: wait until Deployment web is ready"):
        take_over(world)
    assert "deployments/web-primary" in world.names()
    assert world.things["services", "web"]["spec"]["selector"] == {"app": "web-primary"}
    assert world.problems == []


def test_without_detour_nothing_is_touched_but_the_canary(monkeypatch: pytest.MonkeyPatch) -> None:
    world = flaggers()
    monkeypatch.setattr(World, "_guard", lambda _: None)
    with pytest.raises(Problem, match="is Detour installed, and its analyzer running"):
        take_over(world)
    assert world.requests == 1

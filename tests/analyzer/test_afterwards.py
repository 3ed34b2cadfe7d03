"""That a rollout is over is told to its post-rollout hooks: at least once, whoever leads meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from analyzer import afterwards
from analyzer.actions import Emit
from analyzer.afterwards import Afterwards, marked
from analyzer.callbacks import Callbacks, Heard
from analyzer.cluster import Cluster
from analyzer.courier import Arrived, Never
from analyzer.hooks import Gate
from analyzer.journal import Journal
from analyzer.status import Ending, Outcome, Phase, Status
from analyzer.stored import from_object, to_object

KEY = ("shop", "podinfo")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
V2 = "2" * 64
Object = dict[str, Any]


def canary(status: Status, hooks: int = 1) -> Object:
    webhooks = [{"name": f"hook-{number}", "type": "post-rollout", "url": "http://x.test/"} for number in range(hooks)]
    return {
        "metadata": {"name": "podinfo", "namespace": "shop"},
        "spec": {"analysis": {"webhooks": webhooks}},
        "status": to_object(status, {}, NOW),
    }


def ended(status: Status, outcome: Outcome, at: datetime = NOW) -> Status:
    begun = status.begin(V2, "", {}, at - timedelta(minutes=1))
    return replace(begun, ending=Ending(outcome, "why")).end(at)


@dataclass
class Scene:
    """A cluster with one Canary, and hooks that answer when they are let."""

    canary: Object
    calls: list[tuple[str, str, Heard]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    touched: int = 0

    def canary_for(self, _key: object) -> Object:
        return self.canary

    def tell_ending(self, hook: Gate, _canary: Object, phase: str, _revision: str, heard: Heard) -> None:
        self.calls.append((hook.name, phase, heard))

    def tell(self, event: Emit, _canary: object, _deployment: object) -> None:
        self.told.append(event.text)

    def touch(self, _key: object) -> None:
        self.touched += 1

    def successor(self) -> Afterwards:
        """A process that knows what is stored, and nothing else."""
        return Afterwards(cast("Cluster", self), cast("Journal", self), cast("Callbacks", self), self.touch)

    @property
    def untold(self) -> int:
        return from_object(self.canary).untold


Play = Callable[..., Scene]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Storing is what the API server would do with it."""

    def amend(cluster: Any, found: Object, **changes: Any) -> None:
        cluster.canary = {**found, "status": to_object(replace(from_object(found), **changes), {}, NOW)}

    monkeypatch.setattr(afterwards, "amend", amend)

    def staged(*outcomes: Outcome, hooks: int = 1) -> Scene:
        status = Status(phase=Phase.INITIALIZED)
        for number, outcome in enumerate(outcomes):
            before = status
            status = ended(before, outcome, NOW + timedelta(hours=number))
            status = marked(canary(status, hooks), before, status)
        return Scene(canary(status, hooks))

    return staged


def test_an_ending_is_marked_only_where_somebody_wants_to_know() -> None:
    before = Status(phase=Phase.INITIALIZED)
    after = ended(before, Outcome.SUCCEEDED)
    assert marked(canary(after, hooks=1), before, after).untold == 1
    assert marked(canary(after, hooks=0), before, after) == after
    assert marked(canary(after, hooks=1), after, after) == after


def test_each_hook_is_told_once_and_then_the_mark_goes(play: Play) -> None:
    scene = play(Outcome.SUCCEEDED, hooks=2)
    duty = scene.successor()
    for _ in range(3):
        duty.settle(KEY)
    assert [(name, phase) for name, phase, _ in scene.calls] == [("hook-0", "Succeeded"), ("hook-1", "Succeeded")]
    scene.calls[0][2](Arrived("thanks"))
    duty.settle(KEY)
    assert scene.untold == 1
    scene.calls[1][2](Never("403 Forbidden"))
    duty.settle(KEY)
    duty.settle(KEY)
    assert (scene.untold, len(scene.calls)) == (0, 2)
    assert scene.told == ["Post-rollout check hook-0 passed", "Post-rollout hook hook-1 failed 403 Forbidden"]
    assert scene.touched


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ABORTED, Outcome.CANCELLED])
def test_every_other_ending_is_told_as_a_failure(play: Play, outcome: Outcome) -> None:
    scene = play(outcome)
    scene.successor().settle(KEY)
    assert [phase for _, phase, _ in scene.calls] == ["Failed"]


def test_a_process_that_dies_before_it_is_known_what_came_of_it_has_its_successor_tell_it_again(play: Play) -> None:
    scene = play(Outcome.SUCCEEDED)
    scene.successor().settle(KEY)
    duty = scene.successor()
    duty.settle(KEY)
    assert len(scene.calls) == 2
    scene.calls[0][2](Arrived())  # what the dead process would hear counts for nothing
    duty.settle(KEY)
    assert scene.untold == 1
    scene.calls[1][2](Arrived())
    duty.settle(KEY)
    assert scene.untold == 0


def test_endings_are_told_one_after_the_other(play: Play) -> None:
    """A next rollout never waits for a hook, so that it may be over before the first one's is."""
    scene = play(Outcome.FAILED, Outcome.SUCCEEDED)
    duty = scene.successor()
    phases = []
    while scene.untold:
        duty.settle(KEY)
        phases.append(scene.calls[-1][1])
        scene.calls[-1][2](Arrived())
        duty.settle(KEY)
    assert phases == ["Failed", "Succeeded"]


def test_where_the_hooks_were_taken_out_meanwhile_nobody_is_told(play: Play) -> None:
    scene = play(Outcome.SUCCEEDED)
    scene.canary["spec"] = {}
    scene.successor().settle(KEY)
    assert (scene.untold, scene.calls) == (0, [])


def test_nothing_that_is_told_is_asked_for_at_rest(play: Play) -> None:
    scene = play()
    scene.successor().settle(KEY)
    assert (scene.calls, scene.touched) == ([], 0)

"""What is still to be done once a rollout is over: its hooks of type post-rollout are told how it ended.

That they have to be is stored together with the ending, and taken back when each has answered or was given up. So no
crash loses it: whoever leads next tells all of them again. Nothing waits for it, a next rollout neither.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from analyzer.actions import Emit
from analyzer.agenda import Key
from analyzer.callbacks import Callbacks, of
from analyzer.cluster import Cluster
from analyzer.courier import Arrived, Never
from analyzer.hooks import Gate, Kind
from analyzer.journal import Journal
from analyzer.remember import amend
from analyzer.status import Outcome, Phase, Status
from analyzer.stored import from_object

Object = Mapping[str, Any]


def marked(canary: Object, before: Status, after: Status) -> Status:
    """The status with one more ending to be told, if one was added and somebody wants to know."""
    if after.history[-1:] == before.history[-1:] or not of(canary, Kind.POST_ROLLOUT):
        return after
    return replace(after, untold=min(after.untold + 1, len(after.history)))


@dataclass(slots=True)
class _Told:
    """One ending: how many hooks it is told, and those of which it is known what came of that."""

    ending: str
    hooks: int
    over: list[str] = field(default_factory=list)


class Afterwards:
    """Used by one worker at a time for each application. `touch` has it looked at again."""

    def __init__(self, cluster: Cluster, journal: Journal, callbacks: Callbacks, touch: Callable[[Key], None]) -> None:
        self._cluster = cluster
        self._journal = journal
        self._callbacks = callbacks
        self._touch = touch
        self._told: dict[Key, _Told] = {}

    def settle(self, key: Key) -> None:
        """Tell of the oldest ending that is not told, once; take the mark away when it is.

        Raises the errors of `analyzer.kube.errors`.
        """
        canary = self._cluster.canary_for(key)
        status = from_object(canary) if canary else Status()
        if canary is None or not status.untold:
            self._told.pop(key, None)
            return
        entry = status.history[-min(status.untold, len(status.history))]
        told = self._told.get(key)
        if told is None or told.ending != entry["endTime"]:
            told = self._told[key] = self._tell(key, canary, entry)
        if len(told.over) >= told.hooks:
            amend(self._cluster, canary, untold=status.untold - 1)
            self._touch(key)

    def _tell(self, key: Key, canary: Object, entry: Object) -> _Told:
        hooks = of(canary, Kind.POST_ROLLOUT)
        told = _Told(entry["endTime"], len(hooks))
        phase = Phase.SUCCEEDED if entry["outcome"] == Outcome.SUCCEEDED else Phase.FAILED
        for hook in hooks:
            heard = partial(self._heard, key, canary, hook, told)
            self._callbacks.tell_ending(hook, canary, phase, entry["revision"], heard)
        return told

    def _heard(self, key: Key, canary: Object, hook: Gate, told: _Told, answer: Arrived | Never) -> None:
        if isinstance(answer, Arrived):
            event = Emit(f"Post-rollout check {hook.name} passed")
        else:
            event = Emit(f"Post-rollout hook {hook.name} failed {answer.why}", warning=True)
        self._journal.tell(event, canary, None)
        told.over.append(hook.name)
        self._touch(key)

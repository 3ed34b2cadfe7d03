"""Whether the metrics of a Canary can be measured: found out when it is written, and not when an update depends on it.

Each is asked for once, whenever what is asked changes: the Canary, its policy, a MetricTemplate. What the answer is
does not matter. So a query that its provider refuses shows within seconds, in the condition Measurable and an event,
and so does its correction; then nothing is asked any more until an update comes. Only what no watch tells to be put
right (a provider that is away, a Secret) is asked for again, more and more rarely.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from analyzer.actions import Emit
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.crew import Crew
from analyzer.fields import SpecError
from analyzer.gauges import AtRest, Gauges
from analyzer.journal import Journal
from analyzer.metrics.provider import MetricError, Unreachable
from analyzer.remember import amend
from analyzer.spec import Spec, parse
from analyzer.stored import from_object
from analyzer.wording import shown

SETTLES = 2.0  # seconds: a Canary is often applied a moment before its MetricTemplates
FIRST_PAUSE, LONGEST_PAUSE = 15.0, 600.0  # seconds
THREADS, SHARE = 8, 2


@dataclass(slots=True)
class _Question:
    """What is asked of one application, from when on, and what came of it: None as long as nothing has."""

    asked: str
    due: float
    pause: float = FIRST_PAUSE
    waits: bool = False
    answers: tuple[MetricError | SpecError | None] | None = None


class Vetting:
    """Used by one worker at a time for each application. `touch` has it looked at again."""

    def __init__(
        self,
        cluster: Cluster,
        gauges: Gauges,
        journal: Journal,
        touch: Callable[[Key], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = cluster
        self._gauges = gauges
        self._journal = journal
        self._touch = touch
        self._clock = clock
        self._crew = Crew("vet", THREADS, SHARE)
        self._open: dict[Key, _Question] = {}

    def settle(self, key: Key) -> float | None:
        """Ask where something else is asked than before, and store what comes of it; in how many seconds to go on.

        What is in flight is measured anyway. Raises the errors of `analyzer.kube.errors`.
        """
        canary = self._cluster.canary_for(key)
        spec = _spec(canary) if canary else None
        if canary is None or spec is None or from_object(canary).phase.in_flight:
            self._open.pop(key, None)
            return None
        asked = self._gauges.asked(key, spec)
        if asked == from_object(canary).vetted:
            self._open.pop(key, None)
            return None
        question = self._open.get(key)
        if question is None or question.asked != asked:
            question = self._open[key] = _Question(asked, self._clock() + SETTLES)
        if not asked:
            return self._store(key, canary, question, None)
        if question.answers:
            return self._store(key, canary, question, *question.answers)
        if not question.waits and question.due <= self._clock():
            question.waits = True
            self._crew.do(key[0], partial(self._ask, key, canary, question))
        return None if question.waits else question.due - self._clock()

    def _ask(self, key: Key, canary: dict[str, Any], question: _Question) -> None:
        question.answers = (self._gauges.vet(AtRest(key, canary)),)
        self._touch(key)

    def _store(
        self, key: Key, canary: dict[str, Any], question: _Question, error: MetricError | SpecError | None
    ) -> float | None:
        problem, before = shown(str(error or "")), from_object(canary).unmeasurable
        passing = _may_pass(error)
        if not passing or problem != before:
            amend(self._cluster, canary, vetted="" if passing else question.asked, unmeasurable=problem)
        if problem and problem != before:
            text = f"Metrics of {key[1]}.{key[0]} cannot be measured: {problem}"
            self._journal.tell(Emit(text, warning=True), canary, None)
        elif before and not problem:
            self._journal.tell(Emit(f"Metrics of {key[1]}.{key[0]} can be measured again"), canary, None)
        if not passing:
            self._open.pop(key, None)
            return None
        later, longer = question.pause, min(2 * question.pause, LONGEST_PAUSE)
        self._open[key] = _Question(question.asked, self._clock() + later, longer)
        return later


def _spec(canary: dict[str, Any]) -> Spec | None:
    """None before the first look at it, and of one that cannot be read, which is told elsewhere."""
    if not (canary.get("status") or {}).get("lastTransitionTime"):
        return None
    try:
        return parse(canary)
    except SpecError:
        return None


def _may_pass(error: MetricError | SpecError | None) -> bool:
    """Whether it may be put right without anything that we watch being written."""
    return isinstance(error, Unreachable) or (isinstance(error, SpecError) and "secretRef" in error.field)

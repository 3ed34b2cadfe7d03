"""The status of a Canary: the only memory that the analyzer has.

Flagger's fields keep Flagger's names and meanings (`flagger.app/v1beta1`, Canary.status); ours are optional
additions, so that a tool that knows Flagger reads what it expects.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from analyzer.strategy import Position
from analyzer.wording import shown

REJECTED_KEPT = 10
_TIMES = (
    "started",
    "queued",
    "step_time",
    "check_time",
    "ready_since",
    "returned",
    "routed_away",
    "unrouted",
    "gate_since",
)
HISTORY_KEPT = 20
LONGEST_GRACE = 60.0  # seconds that a pod may take to end; few take an hour that they are given


class Phase(StrEnum):
    """Flagger's phases, as far as our model has them; "" before the first look."""

    NEW = ""
    INITIALIZING = "Initializing"
    INITIALIZED = "Initialized"
    WAITING = "Waiting"
    PROGRESSING = "Progressing"
    WAITING_PROMOTION = "WaitingPromotion"
    PROMOTING = "Promoting"
    FINALISING = "Finalising"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"

    @property
    def in_flight(self) -> bool:
        """Whether a revision is on its way, so that a canary may exist."""
        return self.analysing or self in (Phase.PROMOTING, Phase.FINALISING)

    @property
    def analysing(self) -> bool:
        """Whether the revision is still to be proven, or its proof to be consented to."""
        return self in (Phase.PROGRESSING, Phase.WAITING_PROMOTION)


class Outcome(StrEnum):
    """How a revision ends. One that failed or was aborted is remembered, and does not run again by itself.

    Cancelled: its own user took it back. Superseded: a newer one came. Postponed: no replicas are wanted for now.
    """

    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    ABORTED = "Aborted"
    SUPERSEDED = "Superseded"
    POSTPONED = "Postponed"


@dataclass(frozen=True, slots=True)
class Ending:
    """An ending that was decided on; the way out (weight, drain, objects) may not be over yet."""

    outcome: Outcome
    message: str


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of the revision in flight, or of the last one.

    `revision` and `base` are whole digests: of what is analysed, and of the primary that it is proven against.
    `subject` says what the revision is and whose (for the history). `queued` is since when one waits for its turn
    (analyzer.queue). `step_time` is when something was last decided: the progress deadline counts from it; `check_time`
    is the last measurement. `quiet_since` is when the last pod of the revision before is gone for certain: queries see
    it for a while yet. `ready_since` is since when the pods are ready that get traffic next: the canary's before its
    first share, the primary's before it gets all back. `replicas` is the most that an autoscaler has given the primary
    meanwhile; `returned`, since when the promoted primary has had its present share, `asked`, how many it was asked to
    have for the next (analyzer.autoscaling). `routed_away` is since when the routes send nothing to the canary,
    `unrouted` since when there are none. `problem` is why it halts. `ending` is what was decided: while a phase is in
    flight, the way out is not over yet. `terms` is a digest of the analysis that it began under, `waived` by whom, and
    why, this revision is promoted without its analysis; `gate` is whose consent is waited for, and nothing else, and
    `gate_since` since when; `waits` is what consent was asked for before it begins, and in flight, the gate that is
    waited for while something else is not known either; `observed_wish` is the last wish that was heard;
    `primary`, what ran when last seen (analyzer.unseen); `alerts`, what chats are still to be told
    (analyzer.alerts.outbox); `untold`, how many of the last endings its post-rollout hooks are still to be told
    (analyzer.afterwards).
    """

    phase: Phase = Phase.NEW
    weight: int = 0
    failed_checks: int = 0
    iterations: int = 0
    replicas: int = 0
    revision: str = ""
    base: str = ""
    promoted: str = ""
    subject: Mapping[str, Any] = field(default_factory=dict)
    started: datetime | None = None
    queued: datetime | None = None
    step_time: datetime | None = None
    check_time: datetime | None = None
    quiet_since: datetime | None = None
    ready_since: datetime | None = None
    returned: datetime | None = None
    asked: int = 0
    routed_away: datetime | None = None
    unrouted: datetime | None = None
    ending: Ending | None = None
    rejected: tuple[str, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    terms: str = ""
    waived: str = ""
    waits: str = ""
    gate: str = ""
    gate_since: datetime | None = None
    observed_wish: str = ""
    primary: str = ""
    observed_generation: int = 0
    guarded: bool = False
    problem: str = ""
    verdict: tuple[str, ...] = ()
    vetted: str = ""
    unmeasurable: str = ""
    alerts: tuple[Mapping[str, Any], ...] = ()
    untold: int = 0

    @property
    def position(self) -> Position:
        """How far the analysis is."""
        return Position(self.weight, self.iterations)

    def at(self, position: Position) -> Self:
        """The same at another position of the analysis."""
        return replace(self, weight=position.weight, iterations=position.iteration)

    def begin(self, revision: str, base: str, subject: Mapping[str, Any], now: datetime) -> Self:
        """A new revision is on its way: nothing of the one before counts."""
        return replace(
            self,
            phase=Phase.PROGRESSING,
            weight=0,
            failed_checks=0,
            iterations=0,
            replicas=0,
            revision=revision,
            base=base,
            subject=subject,
            started=now,
            queued=None,
            step_time=now,
            check_time=None,
            ready_since=None,
            returned=None,
            asked=0,
            routed_away=now,
            unrouted=None,
            ending=None,
            problem="",
            verdict=(),
            terms="",
            waived="",
            waits="",
            gate="",
            gate_since=None,
        )

    def at_most(self, now: datetime) -> Self:
        """No time in it is further in the future than it may be: a clock that was set back makes nothing wait."""
        ahead: dict[str, Any] = {
            name: now for name in _TIMES if (moment := getattr(self, name)) is not None and moment > now
        }
        latest = now + timedelta(seconds=LONGEST_GRACE)
        if self.quiet_since is not None and self.quiet_since > latest:
            ahead["quiet_since"] = latest
        return replace(self, **ahead) if ahead else self

    def attended(self, since: datetime | None) -> Self:
        """No deadline runs while nobody looks: what was to be done then could not be done."""
        unattended = since is not None and self.step_time is not None and self.step_time < since
        return replace(self, step_time=since) if unattended and self.phase.in_flight else self

    def rest(self) -> Self:
        """Nothing is in flight any more, and nothing ended: what counts is the ending before, if there was one."""
        self = replace(self, queued=None, waits="", gate="", gate_since=None, problem="")
        this = (self.revision, timestamp(self.started)) if self.started else None
        ended = (entry for entry in reversed(self.history) if (entry.get("revision"), entry.get("startTime")) == this)
        if last := next(ended, None):
            ending = Ending(Outcome(last["outcome"]), last["message"])
            phase = Phase.SUCCEEDED if ending.outcome is Outcome.SUCCEEDED else Phase.FAILED
            return replace(self, phase=phase, ending=ending)
        phase = Phase.INITIALIZED if self.guarded else Phase.INITIALIZING
        return replace(self, phase=phase, ending=None, revision="")

    def end(self, now: datetime) -> Self:
        """The way out is over: what was decided becomes the phase, and goes into the history."""
        assert self.ending
        succeeded = self.ending.outcome is Outcome.SUCCEEDED
        entry = {
            "revision": self.revision,
            **self.subject,
            "outcome": self.ending.outcome.value,
            "message": self.ending.message,
            "checks": list(self.verdict),
            "startTime": timestamp(self.started or now),
            "endTime": timestamp(now),
        }
        ended = replace(
            self,
            phase=Phase.SUCCEEDED if succeeded else Phase.FAILED,
            promoted=self.revision if succeeded else self.promoted,
            history=appended(self.history, entry),
            problem="",
        )
        remembered = self.ending.outcome in (Outcome.FAILED, Outcome.ABORTED)
        return ended.remember_rejected(self.revision) if remembered else ended

    def remember_rejected(self, digest: str) -> Self:
        """The last few revisions that failed; the same template does not run again by itself."""
        others = tuple(known for known in self.rejected if known != digest)
        return replace(self, rejected=(*others, digest)[-REJECTED_KEPT:])


def appended(history: Iterable[Mapping[str, Any]], entry: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """The history with one more ending; the oldest fall out."""
    return (*history, shown(entry))[-HISTORY_KEPT:]


def seconds_left(since: datetime | None, seconds: float, now: datetime) -> float:
    """How much of a time that began at `since` is left, negative when it is over; all of it if it has not begun."""
    return seconds if since is None else seconds - (now - since).total_seconds()


def timestamp(moment: datetime) -> str:
    """As Kubernetes writes a date-time with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")

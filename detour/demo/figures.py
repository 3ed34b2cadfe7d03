"""What the users get, in figures: every answer is sorted into one of three, and nothing is left out.

* good: a 200 that says which pod and which version gave it;
* a fault of the version itself: a 500 with the text that only the bad image writes, so the bad version's own doing;
* failed: all the rest. No connection, no answer in time, any other status, a body that is no answer of podinfo.
"""

import json
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

CANARY_PODS = "podinfo-canary-"
FAULT = b"this image fails a third of its requests"
WINDOW = 3.0  # seconds that the moving figures look back


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and how it ended: `at` on the monotonic clock, `seconds` until the last byte or the failure."""

    at: float
    seconds: float
    pod: str = ""
    version: str = ""
    fault: bool = False
    failure: str = ""

    @property
    def from_canary(self) -> bool:
        """A fault does not say which pod it comes from; its image runs nowhere but in the canary."""
        return self.fault or self.pod.startswith(CANARY_PODS)


def read(status: int, body: bytes, at: float, seconds: float) -> Answer:
    """Sort one answer to `GET /api/info`."""
    if status == 500 and FAULT in body:
        return Answer(at, seconds, fault=True)
    if status != 200:
        return Answer(at, seconds, failure=f"status {status}")
    try:
        info = json.loads(body)
        return Answer(at, seconds, pod=str(info["hostname"]), version=str(info["version"]))
    except (ValueError, TypeError, KeyError):
        return Answer(at, seconds, failure="200 with a body that is not podinfo's")


@dataclass(frozen=True, slots=True)
class Moving:
    """The last few seconds: `share` and `success` in percent, `p99` in milliseconds; None where there is nothing."""

    per_second: float
    share: float | None
    success: float | None
    p99: float | None


@dataclass(slots=True)
class Tally:
    """All answers so far. Not for several threads at once."""

    sent: int = 0
    good: int = 0
    faults: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    failures: list[Answer] = field(default_factory=list)
    canary_times: list[float] = field(default_factory=list)
    primary_times: list[float] = field(default_factory=list)
    _recent: deque[Answer] = field(default_factory=deque)

    @property
    def failed(self) -> int:
        """Requests that failed, the bad version's own faults apart."""
        return len(self.failures)

    def add(self, answer: Answer) -> None:
        """Count one."""
        self.sent += 1
        self._recent.append(answer)
        if answer.failure:
            self.failures.append(answer)
        elif answer.fault:
            self.faults += 1
        else:
            self.good += 1
            self.versions[answer.version] += 1
        if not answer.failure:
            (self.canary_times if answer.from_canary else self.primary_times).append(answer.at)

    def moving(self, now: float) -> Moving:
        """The last `WINDOW` seconds before `now`."""
        while self._recent and self._recent[0].at < now - WINDOW:
            self._recent.popleft()
        answers = list(self._recent)
        answered = [answer for answer in answers if not answer.failure]
        canary = sum(answer.from_canary for answer in answered)
        good = sum(not answer.fault for answer in answered)
        return Moving(
            per_second=len(answers) / WINDOW,
            share=_percent(canary, len(answered)),
            success=_percent(good, len(answers)),
            p99=percentile([1000 * answer.seconds for answer in answers], 99),
        )


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest of `values` that at least `percent` of them do not exceed (nearest rank); None of nothing."""
    if not values:
        return None
    rank = -(-len(values) * percent // 100)
    return sorted(values)[max(0, int(rank) - 1)]


@dataclass(frozen=True, slots=True)
class Trial:
    """A time in which the canary was meant to get requests; `end` is None while it lasts."""

    begin: float
    end: float | None = None


def out_of_turn(answers: Iterable[float], trials: Sequence[Trial], before: float = 1.0, after: float = 2.0) -> int:
    """How many of the canary's answers came while its weight was 0.

    The weight is what the Canary's status says, which is written before the route: `before` allows for our hearing of
    it late, `after` for the time until the Ingress controller has caught up.
    """
    spans = [(trial.begin - before, None if trial.end is None else trial.end + after) for trial in trials]
    return sum(not any(begin <= at and (end is None or at <= end) for begin, end in spans) for at in answers)


@dataclass(frozen=True, slots=True)
class Step:
    """From `begin` to `end` the canary's weight was `weight` percent."""

    weight: int
    begin: float
    end: float


def share_during(step: Step, canary: Iterable[float], primary: Iterable[float], settling: float = 1.0) -> float | None:
    """The canary's part in the answers of one step, in percent, once the Ingress controller has had time to follow."""
    first, last = step.begin + settling, step.end
    answered = [sum(first <= at <= last for at in times) for times in (canary, primary)]
    return _percent(answered[0], sum(answered))


def figure(value: float | None, unit: str) -> str:
    """Right-aligned with one decimal; a dash for what there is none of."""
    return f"{'–' if value is None else f'{value:.1f}':>5} {unit}"


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None

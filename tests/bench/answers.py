"""What came back for each request, sorted and counted: pure, so that the counting itself can be tested."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

CANARY_PODS = "podinfo-canary-"


@dataclass(frozen=True, slots=True)
class Answer:
    """One request and how it ended. `at` is when it was begun, on the monotonic clock.

    `lag` is by how many seconds that was later than the schedule said, `seconds` how long it took from then on;
    `kept` tells a connection kept open from one opened for this request. A failure is text, and its absence success.
    """

    number: int
    at: float
    lag: float
    seconds: float
    kept: bool
    pod: str = ""
    version: str = ""
    failure: str = ""

    @property
    def from_canary(self) -> bool:
        return self.pod.startswith(CANARY_PODS)


@dataclass(frozen=True, slots=True)
class Reply:
    """What an answer of podinfo says, or why it is none."""

    pod: str = ""
    version: str = ""
    failure: str = ""


def read(status: int, body: bytes, message: str) -> Reply:
    """Sort one answer to `GET /api/info`. Only a 2xx of the application that was told this `message` is a success."""
    if not 200 <= status < 300:
        return Reply(failure=f"status {status}")
    try:
        info = json.loads(body)
        if info["message"] != message:
            return Reply(failure="answered by another application")
        return Reply(str(info["hostname"]), str(info["version"]))
    except (ValueError, TypeError, KeyError):
        return Reply(failure="2xx with a body that is not podinfo's")


@dataclass(frozen=True, slots=True)
class Tally:
    """The account of one run. `sent` is exactly what succeeded and what failed together."""

    sent: int
    failed: tuple[Answer, ...]
    versions: Counter[str]
    canary: int
    lag_p99: float
    lag_most: float
    slowest: float

    @property
    def text(self) -> str:
        """One line: the sums, and whether the generator kept its schedule."""
        versions = ", ".join(f"{count} by {version}" for version, count in sorted(self.versions.items()))
        lag = f"p99 {1000 * self.lag_p99:.1f} ms, at most {1000 * self.lag_most:.1f} ms"
        counts = (
            f"sent {self.sent}, failed {len(self.failed)}, answered {versions or 'none'}; {self.canary} by canaries"
        )
        return f"{counts}; slowest answer {1000 * self.slowest:.0f} ms; sent late by {lag}"


def tally(answers: Sequence[Answer]) -> Tally:
    """Count the answers of one run."""
    good = [answer for answer in answers if not answer.failure]
    lags = [answer.lag for answer in answers]
    return Tally(
        sent=len(answers),
        failed=tuple(answer for answer in answers if answer.failure),
        versions=Counter(answer.version for answer in good),
        canary=sum(answer.from_canary for answer in good),
        lag_p99=percentile(lags, 99),
        lag_most=max(lags, default=0.0),
        slowest=max((answer.seconds for answer in answers), default=0.0),
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest of `values` that at least `percent` of them do not exceed (nearest rank); 0 of nothing."""
    if not values:
        return 0.0
    return sorted(values)[max(0, -(-len(values) * percent // 100) - 1)]


def between(answers: Sequence[Answer], begin: float, end: float) -> list[Answer]:
    """The requests begun in this time, in order: the router decides when one comes, not when it is over."""
    return sorted((answer for answer in answers if begin <= answer.at < end), key=lambda answer: answer.at)


def share(answers: Sequence[Answer]) -> float:
    """The canary's part in percent; 0 of nothing. A request that failed counts as one that the canary did not get."""
    return 100 * sum(answer.from_canary for answer in answers) / len(answers) if answers else 0.0


def highest_share(answers: Sequence[Answer], width: int) -> float:
    """The canary's highest part, in percent, in any run of at least `width` answers one after the other.

    A run of twice the width or more is two such runs, and not above the higher of them: so longer ones need no look.
    """
    before = [0]
    for answer in answers:
        before.append(before[-1] + answer.from_canary)
    highest = 0.0
    for length in range(width, 2 * width):
        for begin in range(len(answers) - length + 1):
            highest = max(highest, (before[begin + length] - before[begin]) / length)
    return 100 * highest

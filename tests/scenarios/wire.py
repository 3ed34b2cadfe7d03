"""What users met while the Canary said a weight: the share of the canary on the wire, and whether it was that weight.

Pure, so that the judgement itself can be tested. Answers are told apart by the pod that gave them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt

from tests.bench.answers import Answer, between, share

SETTLED = 1.5  # seconds: how long a router may take to follow its route, and the route the status
TOLERANCE = 6.0  # percentage points
SIGMAS = 3.0  # of what may be chance: of fifty requests a share of 30 % says no more than 10 to 50
ENOUGH = 25  # requests; fewer show the router's rounding
FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class Moment:
    """The Canary's status became this, `at` on the monotonic clock."""

    at: float
    phase: str
    weight: int
    iterations: int = 0


Expected = Callable[[int], int]
"""The share in percent that a crowd of users is to meet while the Canary says this weight."""


def by_weight(weight: int) -> int:
    """What anybody meets of a canary."""
    return weight


def whole(weight: int) -> int:
    """What users meet of a canary that has all of their requests once it has any."""
    return 100 if weight else 0


def never(_: int) -> int:
    """What users meet of a canary that is for others."""
    return 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time of one weight. `share` and `requests` are of the requests sent once it had settled."""

    weight: int
    expected: int
    share: float
    requests: int

    @property
    def judged(self) -> bool:
        """Whether it lasted long enough to be judged."""
        return self.requests >= ENOUGH

    @property
    def right(self) -> bool:
        """Whether users met what they had to; of few requests nothing is known."""
        chance = SIGMAS * 100 * sqrt(self.expected / 100 * (1 - self.expected / 100) / max(self.requests, 1))
        return not self.judged or abs(self.share - self.expected) <= max(TOLERANCE, chance)

    @property
    def text(self) -> str:
        """In a few words."""
        return f"{self.weight} %: {self.share:.1f} % of {self.requests}"


def stretches(moments: Sequence[Moment], answers: Sequence[Answer], expected: Expected = by_weight) -> list[Stretch]:
    """The times of one weight, in order, from the first that the Canary said to the last answer."""
    changes = [moments[0], *(after for before, after in pairwise(moments) if after.weight != before.weight)]
    ends = [*(change.at for change in changes[1:]), FOREVER]
    found = []
    for change, end in zip(changes, ends, strict=True):
        sent = between(answers, change.at + SETTLED, end)
        found.append(Stretch(change.weight, expected(change.weight), share(sent), len(sent)))
    return found


def weights(found: Sequence[Stretch]) -> tuple[int, ...]:
    """The weights above 0, in their order."""
    return tuple(stretch.weight for stretch in found if stretch.weight)


def complaints(found: Sequence[Stretch], wanted: Sequence[int] | None, whose: str = "users") -> list[str]:
    """What is not as it has to be: the order of the weights (of None any will do), and the share at each of them."""
    said = [
        f"at weight {stretch.weight} the canary answered {stretch.share:.1f} % of {stretch.requests} requests of "
        f"{whose}, not {stretch.expected} %"
        for stretch in found
        if not stretch.right
    ]
    if wanted is None:
        return said
    if weights(found) != tuple(wanted):
        said.append(f"the weights were {weights(found)}, not {tuple(wanted)}")
    short = [f"{stretch.weight} %" for stretch in found if stretch.weight and not stretch.judged]
    return [*said, *([f"too few requests of {whose} to tell their share at {', '.join(short)}"] if short else [])]

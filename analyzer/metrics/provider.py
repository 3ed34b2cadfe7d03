"""What a metrics provider is asked, what it may answer, and the two ways in which it can fail to.

Neither failure says anything about the canary: that there is no evidence is not evidence (design §6).
"""

import math
from dataclasses import dataclass
from typing import Protocol


class MetricError(Exception):
    """A metric could not be measured; the message says why, and what to do about it."""


class Unreachable(MetricError):
    """The provider did not answer, or not as one: no connection, too late, an error of its own, no permission."""


class WrongQuery(MetricError):
    """The provider answered that the query makes no sense, or it yields nothing that could be compared to a number."""


@dataclass(frozen=True, slots=True)
class Series:
    """One number of an answer, and the labels it came with, as the provider writes them."""

    labels: str
    value: float

    @property
    def measured(self) -> bool:
        """Whether it is a number: NaN is what PromQL makes of 0/0, of no requests at all."""
        return not math.isnan(self.value)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a query yielded: no series is no data. `warnings` are the provider's own, meant for the query's author."""

    series: tuple[Series, ...] = ()
    warnings: tuple[str, ...] = ()


class Provider(Protocol):
    """A source of metrics, ready to be asked."""

    def query(self, query: str) -> Sample:
        """The answer as of now, within seconds. Raises Unreachable or WrongQuery."""

    def close(self) -> None:
        """Give its connections back."""

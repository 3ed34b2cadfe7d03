"""Percentiles, and ratios of what was measured in pairs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that so many percent of all do not exceed (nearest rank). Raises ValueError for none."""
    if not samples:
        raise ValueError("there is no percentile of nothing")
    return sorted(samples)[max(0, math.ceil(len(samples) * percent / 100) - 1)]


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times slower something was than its reference: the median over paired blocks, and the extremes."""

    middle: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, blocks: Sequence[Sequence[float]], reference: Sequence[Sequence[float]]) -> "Ratio":
        """Of the medians of blocks that ran next to each other. Raises ValueError unless there is one for each."""
        ratios = [median(one) / median(other) for one, other in zip(blocks, reference, strict=True)]
        return cls(median(ratios), min(ratios), max(ratios))

    def __str__(self) -> str:
        return f"{self.middle:.2f} ×"

    @property
    def spread(self) -> str:
        """All of it."""
        return f"{self.middle:.2f} × (blocks from {self.lowest:.2f} to {self.highest:.2f})"


def milliseconds(seconds: float) -> str:
    """As a person reads it."""
    return f"{seconds * 1000:.1f} ms"


def summary(samples: Sequence[float]) -> str:
    """p50, p90, p99, the worst, and of how many."""
    points = ", ".join(f"p{percent} {milliseconds(percentile(samples, percent))}" for percent in (50, 90, 99))
    return f"{points}, at most {milliseconds(max(samples))}, of {len(samples)}"

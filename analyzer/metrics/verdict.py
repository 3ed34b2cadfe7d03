"""The verdict on one metric: a pure comparison, in the words that Flagger's events use.

Evidence against the canary (`failed`) and the inability to have any (`unmeasured`, `no data`) stay apart, since
only the first may ever roll a canary back.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from analyzer.fields import SpecError, whole
from analyzer.hooks import Kind
from analyzer.metrics.provider import MetricError, Sample, Series

Metric = Mapping[str, Any]  # an entry of a Canary's spec.analysis.metrics

SUCCESS_RATE, DURATION = "request-success-rate", "request-duration"  # Flagger's built-in metrics

_LONGEST_LABELS = 120
_LONGEST_WARNING = 120


class Result(StrEnum):
    """What came of measuring a metric, or of calling a gate: one that confirms is waited for until it consents."""

    PASSED = "passed"
    FAILED = "failed"
    UNMEASURED = "unmeasured"
    NO_DATA = "no data"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Check:
    """A metric judged once, or the answer of a gate of this `kind`.

    `text` is what an event or a person is told; `value` is None where there was none.
    """

    name: str
    result: Result
    text: str
    value: float | None = None
    warnings: tuple[str, ...] = ()
    kind: Kind | None = None

    @property
    def failed(self) -> bool:
        """Evidence against the canary."""
        return self.result is Result.FAILED

    @property
    def unknown(self) -> bool:
        """No evidence for or against it."""
        return self.result in (Result.UNMEASURED, Result.NO_DATA)


@dataclass(frozen=True, slots=True)
class Limits:
    """The closed range of values that pass; at least one end is there."""

    min: float | None = None
    max: float | None = None

    def excess(self, value: float) -> float:
        """How far outside the range a value is; negative inside."""
        below = -math.inf if self.min is None else self.min - value
        above = -math.inf if self.max is None else value - self.max
        return max(below, above)


class NoData(StrEnum):
    """What a metric without enough data does to a check (`noData`; Flagger always counts it as failed)."""

    HALT = "halt"
    FAIL = "fail"
    PASS = "pass"


def limits(metric: Metric) -> Limits:
    """`thresholdRange`, or the deprecated `threshold`, which is a maximum, 0 if nothing is said (Flagger's default).

    Raises SpecError for a range without ends, which nothing could fail, and for one that nothing could pass.
    """
    field = f"spec.analysis.metrics[{metric.get('name')}].thresholdRange"
    if "thresholdRange" not in metric:
        return Limits(max=_number(metric.get("threshold", 0), field.removesuffix("Range")))
    stated = metric["thresholdRange"] or {}
    ends = {end: _number(stated[end], f"{field}.{end}") for end in ("min", "max") if stated.get(end) is not None}
    if not ends:
        raise SpecError(field, "it has neither min nor max, so that nothing could fail", "set one of them")
    found = Limits(**ends)
    if found.min is not None and found.max is not None and found.min > found.max:
        raise SpecError(field, f"min {_short(found.min)} is above max {_short(found.max)}", "swap them")
    return found


def no_data(metric: Metric) -> NoData:
    """`noData` of a metric: by default it halts. Raises SpecError."""
    stated = metric.get("noData") or NoData.HALT
    if stated not in NoData.__members__.values():
        field = f"spec.analysis.metrics[{metric.get('name')}].noData"
        raise SpecError(field, f"{stated!r} is unknown here", f"set {', '.join(NoData)}, or take it out")
    return NoData(stated)


def least_requests(metric: Metric) -> int:
    """`minRequests` of a metric: how many the canary must have had in its interval; 0 without one. Raises SpecError."""
    return whole(metric, "minRequests", 0, f"spec.analysis.metrics[{metric.get('name')}].minRequests")


def judge(metric: Metric, sample: Sample) -> Check:
    """The verdict on what a query yielded. Raises SpecError (see `limits`, `no_data`).

    Of several series every one has to be within the range: the worst one is judged, and named (Flagger takes the
    last). A NaN among numbers is one without data. Infinity is a number.
    """
    name, allowed = str(metric.get("name", "")), limits(metric)
    numbers = [series for series in sample.series if series.measured]
    if not numbers:
        return _without_data(metric, _nothing(name, sample), sample.warnings)
    worst = max(numbers, key=lambda series: allowed.excess(series.value))
    failed = allowed.excess(worst.value) > 0
    what, value, limit = _words(metric)
    text = f"{what} {value(worst.value)} {_compared(worst.value, allowed, limit)}{_among(worst, numbers)}"
    result = Result.FAILED if failed else Result.PASSED
    return Check(name, result, f"{text}{_warned(sample)}", worst.value, sample.warnings)


def too_few(metric: Metric, counted: Sample) -> Check | None:
    """The verdict on a canary that has had fewer requests than `minRequests`; None if it has had enough.

    It names no count, which would be another one, and another message, at every check.
    """
    least = least_requests(metric)
    if round(sum(series.value for series in counted.series if math.isfinite(series.value))) >= least:
        return None
    what, *_ = _words(metric)
    return _without_data(metric, f"{what} is not judged: fewer than {least} requests in its interval", counted.warnings)


def unmeasured(metric: Metric, error: MetricError | SpecError) -> Check:
    """The verdict where there is nothing to judge: the provider or the query failed, not the canary."""
    name = str(metric.get("name", ""))
    return Check(name, Result.UNMEASURED, f"metric query failed for {name}: {error}")


def _without_data(metric: Metric, why: str, warnings: tuple[str, ...]) -> Check:
    name, policy = str(metric.get("name", "")), no_data(metric)
    if policy is NoData.HALT:
        return Check(name, Result.NO_DATA, why, warnings=warnings)
    result = Result.FAILED if policy is NoData.FAIL else Result.PASSED
    return Check(name, result, f"{why}, which counts as {result} (noData)", warnings=warnings)


def _nothing(name: str, sample: Sample) -> str:
    why = "the query yields NaN, which 0/0 is: probably no requests" if sample.series else "the query yields nothing"
    return f"no values found for custom metric: {name}: {why}{_warned(sample)}"


def _warned(sample: Sample) -> str:
    return f"; the provider warns: {sample.warnings[0][:_LONGEST_WARNING]}" if sample.warnings else ""


def _words(metric: Metric) -> tuple[str, Callable[[float], str], Callable[[float], str]]:
    """What Flagger calls a metric, and how it writes its value and its limits: the built-in ones have units."""
    name = str(metric.get("name", ""))
    if not metric.get("templateRef") and not metric.get("query"):
        if name == SUCCESS_RATE:
            return "success rate", lambda value: f"{value:.2f}%", lambda value: f"{_short(value)}%"
        if name == DURATION:
            return "request duration", _duration, _duration
    return name, _two_decimals, _short


def _compared(value: float, allowed: Limits, written: Callable[[float], str]) -> str:
    """`> 500` as Flagger writes it of a failure; of a value that passes, all that it was compared to."""
    if allowed.min is not None and value < allowed.min:
        return f"< {written(allowed.min)}"
    if allowed.max is not None and value > allowed.max:
        return f"> {written(allowed.max)}"
    ends = ((">=", allowed.min), ("<=", allowed.max))
    return " and ".join(f"{sign} {written(end)}" for sign, end in ends if end is not None)


def _among(worst: Series, series: list[Series]) -> str:
    if len(series) == 1:
        return ""
    labels = worst.labels if len(worst.labels) <= _LONGEST_LABELS else f"{worst.labels[:_LONGEST_LABELS]}…"
    return f" (the worst of {len(series)} series: {labels})"


def _number(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise SpecError(field, f"{value!r} is no number", "write one, without quotes")
    return float(value)


def _two_decimals(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else f"{value:+}".replace("inf", "Inf")


def _duration(milliseconds: float) -> str:
    if 1000 <= milliseconds < math.inf:
        return f"{milliseconds / 1000:.3g}s"
    return f"{milliseconds:.0f}ms"


def _short(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)

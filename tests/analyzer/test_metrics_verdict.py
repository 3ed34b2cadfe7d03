"""The verdict on a metric."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.fields import SpecError
from analyzer.metrics.provider import Sample, Series, Unreachable
from analyzer.metrics.verdict import Check, NoData, Result, judge, limits, no_data, too_few, unmeasured

LATENCY = {"name": "latency", "thresholdRange": {"max": 500}}
SUCCESS = {"name": "success", "thresholdRange": {"min": 99}}
NAN = math.nan


def verdict(metric: dict[str, Any], *values: float) -> Check:
    return judge(metric, Sample(tuple(Series(f'{{pod="{number}"}}', value) for number, value in enumerate(values))))


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (LATENCY, 2482, "latency 2482.00 > 500"),
        (LATENCY, math.inf, "latency +Inf > 500"),
        (SUCCESS, 98.694, "success 98.69 < 99"),
        ({"name": "m", "threshold": 0.5}, 5, "m 5.00 > 0.5"),
        ({"name": "errors"}, 1, "errors 1.00 > 0"),
        ({"name": "m", "thresholdRange": {"min": 1, "max": 2}}, 0.5, "m 0.50 < 1"),
        ({"name": "m", "thresholdRange": {"max": 5}, "threshold": 1}, 7, "m 7.00 > 5"),
    ],
)
def test_a_value_out_of_range_fails_in_flaggers_words(metric: dict[str, Any], value: float, text: str) -> None:
    check = verdict(metric, value)
    assert (check.result, check.text, check.value) == (Result.FAILED, text, value)
    assert check.failed
    assert not check.unknown


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        (LATENCY, 500, "latency 500.00 <= 500"),
        (SUCCESS, 99, "success 99.00 >= 99"),
        ({"name": "m", "thresholdRange": {"min": 1, "max": 2}}, 1.5, "m 1.50 >= 1 and <= 2"),
        ({"name": "errors"}, 0, "errors 0.00 <= 0"),
    ],
)
def test_the_ends_of_the_range_pass(metric: dict[str, Any], value: float, text: str) -> None:
    check = verdict(metric, value)
    assert (check.result, check.text) == (Result.PASSED, text)
    assert not check.failed
    assert not check.unknown


def test_no_series_is_no_data_and_not_0() -> None:
    check = verdict({"name": "errors"})
    assert (check.result, check.value, check.unknown, check.failed) == (Result.NO_DATA, None, True, False)
    assert check.text == "no values found for custom metric: errors: the query yields nothing"


def test_nan_is_no_data_either_and_says_why() -> None:
    check = verdict(LATENCY, NAN, NAN)
    assert check.result is Result.NO_DATA
    assert check.text.endswith("the query yields NaN, which 0/0 is: probably no requests")


def test_a_providers_warning_is_passed_on_where_it_may_explain() -> None:
    check = judge(LATENCY, Sample(warnings=("not a counter",)))
    assert (check.warnings, check.text.endswith("; the provider warns: not a counter")) == (("not a counter",), True)


def test_of_several_series_the_worst_one_is_judged_wherever_it_stands() -> None:
    for values in ((10, 600, 20), (600, 10, 20), (10, 20, 600)):
        check = verdict(LATENCY, *values)
        assert check.failed
        assert check.text.startswith("latency 600.00 > 500 (the worst of 3 series: {pod=")


def test_the_labels_of_a_series_are_cut_short_for_the_event_that_names_it() -> None:
    sample = Sample((Series("x" * 121, 600), Series("y", 1)))
    assert judge(LATENCY, sample).text == f"latency 600.00 > 500 (the worst of 2 series: {'x' * 120}…)"
    assert judge(LATENCY, Sample((Series("x" * 120, 600), Series("y", 1)))).text.endswith(f": {'x' * 120})")


def test_a_nan_among_numbers_does_not_hide_them() -> None:
    assert verdict(LATENCY, NAN, 600).failed
    assert verdict(LATENCY, NAN, 6).result is Result.PASSED


def test_what_could_not_be_measured_is_neither_passed_nor_failed() -> None:
    check = unmeasured(LATENCY, Unreachable("http://p: connection refused; check spec.provider.address"))
    assert (check.unknown, check.failed) == (True, False)
    assert check.text == "metric query failed for latency: http://p: connection refused; check spec.provider.address"


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        ({"thresholdRange": {}}, "neither min nor max, so that nothing could fail; set one of them"),
        ({"thresholdRange": None}, "neither min nor max"),
        ({"thresholdRange": {"min": 2, "max": 1}}, "min 2 is above max 1; swap them"),
        ({"thresholdRange": {"max": "500"}}, r"thresholdRange\.max: '500' is no number"),
        ({"thresholdRange": {"max": True}}, "True is no number"),
        ({"thresholdRange": {"max": math.inf}}, "inf is no number"),
        ({"threshold": "1"}, r"metrics\[m\]\.threshold: '1' is no number"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused_by_name(metric: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError, match=problem):
        limits({"name": "m", **metric})


NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.floats(), max_size=5), NUMBERS, NUMBERS)
def test_a_check_passes_only_when_every_number_is_in_range(values: list[float], low: float, high: float) -> None:
    metric = {"name": "m", "thresholdRange": {"min": min(low, high), "max": max(low, high)}}
    numbers = [value for value in values if not math.isnan(value)]
    inside = all(min(low, high) <= value <= max(low, high) for value in numbers)
    expected = Result.NO_DATA if not numbers else Result.PASSED if inside else Result.FAILED
    assert verdict(metric, *values).result is expected


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ({"name": "request-success-rate", "thresholdRange": {"min": 99}}, 98.687, "success rate 98.69% < 99%"),
        ({"name": "request-duration", "thresholdRange": {"max": 500}}, 1500, "request duration 1.5s > 500ms"),
        ({"name": "request-duration", "thresholdRange": {"max": 500}}, 99, "request duration 99ms <= 500ms"),
    ],
)
def test_the_built_in_metrics_are_told_in_flaggers_words(metric: dict[str, Any], value: float, text: str) -> None:
    assert judge(metric, Sample((Series("", value),))).text == text
    own = judge({**metric, "templateRef": {"name": "mine"}}, Sample((Series("", value),))).text
    assert own.startswith(f"{metric['name']} {value:.2f} ")


@pytest.mark.parametrize(
    ("policy", "result", "end"),
    [
        (None, Result.NO_DATA, "the query yields nothing"),
        ("halt", Result.NO_DATA, "the query yields nothing"),
        ("fail", Result.FAILED, "the query yields nothing, which counts as failed (noData)"),
        ("pass", Result.PASSED, "the query yields nothing, which counts as passed (noData)"),
    ],
)
def test_no_data_halts_fails_or_passes_as_the_metric_says(policy: str | None, result: Result, end: str) -> None:
    metric = LATENCY if policy is None else {**LATENCY, "noData": policy}
    check = verdict(metric)
    assert (check.result, check.value) == (result, None)
    assert check.text.endswith(end)
    assert verdict(metric, NAN).result is result


def test_a_policy_for_no_data_is_nothing_to_what_has_data() -> None:
    assert verdict({**LATENCY, "noData": "pass"}, 501).failed
    assert verdict({**LATENCY, "noData": "fail"}, 499).result is Result.PASSED


def test_an_unknown_policy_names_the_field_and_those_that_there_are() -> None:
    with pytest.raises(SpecError, match=r"\[m\].noData: 'ignore' is unknown here; set halt, fail, pass, or"):
        no_data({"name": "m", "noData": "ignore"})
    assert no_data({"name": "m", "noData": None}) is NoData.HALT


def counted(*requests: float) -> Sample:
    return Sample(tuple(Series("{}", number) for number in requests))


@pytest.mark.parametrize("requests", [(), (0.0,), (NAN,), (math.inf,), (60.0, 39.4)])
def test_too_few_requests_are_no_data_and_say_the_same_at_every_check(requests: tuple[float, ...]) -> None:
    check = too_few({"name": "request-success-rate", "minRequests": 100}, counted(*requests))
    assert check
    assert check.result is Result.NO_DATA
    assert check.text == "success rate is not judged: fewer than 100 requests in its interval"


def test_enough_requests_are_counted_over_all_series_and_rounded_as_increase_is_an_estimate() -> None:
    assert too_few({"name": "m", "minRequests": 100}, counted(60, 39.6)) is None
    assert too_few({"name": "m"}, counted()) is None


def test_too_few_requests_go_by_the_policy_too() -> None:
    check = too_few({"name": "m", "minRequests": 5, "noData": "fail"}, counted(1))
    assert check
    assert check.failed


def test_what_prometheus_warns_of_stands_behind_the_value() -> None:
    check = judge(LATENCY, Sample((Series("{}", 3),), ("metric might not be a counter",)))
    assert check.text == "latency 3.00 <= 500; the provider warns: metric might not be a counter"

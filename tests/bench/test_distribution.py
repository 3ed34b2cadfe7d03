"""Percentiles and ratios: a figure is only as good as its arithmetic."""

import pytest

from tests.bench.distribution import Ratio, percentile, summary


def test_a_percentile_is_a_sample_that_was_seen() -> None:
    samples = [5.0, 1.0, 3.0, 2.0, 4.0]
    assert [percentile(samples, percent) for percent in (0, 20, 21, 50, 95, 100)] == [1.0, 1.0, 2.0, 3.0, 5.0, 5.0]


def test_the_95th_of_forty_leaves_two_above_it() -> None:
    samples = [float(number) for number in range(1, 41)]
    assert percentile(samples, 95) == 38.0


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_ratio_is_the_median_over_pairs_so_that_one_bad_block_does_not_decide() -> None:
    ratio = Ratio.of([[2.0, 2.2, 9.0], [30.0], [1.1]], [[2.0], [10.0], [1.0]])
    assert (ratio.middle, ratio.lowest, ratio.highest) == pytest.approx((1.1, 1.1, 3.0))


def test_blocks_without_a_partner_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Ratio.of([[1.0], [1.0]], [[1.0]])


def test_a_summary_says_of_how_many() -> None:
    assert summary([0.001, 0.002, 0.003]) == "p50 2.0 ms, p90 3.0 ms, p99 3.0 ms, at most 3.0 ms, of 3"

"""docs/telemetry.md lists what is exposed, all of it and nothing else."""

from tests.telemetry.exposed import SAMPLES, documented, exposed


def test_every_metric_is_documented_with_its_type_and_labels() -> None:
    assert sorted(exposed() - documented()) == []


def test_every_metric_that_is_documented_is_exposed() -> None:
    assert sorted(documented() - exposed()) == []


def test_every_name_ends_with_its_unit_or_says_what_it_counts() -> None:
    """https://prometheus.io/docs/practices/naming/"""
    for metric in exposed():
        assert metric.type in SAMPLES
        assert metric.name.endswith("_total") == (metric.type == "counter") or metric.name == "flagger_canary_total"
        assert metric.type != "histogram" or metric.name.endswith("_seconds")

"""What is told of Canaries: as they are now, by the one that leads, and nothing of those that are gone."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from analyzer import telemetry
from analyzer.census import Census
from analyzer.metrics.verdict import Check, Result
from analyzer.unseen import Running
from tests.telemetry.exposed import canary, cluster

KEY = ("shop", "podinfo")
OURS, FLAGGERS = {"namespace": "shop", "name": "podinfo"}, {"name": "podinfo", "namespace": "shop"}


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    telemetry.forget_others([])


def told(census: Census, metric: str, **labels: str) -> float | None:
    """One sample, as a scrape would have it."""
    registry = CollectorRegistry()
    registry.register(census)
    return registry.get_sample_value(metric, labels)


def test_a_canary_in_flight_is_told_with_its_weight_and_its_phase() -> None:
    found = canary(phase="Progressing", canaryWeight=20, failedChecks=1, stepTime="2026-01-01T00:00:00Z")
    census = Census(cluster(found), lambda: True)
    assert told(census, "detour_canary_phase", **OURS, phase="Progressing") == 1
    assert told(census, "detour_canary_weight_ratio", **OURS) == 0.2
    assert told(census, "detour_canary_failed_checks", **OURS) == 1
    assert told(census, "detour_canary_last_step_timestamp_seconds", **OURS) == 1767225600
    assert told(census, "flagger_canary_weight", workload="podinfo", namespace="shop") == 20
    assert told(census, "flagger_canary_weight", workload="podinfo-primary", namespace="shop") == 80


@pytest.mark.parametrize(
    ("phase", "status"),
    [("Progressing", 0), ("Failed", 2), ("Succeeded", 1), ("Initialized", 1), ("Waiting", 1), ("Promoting", 1)],
)
def test_flaggers_status_means_what_it_means_there(phase: str, status: int) -> None:
    census = Census(cluster(canary(phase=phase)), lambda: True)
    assert told(census, "flagger_canary_status", **FLAGGERS) == status


def test_canaries_are_counted_by_namespace() -> None:
    census = Census(cluster(canary(), canary(("shop", "web")), canary(("test", "web"))), lambda: True)
    assert told(census, "flagger_canary_total", namespace="shop") == 2
    assert told(census, "flagger_canary_total", namespace="test") == 1


def test_one_that_waits_for_its_turn_is_queued_and_nothing_is_wrong_with_it() -> None:
    waits = canary(phase="Waiting", message="queued, place 1: …", queuedSince="2026-01-01T00:00:00Z")
    census = Census(cluster(waits), lambda: True)
    assert told(census, "detour_canary_queued", **OURS) == 1
    assert told(census, "detour_canary_halted", **OURS) == 0


def test_one_that_halts_says_so_and_one_at_rest_is_at_no_step() -> None:
    census = Census(cluster(canary(phase="Waiting", message="there is no MetricTemplate")), lambda: True)
    assert told(census, "detour_canary_halted", **OURS) == 1
    assert told(census, "detour_canary_last_step_timestamp_seconds", **OURS) is None


@pytest.mark.parametrize(
    ("outcomes", "unproven"),
    [((), 0), (("LetPast",), 1), (("LetPast", "Succeeded"), 0), (("Succeeded", "LetPast"), 0), (("Failed",), 0)],
)
def test_a_primary_is_unproven_while_it_runs_what_went_past_an_analysis(
    outcomes: tuple[str, ...], unproven: int
) -> None:
    history = [{"revision": "d", "outcome": outcome} for outcome in outcomes]
    found = canary(phase="Initialized", history=history, primary=Running("uid", "7", "d").encode())
    assert told(Census(cluster(found), lambda: True), "detour_canary_unproven", **OURS) == unproven


def test_a_canary_that_is_left_to_flagger_is_flaggers_to_tell_of(monkeypatch: pytest.MonkeyPatch) -> None:
    here = cluster(canary(phase="Progressing"))
    monkeypatch.setattr(type(here.flagger), "leaves", lambda _self, _canary: False)
    assert told(Census(here, lambda: True), "flagger_canary_status", **FLAGGERS) is None


def test_a_replica_that_does_not_lead_tells_of_no_canary() -> None:
    census = Census(cluster(canary(phase="Progressing")), lambda: False)
    assert told(census, "detour_canary_weight_ratio", **OURS) is None
    assert told(census, "flagger_canary_total", namespace="shop") is None


def test_series_of_a_canary_go_with_it() -> None:
    found = canary(phase="Progressing")
    here = cluster(found)
    census = Census(here, lambda: True)
    telemetry.checked(KEY, [Check("latency", Result.FAILED, "latency 0.9 > 0.5", 0.9)])
    telemetry.ended(KEY, "Failed", 60, analysed=True)
    telemetry.looked(KEY, 0.1)
    before = census.exposition().decode()
    for name in ("detour_canary_checks_total", "detour_canary_endings_total", "flagger_canary_metric_analysis"):
        assert any(line.startswith(name) and '"podinfo"' in line for line in before.splitlines())
    here.canaries._remove(found)
    assert '"podinfo"' not in census.exposition().decode()


def test_an_application_that_is_still_there_keeps_its_counts() -> None:
    census = Census(cluster(canary(), canary(("shop", "web"))), lambda: True)
    telemetry.checked(KEY, [Check("latency", Result.PASSED, "latency 0.1 <= 0.5", 0.1)])
    assert 'result="passed"} 1.0' in census.exposition().decode()
    assert 'result="passed"} 1.0' in census.exposition().decode()

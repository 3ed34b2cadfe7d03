"""The alerts and the dashboard ask only for what is there, and the ServiceMonitor finds where to ask."""

import pytest
import yaml

from tests.manifests.rendered import the
from tests.telemetry.exposed import exposed, names
from tests.telemetry.manifests import FOLDER, PLATFORM, labels_of, metrics_of, panels, queries, rules

QUERIES = queries()


@pytest.mark.parametrize("where", QUERIES)
def test_a_query_names_only_metrics_that_are_exposed(where: str) -> None:
    asked = metrics_of(QUERIES[where])
    assert asked
    assert asked - PLATFORM.keys() <= names()


@pytest.mark.parametrize("where", QUERIES)
def test_and_chooses_by_labels_that_they_have(where: str) -> None:
    known = {metric.name: set(metric.labels) for metric in exposed()} | PLATFORM
    for metric, label in labels_of(QUERIES[where]):
        name = next(known_name for known_name in known if metric.startswith(known_name))
        assert label in known[name]


def test_names_are_told_from_functions_labels_and_words() -> None:
    query = 'sum by (le, pod) (rate(a_b_total{c="d e"}[5m])) > 2 * 3600 and on (x) absent(f_g == 1) or vector(0)'
    assert metrics_of(query) == {"a_b_total", "f_g"}
    assert labels_of(query) == {("a_b_total", "c")}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_urgent_it_is_what_happened_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"]["summary"].endswith(".")
    assert len(rule["annotations"]["runbook"]) > 100


def test_every_panel_of_the_dashboard_has_a_place_of_its_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_service_monitor_chooses_the_service_with_both_ports() -> None:
    monitor = yaml.safe_load((FOLDER / "servicemonitor.yaml").read_text())["spec"]
    service = the("Service", "detour-metrics", "base/deployment.yaml")
    wanted = monitor["selector"]["matchLabels"]
    assert wanted.pop("app.kubernetes.io/name") == "detour", "every object has it, by manifests/base/kustomization.yaml"
    assert wanted.items() <= service["metadata"]["labels"].items()
    assert {point["port"] for point in monitor["endpoints"]} == {port["name"] for port in service["spec"]["ports"]}

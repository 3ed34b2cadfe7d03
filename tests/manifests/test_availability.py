"""Two replicas, of which one may always go: to a drained node, to an update, to a process that has ended."""

import pytest

from tests.manifests.rendered import documents, the
from tests.manifests.test_pod import container, pod

FILE = "base/deployment.yaml"


def test_there_are_two_and_a_new_one_serves_before_an_old_one_goes() -> None:
    spec = the("Deployment", "detour", FILE)["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


def test_they_are_spread_where_they_can_be_and_start_on_a_single_node_all_the_same() -> None:
    labels = the("Deployment", "detour", FILE)["spec"]["template"]["metadata"]["labels"]
    spread = pod()["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in spread] == ["kubernetes.io/hostname", "topology.kubernetes.io/zone"]
    for each in spread:
        assert each["whenUnsatisfiable"] == "ScheduleAnyway"
        assert each["labelSelector"]["matchLabels"].items() <= labels.items()
        assert each["matchLabelKeys"] == ["pod-template-hash"]  # or an update would be spread among the old ones


def test_a_node_can_always_be_drained() -> None:
    (budget,) = documents("base/availability.yaml")
    labels = the("Deployment", "detour", FILE)["spec"]["template"]["metadata"]["labels"]
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert budget["spec"]["maxUnavailable"] == 1
    assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_an_endpoint_leaves_the_service_before_its_process_stops_and_there_is_time_for_both() -> None:
    leaves = container("webhook")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert leaves >= 2
    assert pod()["terminationGracePeriodSeconds"] >= leaves + 30 + 10  # gunicorn's graceful_timeout, and to spare


@pytest.mark.parametrize("name", ["webhook", "analyzer"])
def test_who_is_slow_is_not_taken_for_dead(name: str) -> None:
    """A minute without any answer ends a process, and so it has a minute to begin."""
    probes = [container(name)[probe] for probe in ("livenessProbe", "startupProbe") if probe in container(name)]
    assert all(probe["periodSeconds"] * probe["failureThreshold"] >= 60 for probe in probes)
    assert {probe["httpGet"]["path"] for probe in probes} == {"/healthz"}


def test_the_webhook_alone_says_whether_the_pod_is_ready() -> None:
    readiness = container("webhook")["readinessProbe"]
    assert readiness["httpGet"]["path"] == "/readyz"
    assert readiness["timeoutSeconds"] >= 5  # as long as the API server waits for it
    assert not {"readinessProbe", "startupProbe"} & set(container("analyzer")), "it would wait for them, killed or new"


def test_metrics_are_read_of_every_replica_ready_or_not() -> None:
    service = the("Service", "detour-metrics", FILE)
    assert (service["spec"]["clusterIP"], service["spec"]["publishNotReadyAddresses"]) == ("None", True)
    named = {port["name"] for c in pod()["containers"] for port in c["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} == named - {"webhook"}

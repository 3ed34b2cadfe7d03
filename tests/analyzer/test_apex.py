"""The Service that a Canary asks for: Flagger's fields, the primary's pods, the Canary as owner."""

from typing import Any

from analyzer import apex

PRIMARY: dict[str, Any] = {
    "metadata": {"name": "podinfo", "namespace": "shop"},
    "spec": {
        "selector": {"matchLabels": {"app": "podinfo", "tier": "backend"}},
        "template": {"metadata": {"labels": {"app": "podinfo", "tier": "backend", "version": "1"}}},
    },
}


def canary(**service: Any) -> dict[str, Any]:
    return {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": {"name": "web", "namespace": "shop", "uid": "1234"},
        "spec": {"targetRef": {"kind": "Deployment", "name": "podinfo"}, "service": service},
    }


def test_it_is_called_like_the_target_and_has_the_port_that_the_canary_names() -> None:
    made = apex.service(canary(port=8080, portName="web", targetPort=7001), PRIMARY)
    assert made["metadata"]["name"] == apex.name(canary(port=8080)) == "podinfo"
    assert made["spec"]["ports"] == [{"name": "web", "port": 8080, "targetPort": 7001, "protocol": "TCP"}]


def test_what_is_left_out_has_flaggers_defaults() -> None:
    made = apex.service(canary(port=80), PRIMARY)
    assert made["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": 80, "protocol": "TCP"}]


def test_it_selects_what_the_primary_selects_and_goes_with_the_canary() -> None:
    made = apex.service(canary(port=80), PRIMARY)
    assert made["spec"]["selector"] == {"app": "podinfo", "tier": "backend"}
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"], owner["controller"]) == ("Canary", "web", "1234", True)


def test_name_metadata_protocol_and_headlessness_are_the_canarys_to_say() -> None:
    wanted = canary(port=80, name="front", headless=True, appProtocol="http", apex={"labels": {"team": "shop"}})
    made = apex.service(wanted, PRIMARY)
    assert apex.name(wanted) == made["metadata"]["name"] == "front"
    assert made["metadata"]["labels"] == {"team": "shop"}
    assert made["spec"]["clusterIP"] == "None"
    assert made["spec"]["ports"][0]["appProtocol"] == "http"


def test_a_canary_that_asks_for_none_gets_none() -> None:
    assert apex.name({"spec": {"targetRef": {"name": "podinfo"}}}) is None
    assert apex.name(canary(name="front")) is None


def discovered(containers: list[dict[str, Any]], **wanted: Any) -> list[tuple[str, int, str]]:
    """The ports that are found beside the one that the Canary names."""
    primary = {**PRIMARY, "spec": {**PRIMARY["spec"], "template": {"spec": {"containers": containers}}}}
    made = apex.service(canary(portDiscovery=True, **wanted), primary)
    return [(port["name"], port["port"], port["protocol"]) for port in made["spec"]["ports"][1:]]


def test_other_ports_of_the_containers_are_found_where_the_canary_asks_for_it() -> None:
    named = {"name": "podinfo", "ports": [{"name": "http", "containerPort": 9898}, {"containerPort": 9999}]}
    dns = {"name": "dns", "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]}
    mesh = {"name": "istio-proxy", "ports": [{"containerPort": 15090}]}
    found = discovered([named, dns, mesh], port=80, targetPort="http")
    assert found == [("tcp-podinfo-1", 9999, "TCP"), ("dns", 53, "UDP")]
    assert discovered([named], port=9898) == [("tcp-podinfo-1", 9999, "TCP")]
    assert len(apex.service(canary(port=9898), PRIMARY)["spec"]["ports"]) == 1


def test_a_port_that_would_be_there_twice_is_left_out() -> None:
    first = {"name": "a", "ports": [{"name": "http", "containerPort": 81}, {"containerPort": 80}]}
    second = {"name": "b", "ports": [{"containerPort": 82}, {"name": "other", "containerPort": 82}]}
    assert discovered([first, second], port=80, targetPort=8080) == [("tcp-b-0", 82, "TCP")]


def test_a_port_of_a_container_with_a_long_name_has_one_that_a_service_may_have() -> None:
    [(name, _, _)] = discovered([{"name": "a" * 63, "ports": [{"containerPort": 81}]}], port=80)
    assert name == f"tcp-{'a' * 57}-0"


def test_endpoints_are_preferred_as_the_canary_says() -> None:
    made = apex.service(canary(port=80, trafficDistribution="PreferClose"), PRIMARY)
    assert made["spec"]["trafficDistribution"] == "PreferClose"

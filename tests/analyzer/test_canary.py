"""The canary's Deployment and Services."""

import copy
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analyzer.canary import canary_deployment, canary_services, deserts, is_mistaken, name, rewriting
from analyzer.discovery import Surroundings
from analyzer.labels import matches
from analyzer.ownership import LONGEST, canary_name, is_ours
from tests.analyzer.objects import deployment, service, template
from webhook import stash

DIGEST = "0123456789abcdef" * 4
PRIMARY = deployment(minReadySeconds=3, progressDeadlineSeconds=60, replicas=4, revisionHistoryLimit=2)
NEW = template({"app": "web", "version": "2"})
OUR_KEYS = (stash.TEMPLATE, stash.PREVIOUS, stash.DIVERTED_BY, stash.HISTORY, stash.PROMOTE)


def around(*services: dict[str, Any]) -> Surroundings:
    return Surroundings(services=services, all_services=services)


def built() -> dict[str, Any]:
    return canary_deployment(PRIMARY, NEW, around(service()), 2, DIGEST)


def test_it_runs_the_new_template_under_other_labels_at_the_size_asked_for() -> None:
    canary = built()
    assert canary["metadata"]["name"] == "web-canary"
    assert canary["spec"]["replicas"] == 2
    assert canary["spec"]["template"]["spec"] == NEW["spec"]
    labels = canary["spec"]["template"]["metadata"]["labels"]
    assert labels == {
        "app": "web-canary",
        "version": "2",
        "detour.dev/canary-of": "web",
        "detour.dev/revision": DIGEST[:10],
    }
    assert (canary["spec"]["minReadySeconds"], canary["spec"]["progressDeadlineSeconds"]) == (3, 60)


def test_its_pods_are_its_own_and_nobody_elses() -> None:
    canary = built()
    labels = canary["spec"]["template"]["metadata"]["labels"]
    assert matches(canary["spec"]["selector"], labels)
    assert not matches(PRIMARY["spec"]["selector"], labels)
    assert not matches({"matchLabels": service()["spec"]["selector"]}, labels)
    assert not matches(canary["spec"]["selector"], PRIMARY["spec"]["template"]["metadata"]["labels"])


def test_it_belongs_to_the_primary_and_says_which_revision_it_is() -> None:
    metadata = built()["metadata"]
    assert metadata["labels"] == {"detour.dev/canary-of": "web", "detour.dev/revision": "0123456789"}
    assert metadata["annotations"] == {"detour.dev/digest": DIGEST}
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "uid-of-web"}
    assert metadata["ownerReferences"] == [{**owner, "controller": False, "blockOwnerDeletion": False}]


def test_none_of_the_primarys_own_metadata_is_copied() -> None:
    annotations = dict.fromkeys((*OUR_KEYS, "kubectl.kubernetes.io/last-applied-configuration"), "x")
    tracked = {"app.kubernetes.io/managed-by": "Helm", "detour.dev/policy": "default"}
    primary = {**PRIMARY, "metadata": {**PRIMARY["metadata"], "annotations": annotations, "labels": tracked}}
    metadata = canary_deployment(primary, NEW, around(service()), 1, DIGEST)["metadata"]
    assert metadata == built()["metadata"]


def test_building_changes_none_of_what_it_is_given() -> None:
    new, primary, there = (copy.deepcopy(thing) for thing in (NEW, PRIMARY, service()))
    canary_deployment(primary, new, around(there), 2, DIGEST)
    canary_services(primary, around(there), DIGEST)
    assert (new, primary, there) == (NEW, PRIMARY, service())


def test_only_what_carries_the_primarys_mark_is_ours() -> None:
    other = deployment("other")
    for thing in (built(), *canary_services(PRIMARY, around(service()), DIGEST)):
        assert is_ours(thing, PRIMARY)
        assert not is_ours(thing, other)
    assert not is_ours(PRIMARY, PRIMARY)


def test_a_canary_service_has_the_ports_of_the_primarys_and_nothing_of_the_node() -> None:
    ports = [
        {"name": "http", "port": 80, "targetPort": "web", "protocol": "TCP", "appProtocol": "http", "nodePort": 30080},
        {"name": "grpc", "port": 90, "targetPort": 9090, "protocol": "TCP"},
    ]
    (made,) = canary_services(
        PRIMARY, around(service(ports=ports, type="LoadBalancer", externalIPs=["1.2.3.4"])), DIGEST
    )
    assert made["metadata"]["name"] == "web-canary"
    assert made["spec"]["ports"] == [{k: v for k, v in port.items() if k != "nodePort"} for port in ports]
    assert set(made["spec"]) == {"ports", "selector"}


def test_a_canary_service_has_the_labels_and_annotations_that_its_canary_asks_for_and_no_keys_of_ours() -> None:
    asked = {"labels": {"team": "shop", "detour.dev/policy": "x"}, "annotations": {"a": "b"}}
    (made,) = canary_services(PRIMARY, replace(around(service()), metadata=asked), DIGEST)
    assert made["metadata"]["labels"] == {"team": "shop", "detour.dev/canary-of": "web"}
    assert made["metadata"]["annotations"] == {"a": "b"}


def test_a_canary_service_selects_the_canarys_pods_only() -> None:
    (made,) = canary_services(PRIMARY, around(service()), DIGEST)
    selector = {"matchLabels": made["spec"]["selector"]}
    assert matches(selector, built()["spec"]["template"]["metadata"]["labels"])
    assert not matches(selector, PRIMARY["spec"]["template"]["metadata"]["labels"])
    (of_another,) = canary_services(PRIMARY, around(service()), "f" * 64)
    another = {"matchLabels": of_another["spec"]["selector"]}
    assert not matches(another, built()["spec"]["template"]["metadata"]["labels"])


def test_a_headless_service_has_a_headless_canary() -> None:
    (made,) = canary_services(PRIMARY, around(service(clusterIP="None", ports=[])), DIGEST)
    assert made["spec"] == {
        "clusterIP": "None",
        "selector": {"detour.dev/canary-of": "web", "detour.dev/revision": DIGEST[:10]},
    }


def test_a_canary_service_is_found_by_the_same_monitors_and_acted_on_by_nobody_else() -> None:
    original = service()
    original["metadata"]["labels"] = {"release": "prom", "detour.dev/state": "analysing"}
    original["metadata"]["annotations"] = {
        "prometheus.io/scrape": "true",
        "external-dns.alpha.kubernetes.io/hostname": "web.example",
        "traefik.ingress.kubernetes.io/service.serversscheme": "https",
    }
    (made,) = canary_services(PRIMARY, around(original), DIGEST)
    assert made["metadata"]["labels"] == {"release": "prom", "detour.dev/canary-of": "web"}
    assert set(made["metadata"]["annotations"]) == {
        "prometheus.io/scrape",
        "traefik.ingress.kubernetes.io/service.serversscheme",
    }


def test_a_template_that_leaves_its_service_is_found_out() -> None:
    there = around(service(selector={"app": "web", "version": "1"}))
    problem = deserts(NEW, there)
    assert problem
    assert problem.startswith("Service web selects app=web,version=1, and the new template has other labels")
    assert deserts(template({"app": "web", "version": "1", "more": "x"}), there) is None


def test_a_service_that_came_later_and_takes_the_canary_for_the_primary_is_found_out() -> None:
    canary, (ours,) = built(), canary_services(PRIMARY, around(service()), DIGEST)
    late = service("late", {"version": "2"})
    assert not is_mistaken(canary, PRIMARY, around(service(), ours, service("other"), service("none", {})))
    assert is_mistaken(canary, PRIMARY, around(service(), ours, late))
    again = canary_deployment(PRIMARY, NEW, around(service(), ours, late), 2, DIGEST)
    assert not is_mistaken(again, PRIMARY, around(service(), ours, late))


def test_the_policies_that_lose_the_canary_are_known() -> None:
    policy = {"metadata": {"name": "in"}, "spec": {"podSelector": {"matchLabels": {"app": "web"}}}}
    there = Surroundings(protected=(policy,))
    assert rewriting(PRIMARY, NEW, there).lost == ("NetworkPolicy in",)


@given(st.from_regex(r"[a-z]([a-z0-9.-]{0,251}[a-z0-9])?", fullmatch=True))
def test_every_name_of_a_deployment_gives_names_and_labels_that_kubernetes_accepts(long: str) -> None:
    primary = {**PRIMARY, "metadata": {**PRIMARY["metadata"], "name": long}}
    assert len(name(primary)) <= 46
    canary = canary_deployment(primary, NEW, around(service()), 1, DIGEST)
    owner = canary["metadata"]["labels"]["detour.dev/canary-of"]
    assert len(owner) <= 63
    assert owner[-1].isalnum()
    if len(long) <= 39:
        assert (name(primary), owner) == (f"{long}-canary", long)


def test_names_are_shortened_only_where_they_have_to_be() -> None:
    assert canary_name("x" * 39) == "x" * 39 + "-canary"
    assert len(canary_name("x" * 40)) == 46
    assert canary_name("x" * 56, LONGEST) == "x" * 56 + "-canary"
    assert len(canary_name("x" * 57, LONGEST)) == 63


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert canary_name("x" * 100 + "a") != canary_name("x" * 100 + "b")

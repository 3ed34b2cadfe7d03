"""What is found around a primary, and what is refused with a reason."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.discovery import Surroundings, discover
from analyzer.ownership import route_name
from analyzer.wanted import Wanted
from tests.analyzer.objects import deployment, ingress, labelled, path, service

Object = dict[str, Any]
PRIMARY = deployment()
ROUTE = ingress("web", ("a.example", "/", "web"))
METRICS = service("metrics", {"app": "web"}, clusterIP="None")


def found(services: list[Object], ingresses: list[Object], **narrowed: Any) -> Surroundings:
    return discover(PRIMARY, services, ingresses, **narrowed)


def names(things: tuple[Any, ...]) -> list[str]:
    return [thing["metadata"]["name"] for thing in things]


def test_services_are_found_by_their_selector_and_ingresses_by_their_backends() -> None:
    there = found([service(), service("db")], [ROUTE, ingress("db", ("a.example", "/db", "db"))])
    assert (names(there.services), names(there.ingresses), there.problem) == (["web"], ["web"], None)
    assert names(there.all_services) == ["web", "db"]


def test_a_service_may_select_by_a_part_of_the_labels() -> None:
    primary = deployment(labels={"app": "web", "tier": "backend"})
    there = discover(primary, [service("any", {"tier": "backend"})], [ingress("i", ("", "/", "any"))])
    assert (names(there.services), there.problem) == (["any"], None)


def test_only_services_that_an_ingress_names_get_a_canary() -> None:
    assert names(found([METRICS, service()], [ROUTE]).services) == ["web"]


def test_all_services_get_one_where_there_is_no_ingress_and_the_problem_is_said() -> None:
    there = found([service(), METRICS], [])
    assert names(there.services) == ["web", "metrics"]
    assert there.problem == "no Ingress sends requests to Service web or metrics: create one with it as a backend"


def test_a_default_backend_is_a_backend() -> None:
    route = ingress("web", defaultBackend={"service": {"name": "web", "port": {"number": 80}}})
    assert names(found([service()], [route]).ingresses) == ["web"]


def test_a_rule_without_paths_and_a_backend_that_is_no_service_are_passed_over() -> None:
    storage = {"path": "/static", "pathType": "Prefix", "backend": {"resource": {"kind": "Bucket", "name": "b"}}}
    route = ingress("web", rules=[{"host": "a.example"}, {"http": {"paths": [storage, path("/", "web")]}}])
    assert names(found([service()], [route]).ingresses) == ["web"]


@pytest.mark.parametrize("without", [service("web", {}), service(type="ExternalName", externalName="web.example")])
def test_services_without_pods_are_ignored(without: Object) -> None:
    there = found([without], [ROUTE])
    assert there.problem
    assert there.problem.startswith("no Service selects the pods of Deployment web")


def test_the_canary_narrows_down_services_and_ingresses() -> None:
    routes = [ROUTE, ingress("other", ("b.example", "/", "other"))]
    there = found([service(), service("other", {"app": "web"})], routes, wanted=Wanted("other", "other"))
    assert (names(there.services), names(there.ingresses)) == (["other"], ["other"])


@pytest.mark.parametrize(
    ("narrowed", "problem"),
    [
        ({"service": "gone"}, "Service gone does not exist: create it, or correct spec.service.name"),
        ({"service": "db"}, "Service db does not select the pods of Deployment web"),
        ({"ingress": "gone"}, "Ingress gone does not exist: create it, or correct spec.ingressRef.name"),
        ({"ingress": "db"}, "Ingress db has no backend that is Service web"),
    ],
)
def test_a_name_that_leads_nowhere_is_a_problem(narrowed: dict[str, str], problem: str) -> None:
    there = found([service(), service("db")], [ROUTE, ingress("db", ("", "/", "db"))], wanted=Wanted(**narrowed))
    assert there.problem
    assert there.problem.startswith(problem)


def test_two_deployments_behind_one_service_are_refused() -> None:
    other = deployment("other", {"app": "web", "track": "beta"})
    there = found([service()], [ROUTE], deployments=[PRIMARY, other])
    assert there.problem
    assert there.problem.startswith("Service web selects the pods of Deployment other, too")


def test_two_deployments_behind_a_service_that_no_request_goes_through_are_fine() -> None:
    shared = service("metrics", {"tier": "backend"})
    primary = deployment(labels={"app": "web", "tier": "backend"})
    other = deployment("other", {"app": "other", "tier": "backend"})
    there = discover(primary, [service(), shared], [ROUTE], deployments=[primary, other])
    assert (names(there.services), there.problem) == (["web"], None)


def test_what_is_ours_already_is_no_problem_and_nothing_to_build_on() -> None:
    ours = {"detour__canary_of": "web"}
    there = found(
        [service(), labelled(service("web-canary"), **ours)],
        [ROUTE, labelled(ingress("web-canary", ("a.example", "/", "web")), **ours)],
        deployments=[PRIMARY, labelled(deployment("web-canary", {"app": "web-canary"}), **ours)],
    )
    assert (names(there.services), names(there.ingresses), there.problem) == (["web"], ["web"], None)


@pytest.mark.parametrize("kind", ["Deployment", "Service", "Ingress"])
def test_an_object_of_somebody_else_where_ours_should_be_is_a_problem(kind: str) -> None:
    services, routes, deployments = [service()], [ROUTE], [PRIMARY]
    {
        "Deployment": lambda: deployments.append(deployment("web-canary")),
        "Service": lambda: services.append(service("web-canary")),
        "Ingress": lambda: routes.append(ingress("web-canary")),
    }[kind]()
    problem = found(services, routes, deployments=deployments).problem
    assert problem == f"{kind} web-canary is not Detour's, which needs that name for the canary: rename it or delete it"


@pytest.mark.parametrize("annotations", [{"x.example/ssl-redirect": "true"}, {"x.example/canary": "false"}])
def test_an_ingress_with_other_annotations_is_a_route(annotations: dict[str, str]) -> None:
    route = ingress("web", ("a.example", "/", "web"), annotations=annotations)
    assert names(found([service()], [route]).ingresses) == ["web"]


def test_somebody_elses_canary_ingress_is_no_route_of_its_own() -> None:
    by_hand = ingress("by-hand", ("a.example", "/", "web"), annotations={"nginx.ingress.kubernetes.io/canary": "true"})
    assert names(found([service()], [ROUTE, by_hand]).ingresses) == ["web"]


def test_the_canary_of_another_application_in_the_same_ingress_is_in_nobodys_way() -> None:
    shared = ingress("shop", ("a.example", "/", "web"), ("a.example", "/db", "db"))
    theirs = labelled(ingress("shop.db-canary", ("a.example", "/db", "db-canary")), detour__canary_of="db")
    there = found([service(), service("db")], [shared, theirs])
    assert (names(there.ingresses), there.problem) == (["shop"], None)


SEGMENT = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
NAMES = st.builds(".".join, st.lists(SEGMENT, min_size=1, max_size=3))
SUBDOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@given(NAMES, NAMES)
def test_every_ingress_and_every_application_gives_a_name_that_kubernetes_accepts(route: str, own: str) -> None:
    name = route_name(deployment(own), ingress(route))
    assert SUBDOMAIN.fullmatch(name)
    assert name.endswith("-canary")
    assert len(name) <= 63
    assert name != route_name(deployment("x" + own), ingress(route))

"""An application that Ingresses and HTTPRoutes lead to: both are split, and have to agree."""

from dataclasses import replace
from typing import Any

import pytest

from analyzer.discovery import Surroundings, discover
from analyzer.routing import Router
from analyzer.routing.gateway import Gateway
from analyzer.routing.nginx import Nginx
from analyzer.routing.several import Several
from analyzer.strategy import Strategy
from analyzer.traffic import Traffic
from analyzer.wanted import Wanted
from tests.analyzer.objects import deployment, ingress, service
from tests.analyzer.routes import backend, http_route, rule

Object = dict[str, Any]

ROUTER: Router = Several((Nginx(), Gateway()))
PRIMARY = deployment()
INGRESS = {"kind": "Ingress", **ingress("web", ("a.example", "/", "web"))}
OTHERS = {"metadata": {"name": "nginx"}, "spec": {"controller": "example.com/other"}}
UNACCEPTED = {**http_route(), "status": {}}


def around(*, by_ingress: bool = True, http: Object | None = None, classes: tuple[Object, ...] = ()) -> Surroundings:
    routes = (http,) if http else ()
    ingresses = (INGRESS,) if by_ingress else ()
    return Surroundings(services=(service(),), ingresses=ingresses, http_routes=routes, classes=classes)


def live(surroundings: Surroundings, weight: int) -> list[Object]:
    return list(ROUTER.objects(PRIMARY, surroundings, Traffic(weight)))


def test_both_are_split() -> None:
    found = live(around(http=http_route()), 20)
    assert [each["kind"] for each in found] == ["Ingress", "HTTPRoute"]
    assert ROUTER.weight_of(found, "web") == 20


def test_they_have_to_agree() -> None:
    both = around(http=http_route())
    assert ROUTER.weight_of([live(both, 20)[0], live(both, 30)[1]], "web") is None
    assert ROUTER.weight_of(live(around(), 20), "web") == 20
    assert ROUTER.weight_of([], "web") is None


def test_what_nobody_serves_stays_with_the_primary_where_something_else_is_served() -> None:
    there = around(http=http_route(), classes=(OTHERS,))
    assert ROUTER.unserved(there) is None
    assert ROUTER.problem(PRIMARY, there, [INGRESS]) is None
    assert [each["kind"] for each in live(there, 20)] == ["HTTPRoute"]


def test_where_nobody_serves_anything_the_reason_is_said() -> None:
    said = ROUTER.unserved(around(http=UNACCEPTED, classes=(OTHERS,)))
    assert said
    assert said.startswith("Ingress web is served by the controller example.com/other")
    said = ROUTER.problem(PRIMARY, around(by_ingress=False, http=UNACCEPTED), ())
    assert said
    assert said.startswith("HTTPRoute web is accepted by no Gateway")


def test_what_one_of_them_cannot_do_is_refused() -> None:
    said = ROUTER.unable(Strategy((50,), mirror=100), around(http=http_route()), PRIMARY)
    assert said
    assert said.startswith("canary annotations cannot do what spec.analysis.mirror asks for")
    assert ROUTER.unable(Strategy((50,)), around(http=http_route()), PRIMARY) is None


def found(wanted: Wanted = Wanted(), *routes: Object, needs_routes: bool = True) -> Surroundings:  # noqa: B008
    http = routes or (http_route(),)
    return discover(PRIMARY, [service()], [INGRESS], http_routes=http, wanted=wanted, needs_routes=needs_routes)


@pytest.mark.parametrize(
    ("wanted", "kinds"),
    [
        (Wanted(), ["Ingress", "HTTPRoute"]),
        (Wanted(provider="nginx"), ["Ingress"]),
        (Wanted(provider="gatewayapi:v1"), ["HTTPRoute"]),
        (Wanted(provider="kubernetes"), []),
        (Wanted(ingress="web"), ["Ingress"]),
        (Wanted(http_route="web"), ["HTTPRoute"]),
        (Wanted(ingress="web", http_route="web"), ["Ingress", "HTTPRoute"]),
    ],
)
def test_a_canary_says_which_routes_it_means_or_all_are_found(wanted: Wanted, kinds: list[str]) -> None:
    there = found(wanted)
    assert [kind for kind in ("Ingress", "HTTPRoute") if there.of(kind)] == kinds


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        (Wanted(http_route="gone"), "HTTPRoute gone does not exist: create it, or correct spec.routeRef.name"),
        (Wanted(http_route="db"), "HTTPRoute db has no backend that is Service web"),
        (Wanted(provider="gatewayapi:v1"), "no HTTPRoute sends requests to Service web"),
    ],
)
def test_a_route_that_is_not_there_is_a_problem(wanted: Wanted, problem: str) -> None:
    there = found(wanted, http_route("db", rule(backend("db"))))
    assert there.problem
    assert there.problem.startswith(problem)
    if wanted.provider:
        assert found(wanted, http_route("db", rule(backend("db"))), needs_routes=False).problem is None


def test_an_http_route_of_somebody_else_where_ours_would_be_is_not_touched() -> None:
    there = found(Wanted(), http_route(), http_route("web-canary", rule(backend("db"))))
    assert there.problem
    assert there.problem.startswith("HTTPRoute web-canary is not Detour's")


def test_a_route_of_our_own_is_none_of_the_users() -> None:
    ours = http_route("web-canary", rule(backend("web-canary")))
    ours["metadata"]["labels"] = {"detour.dev/canary-of": "web"}
    assert [each["metadata"]["name"] for each in found(Wanted(), http_route(), ours).http_routes] == ["web"]


def test_what_is_in_flight_still_leads_to_the_primary() -> None:
    (_, shared) = live(around(http=http_route()), 100)
    assert found(Wanted(), {**http_route(), "spec": {**http_route()["spec"], **shared["spec"]}}).http_routes


def test_surroundings_are_of_a_kind() -> None:
    assert replace(around(), http_routes=(http_route(),)).of("Ingress") == (INGRESS,)

"""The router for HTTPRoutes: which objects it wants, what it reads from those that are there, and what it refuses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.discovery import Surroundings
from analyzer.routing import Router
from analyzer.routing.gateway import Gateway
from analyzer.routing.mark import SPLIT
from analyzer.strategy import Strategy
from analyzer.traffic import Affinity, Header, How, Match, Traffic
from tests.analyzer.objects import deployment, labelled, service
from tests.analyzer.routes import backend, http_route, rule

Object = dict[str, Any]

ROUTER: Router = Gateway()
PRIMARY = labelled(deployment(), detour__revision="5f3a")
INSIDER = Match((Header("x-user", How.EXACT, "insider"),))
STICKY = Affinity("side", "stay")
GATEWAY = {"metadata": {"name": "public", "namespace": "infra"}, "spec": {"gatewayClassName": "traefik"}}


def gateway_class(*features: str) -> Object:
    supported = [{"name": feature} for feature in features]
    return {"metadata": {"name": "traefik"}, "status": {"supportedFeatures": supported}}


def around(*routes: Object, features: tuple[str, ...] = ()) -> Surroundings:
    return Surroundings(
        services=(service(),), http_routes=routes, gateways=(GATEWAY,), gateway_classes=(gateway_class(*features),)
    )


def wanted(traffic: Traffic, route: Object | None = None) -> list[Object]:
    return list(ROUTER.objects(PRIMARY, around(route or http_route()), traffic))


def live(traffic: Traffic) -> list[Object]:
    """As they would be in the cluster."""
    return [{**http_route()["metadata"], **each} for each in wanted(traffic)]


def refused(route: Object) -> Object:
    condition = {"type": "Accepted", "status": "False", "reason": "NoMatchingParent"}
    return {**route, "status": {"parents": [{"parentRef": {"name": "public"}, "conditions": [condition]}]}}


def test_without_a_share_the_users_rules_are_as_he_wrote_them_and_the_route_is_marked() -> None:
    (only,) = wanted(Traffic())
    assert only["spec"]["rules"] == [rule()]
    assert only["metadata"]["annotations"] == {SPLIT: '{"canaries":{"web":{"web":"web-canary"}}}'}
    assert "labels" not in only["metadata"], "it is the user's, and none of ours"


def test_a_weight_is_put_into_the_users_route_and_into_no_other() -> None:
    (only,) = wanted(Traffic(20))
    assert [(ref["name"], ref["weight"]) for ref in only["spec"]["rules"][0]["backendRefs"]] == [
        ("web", 80),
        ("web-canary", 20),
    ]


def test_what_goes_by_headers_is_said_in_a_route_of_our_own() -> None:
    users, own = wanted(Traffic(0, (INSIDER,)))
    assert users["spec"]["rules"] == [rule()]
    assert own["metadata"]["name"] == "web-canary"
    assert own["metadata"]["labels"] == {"detour.dev/canary-of": "web"}
    assert own["metadata"]["ownerReferences"][0]["name"] == "web"
    assert (own["spec"]["parentRefs"], own["spec"]["hostnames"]) == (
        http_route()["spec"]["parentRefs"],
        ["a.example"],
    )
    (only,) = own["spec"]["rules"]
    assert only["backendRefs"] == [backend("web-canary")]


def test_headers_and_a_weight_go_together() -> None:
    users, own = wanted(Traffic(20, (INSIDER,)))
    assert users["spec"]["rules"][0]["backendRefs"][1]["weight"] == 20
    assert len(own["spec"]["rules"]) == 1


def test_clients_stay_on_their_side_by_cookies_of_the_revision() -> None:
    users, own = wanted(Traffic(20, affinity=STICKY))
    to_canary, to_primary = own["spec"]["rules"]
    assert to_canary["backendRefs"][0]["name"] == "web-canary"
    assert "side=detour\\-5f3a" in to_canary["matches"][0]["headers"][0]["value"]
    assert to_primary["backendRefs"][0]["name"] == "web"
    assert "stay=detour\\-5f3a\\-20" in to_primary["matches"][0]["headers"][0]["value"]
    primary, canary = users["spec"]["rules"][0]["backendRefs"]
    assert primary["filters"] == to_primary["backendRefs"][0]["filters"]
    assert canary["filters"] == to_canary["backendRefs"][0]["filters"]


def test_copies_are_made_by_a_filter_in_the_users_route() -> None:
    (only,) = wanted(Traffic(mirror=100))
    assert only["spec"]["rules"][0]["filters"][0]["type"] == "RequestMirror"
    assert only["spec"]["rules"][0]["backendRefs"] == [backend(weight=100), backend("web-canary", 0)]


@given(st.integers(0, 100))
def test_the_weight_that_was_written_is_the_weight_that_is_read(weight: int) -> None:
    assert ROUTER.weight_of(live(Traffic(weight)), "web") == weight


def test_what_goes_by_headers_alone_counts_as_everything() -> None:
    assert ROUTER.weight_of(live(Traffic(0, (INSIDER,))), "web") == 100
    assert ROUTER.weight_of(live(Traffic(20, (INSIDER,))), "web") == 20


def test_routes_that_disagree_have_no_weight_and_unmarked_ones_neither() -> None:
    assert ROUTER.weight_of([*live(Traffic(5)), *live(Traffic(10))], "web") is None
    assert ROUTER.weight_of([http_route()], "web") is None
    assert ROUTER.weight_of(live(Traffic(5)), "other") is None


def test_a_route_that_no_gateway_takes_is_not_split_and_says_why() -> None:
    problem = ROUTER.unserved(around(refused(http_route())))
    assert problem
    assert problem.startswith("HTTPRoute web is accepted by no Gateway (NoMatchingParent)")
    assert ROUTER.unserved(around(refused(http_route()), http_route("other"))) is None
    assert ROUTER.unserved(around()) is None


@pytest.mark.parametrize(
    ("strategy", "features", "problem"),
    [
        (Strategy((50,), mirror=100), (), "GatewayClass traefik does not support HTTPRouteRequestMirror"),
        (Strategy((50,), mirror=100), ("HTTPRouteRequestMirror",), ""),
        (Strategy((50,), mirror=5), ("HTTPRouteRequestMirror",), "HTTPRouteRequestPercentageMirror"),
        (Strategy((50,), affinity=STICKY), (), "does not support HTTPRouteResponseHeaderModification"),
        (Strategy((50,), affinity=STICKY), ("HTTPRouteResponseHeaderModification",), ""),
        (Strategy((50,), matches=(INSIDER,)), (), ""),
    ],
)
def test_what_a_gateway_does_not_say_to_support_is_refused_by_its_name(
    strategy: Strategy, features: tuple[str, ...], problem: str
) -> None:
    said = ROUTER.unable(strategy, around(http_route(), features=features), PRIMARY) or ""
    assert problem in said
    assert bool(problem) == bool(said)


def test_a_parent_that_is_not_known_supports_nothing_beyond_the_core() -> None:
    unknown = Surroundings(services=(service(),), http_routes=(http_route(),))
    assert ROUTER.unable(Strategy((50,)), unknown, PRIMARY) is None
    said = ROUTER.unable(Strategy((50,), mirror=100), unknown, PRIMARY)
    assert said
    assert "its parent public does not support" in said


def test_a_header_that_the_route_looks_at_itself_is_refused() -> None:
    tenant = rule()
    tenant["matches"][0]["headers"] = [{"name": "x-user", "value": "a"}]
    said = ROUTER.unable(Strategy((50,), matches=(INSIDER,)), around(http_route("web", tenant)), PRIMARY)
    assert said
    assert said.startswith("HTTPRoute web matches header x-user already")


@pytest.mark.parametrize(
    ("weight", "said"),
    [(0, "gives the primary's Service a weight of 0"), (20_000, "has weights above 10000"), (10_000, "")],
)
def test_weights_of_which_there_is_no_percentage_are_refused(weight: int, said: str) -> None:
    problem = ROUTER.problem(PRIMARY, around(http_route("web", rule(backend(weight=weight)))), ()) or ""
    assert said in problem
    assert bool(said) == bool(problem)

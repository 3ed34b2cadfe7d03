"""Flagger's suites for the Gateway API (test/gatewayapi), by Traefik: an HTTPRoute of the user's own is split."""

from tests.cluster.kubectl import Object
from tests.scenarios.flagger_strategies import ACCEPTANCE, CANARY, OTHERS
from tests.scenarios.scenario import Crowd, scenario
from tests.scenarios.shopfront import HTTP_ROUTE, UNDER_A_BAD_LOAD, metric
from tests.scenarios.stage import Stage
from tests.scenarios.visitor import Visitor, versions
from tests.scenarios.wire import by_weight

STEPS: Object = {"interval": "4s", "threshold": 2, "stepWeight": 10, "maxWeight": 50}
METRICS = [metric("podinfo-success-rate", min=99), metric("latency", max=0.5)]
ITERATIONS: Object = {"interval": "4s", "threshold": 2, "iterations": 3, "metrics": METRICS}
BUILT_IN = [metric("request-success-rate", min=99), metric("request-duration", max=2000)]
INSIDERS = Crowd("insiders", by_weight, {"x-canary": "insider"})
COOKIES = {"cookieName": "canary-flagger-cookie", "primaryCookieName": "primary-flagger-cookie"}
VISITORS = 50  # of so few that a tenth of them is nobody in one of two hundred times


@scenario(
    "Flagger gatewayapi/test-canary.sh, traefik/test-canary.sh",
    (10, 20, 30, 40, 50),
    route=HTTP_ROUTE,
    load="/",
    analysis={**STEPS, "metrics": BUILT_IN},
)
def gateway_canary(stage: Stage) -> None:
    """6.0.1 by steps of 10 % to 50 %, judged by the built-in metrics: promoted. At the end the route is as its user
    wrote it."""
    before = stage.shop.get("httproute", "podinfo")["spec"]
    stage.update()
    stage.succeeds("6.0.1")
    assert stage.shop.get("httproute", "podinfo")["spec"] == before


@scenario(
    "Flagger gatewayapi/test-canary.sh: rolled back",
    None,
    route=HTTP_ROUTE,
    load="/status/500",
    analysis={**STEPS, "interval": UNDER_A_BAD_LOAD, "metrics": BUILT_IN},
)
def gateway_rollback(stage: Stage) -> None:
    """A load test that is answered by 500: rejected, and the route is as its user wrote it."""
    before = stage.shop.get("httproute", "podinfo")["spec"]
    stage.update("6.0.2")
    stage.fails("6.0.0", "success rate")
    assert stage.shop.get("httproute", "podinfo")["spec"] == before


@scenario(
    "Flagger gatewayapi/test-bg.sh",
    (100,),
    route=HTTP_ROUTE,
    load=f"{CANARY}/api/info",
    analysis={**ITERATIONS, "webhooks": [ACCEPTANCE]},
)
def gateway_blue_green(stage: Stage) -> None:
    """The acceptance test and the iterations, then all the traffic at once: promoted."""
    stage.update()
    stage.succeeds("6.0.1")


@scenario(
    "Flagger gatewayapi/test-ab.sh",
    (100,),
    (OTHERS, INSIDERS),
    route=HTTP_ROUTE,
    analysis={**ITERATIONS, "match": [{"headers": {"x-canary": {"exact": "insider"}}}]},
)
def gateway_ab(stage: Stage) -> None:
    """Iterations for whoever sends x-canary: insider: promoted."""
    before = stage.shop.get("httproute", "podinfo")["spec"]
    stage.update()
    stage.succeeds("6.0.1")
    assert stage.shop.get("httproute", "podinfo")["spec"] == before


@scenario(
    "Flagger gatewayapi and istio/test-session-affinity.sh",
    (10, 20, 30, 40, 50),
    route=HTTP_ROUTE,
    analysis={**STEPS, "interval": "10s", "metrics": METRICS, "sessionAffinity": COOKIES},
)
def gateway_session_affinity(stage: Stage) -> None:
    """Whoever has met the canary goes on meeting it, at every weight; whoever has met the primary goes on meeting that
    until the next weight; whoever has no cookie is shared by the weight. Promoted, and no old cookie leads astray."""
    visitors = [Visitor(stage.shop.host) for _ in range(VISITORS)]
    stage.update("6.1.0")
    stage.until_weight(10)
    stage.lasts(2.0)
    met = versions(visitors)
    assert set(met) == {"6.0.0", "6.1.0"}, f"both are met: {met}"
    assert versions(visitors) == met, "within a step everybody goes on meeting what he met first"
    stage.until_weight(40)
    of_the_canary = [visitor for visitor, version in zip(visitors, met, strict=True) if version == "6.1.0"]
    for _ in range(5):
        assert set(versions(of_the_canary)) == {"6.1.0"}, "whoever has met the canary goes on meeting it"
    stage.succeeds("6.1.0")
    assert set(versions(visitors)) == {"6.1.0"}
    stage.note(f"{len(of_the_canary)} of {VISITORS} visitors met the canary at 10 %, and stayed with it")


@scenario(
    "Flagger gatewayapi: user's own filters (#1857, #1888)",
    (20, 40),
    route=HTTP_ROUTE,
    analysis={**STEPS, "stepWeight": 20, "maxWeight": 40},
)
def gateway_route_edited_in_mid_rollout(stage: Stage) -> None:
    """The user's route applied again at 20 %, with a header more for the application: his edit stays, and so does the
    weight; promoted."""
    shop = stage.shop
    stage.update()
    stage.until_weight(20)
    edited = shop.ingress()
    added = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-mine", "value": "1"}]}}
    edited["spec"]["rules"][0]["filters"] = [added]
    shop.apply(edited)
    stage.succeeds("6.0.1")
    found = shop.get("httproute", "podinfo")["spec"]["rules"]
    assert [rule["filters"] for rule in found] == [[added]]
    assert [[ref["name"] for ref in rule["backendRefs"]] for rule in found] == [["podinfo"]]

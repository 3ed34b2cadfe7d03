"""Flagger's suites for A/B tests and Blue/Green, on the Ingress, and without any route."""

from tests.cluster.kubectl import Object, eventually
from tests.scenarios.scenario import USERS, Crowd, scenario
from tests.scenarios.shopfront import NAMESPACE, metric
from tests.scenarios.stage import Stage
from tests.scenarios.wire import by_weight, never, whole

OTHERS = Crowd("others", never)
INSIDERS = Crowd("insiders", by_weight, {"x-user": "insider"})
CHOSEN = Crowd("insiders", whole, {"x-user": "insider"})
TAGGED = Crowd("cookie always", by_weight, {"Cookie": "canary=always"})
ITERATIONS: Object = {"interval": "4s", "threshold": 2, "iterations": 3}
TO_INSIDERS = [{"headers": {"x-user": {"exact": "insider"}}}]
AB: Object = {**ITERATIONS, "match": TO_INSIDERS}
BY_30: Object = {"interval": "4s", "threshold": 2, "stepWeight": 30, "maxWeight": 60}
CANARY = f"http://podinfo-canary.{NAMESPACE}:9898"
ACCEPTANCE: Object = {"name": "acceptance-test", "type": "pre-rollout", "url": f"{CANARY}/token", "timeout": "5s"}
REFUSAL: Object = {**ACCEPTANCE, "url": f"{CANARY}/status/500"}


@scenario(
    "Flagger nginx/test-canary.sh: A/B; N4; Kruise A/B header",
    (100,),
    (OTHERS, INSIDERS),
    analysis={**AB, "metrics": [metric("request-success-rate", min=99), metric("latency", max=0.5)]},
)
def ab_by_header(stage: Stage) -> None:
    """Three iterations for whoever sends x-user: insider. All of theirs reach the canary, and nobody else's; promoted,
    for everybody."""
    stage.update("6.0.2")
    stage.until(lambda status: status.get("iterations", 0) >= 1, "the first iteration")
    stage.succeeds("6.0.2")


@scenario(
    "Flagger istio/test-canary.sh: A/B cookie; Kruise A/B cookies",
    (100,),
    (OTHERS, TAGGED),
    analysis={**ITERATIONS, "match": [{"headers": {"cookie": {"exact": "canary"}}}]},
)
def ab_by_cookie(stage: Stage) -> None:
    """Three iterations for whoever has the cookie: promoted."""
    stage.update()
    stage.succeeds("6.0.1")


@scenario(
    "Flagger #1514: header together with weight", (30, 60), (USERS, CHOSEN), analysis={**BY_30, "match": TO_INSIDERS}
)
def header_together_with_weight(stage: Stage) -> None:
    """Whoever sends x-user: insider meets the canary from its first weight on, everybody else by the weight."""
    stage.update()
    stage.succeeds("6.0.1")


@scenario("Flagger stepWeightPromotion; #635, #1542", (30, 60, 30), analysis={**BY_30, "stepWeightPromotion": 30})
def step_weight_promotion(stage: Stage) -> None:
    """Promoted at 60 %, the traffic goes back to the primary by steps of 30 %."""
    stage.update()
    stage.succeeds("6.0.1")


@scenario("Flagger contour, gloo: A/B; Kruise: rollback of A/B", (100,), (OTHERS, INSIDERS), analysis=AB)
def ab_rolled_back(stage: Stage) -> None:
    """A version that is bad for its insiders: rejected; they meet the old one again, and nobody else noticed."""
    stage.update()
    stage.until(lambda status: status.get("iterations", 0) >= 1, "the first iteration")
    stage.shop.judge("vector(0)")
    stage.fails("6.0.0", "failed checks threshold reached 2")


@scenario(
    "Flagger kubernetes/test-deployment.sh, istio/test-canary.sh: Blue/Green with acceptance",
    None,
    (OTHERS,),
    analysis={**ITERATIONS, "webhooks": [ACCEPTANCE]},
    spec={"provider": "kubernetes"},
)
def blue_green_without_routes(stage: Stage) -> None:
    """Without any route of Detour's: the acceptance test asks the canary's own Service, three iterations: promoted.
    Users meet the new version as they would in a rolling update, and never its canary."""
    shop = stage.shop
    annotations = {"kustomize.toolkit.fluxcd.io/checksum": "0a40893bfdc545d62125bd3e74eeb2ebaa7097c2"}
    shop.apply({**shop.deployment("6.0.1"), "metadata": {"name": "podinfo", "annotations": annotations}})
    eventually(lambda: shop.exists("service", "podinfo-canary"), "the canary has a Service", 30)
    stage.succeeds("6.0.1")
    assert annotations.items() <= shop.primary["metadata"]["annotations"].items()


@scenario(
    "Flagger gatewayapi/test-bg.sh; Argo and Kruise blue-green",
    (100,),
    load=f"{CANARY}/api/info",
    analysis={**ITERATIONS, "webhooks": [ACCEPTANCE], "metrics": [metric("latency", max=0.5)]},
)
def blue_green(stage: Stage) -> None:
    """The acceptance test, three iterations under a load test of the canary's own Service, then all the traffic at
    once, then promoted."""
    stage.update()
    stage.succeeds("6.0.1")


@scenario("the post: a suite that blocks", (), analysis={**ITERATIONS, "webhooks": [REFUSAL]})
def acceptance_refused(stage: Stage) -> None:
    """An acceptance test that the canary does not pass: rejected, and nobody has met it."""
    stage.update()
    stage.fails("6.0.0", "acceptance-test failed")

"""What Flagger's suites for other routers try and any router has: on the Ingress, which all of them can do."""

from tests.scenarios.scenario import scenario
from tests.scenarios.shopfront import STEPS, UNDER_A_BAD_LOAD, metric
from tests.scenarios.stage import Stage

WEIGHTS = (10, 20, 30, 40, 50, 60)


@scenario(
    "Flagger linkerd/test-steps.sh",
    WEIGHTS,
    analysis={"interval": "4s", "threshold": 2, "stepWeights": list(WEIGHTS), "metrics": [metric("latency", max=0.5)]},
)
def step_weights(stage: Stage) -> None:
    """Each weight of a list, one after the other: promoted."""
    stage.update()
    stage.succeeds("6.0.1")


@scenario(
    "Flagger traefik/test-canary.sh, linkerd/test-canary.sh",
    None,
    load="/",
    analysis={
        **STEPS,
        "interval": UNDER_A_BAD_LOAD,
        "maxWeight": 60,
        "metrics": [metric("request-success-rate", min=99), metric("request-duration", max=2000)],
    },
)
def promoted_then_rolled_back(stage: Stage) -> None:
    """6.0.1 to 60 %: promoted. Then 6.0.2 under a load test that is answered by 500: rejected."""
    stage.update()
    stage.succeeds("6.0.1")
    stage.shop.amend(webhooks=[stage.shop.load_test("/status/500")])
    stage.update("6.0.2")
    stage.fails("6.0.1", "success rate")


@scenario("Flagger istio/test-skip-analysis.sh", None, spec={"skipAnalysis": True, "progressDeadlineSeconds": 12})
def skip_analysis(stage: Stage) -> None:
    """Without an analysis a version is promoted as soon as its pods are ready, and one whose image does not exist is
    not: rejected at its deadline, and nobody has met it."""
    stage.update()
    stage.succeeds("6.0.1")
    stage.update("9.9.9")
    stage.fails("6.0.1", "has no image")


@scenario(
    "Flagger istio/test-canary.sh: revertOnDeletion",
    (20,),
    spec={"revertOnDeletion": True},
    analysis={**STEPS, "interval": "10s"},
)
def revert_on_deletion(stage: Stage) -> None:
    """The Canary deleted in mid-rollout: the Deployment serves on as it did, with as many pods, and so does its
    Service; nothing of the canary is left."""
    shop = stage.shop
    before = shop.primary["spec"], shop.get("service", "podinfo")["spec"]
    stage.update()
    stage.until_weight(20)
    stage.lasts(4.0)
    shop("delete", "canary", "podinfo", "--wait=false")
    shop.until_gone()
    assert (shop.primary["spec"], shop.get("service", "podinfo")["spec"]) == before
    assert not shop.exists("canary", "podinfo")

"""Flagger's gates in its suites: approval before, in the middle of, and at the end of a rollout; and hooks after it."""

from tests.cluster.kubectl import Object
from tests.scenarios.scenario import scenario
from tests.scenarios.stage import Stage

STEPS: Object = {"interval": "4s", "threshold": 2, "stepWeight": 20, "maxWeight": 40}
WAITS = 6.0  # seconds: longer than the interval


def by_hand(*kinds: str) -> Object:
    """Gates without an address: a person answers them."""
    return {**STEPS, "webhooks": [{"name": kind, "type": kind} for kind in kinds]}


@scenario(
    "Flagger traefik/test-canary.sh: gate; istio/test-canary.sh: confirm-promotion",
    (20, 40),
    analysis=by_hand("confirm-rollout", "confirm-traffic-increase", "confirm-promotion"),
)
def approved_by_hand(stage: Stage) -> None:
    """It waits before it begins, at every weight, and at the last for the promotion, until a person approves: users
    meet exactly what was approved; promoted."""
    stage.update()
    stage.until_phase("Waiting")
    stage.stands(WAITS, "nobody has approved the rollout")
    _approves(stage)
    for weight in (20, 40):
        stage.until(lambda status: "traffic" in str(status.get("gate")), "it waits for a person")
        _approves(stage)
        stage.until_weight(weight)
    stage.until_phase("WaitingPromotion")
    stage.stands(WAITS, "nobody has approved the promotion")
    assert stage.shop.live_image == "6.0.0"
    _approves(stage)
    stage.succeeds("6.0.1")


@scenario("Flagger: rollback in the Waiting phases (#1432); #1344", (20, 40), analysis=by_hand("confirm-promotion"))
def aborted_while_it_waits(stage: Stage) -> None:
    """It waits for its promotion at the last weight, and a person says no: the traffic goes back."""
    stage.update()
    stage.until_phase("WaitingPromotion")
    stage.stands(WAITS, "nobody has approved the promotion")
    assert stage.person("abort", "podinfo").code == 0
    stage.ends("Failed", "6.0.0", "aborted")


def _approves(stage: Stage) -> None:
    said = stage.person("approve", "podinfo")
    assert said.code == 0, said.err

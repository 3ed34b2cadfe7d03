"""Flagger's suite for nginx (test/nginx): its metrics, its load test, its steps, and users, which it does not have."""

from tests.cluster.kubectl import Object
from tests.scenarios.scenario import scenario
from tests.scenarios.shopfront import LOAD_SECONDS, STEPS, UNDER_A_BAD_LOAD, metric
from tests.scenarios.stage import Stage

SUCCESS = metric("request-success-rate", min=99)
LATENCY = metric("latency", max=0.5)
REMAINS = 12.0  # seconds that nothing must happen in, longer than the interval


@scenario("Flagger nginx/test-canary.sh; N2, N3", (20, 40), load="/", analysis={**STEPS, "metrics": [SUCCESS, LATENCY]})
def nginx_canary(stage: Stage) -> None:
    """6.0.1 by steps of 20 % to 40 %, judged by a built-in metric and one of a template, with a load test: promoted.
    The user's Ingress, applied again in mid-rollout and after it, is taken as it is, and was never touched."""
    before = _ingress(stage)
    stage.update()
    stage.until_weight(20)
    stage.shop.apply(stage.shop.ingress())
    stage.succeeds("6.0.1")
    stage.shop.apply(stage.shop.ingress())
    assert _ingress(stage) == before


@scenario(
    "Flagger nginx/test-lifecycle.sh; N5, N6, N7",
    None,
    load="/status/500",
    analysis={**STEPS, "interval": UNDER_A_BAD_LOAD, "metrics": [SUCCESS]},
)
def nginx_lifecycle(stage: Stage) -> None:
    """A load test that is answered by 500: rejected. The old image again: no run, the same pods, still Failed. The
    rejected image again: no run, and a warning that names `detour retry`, which runs it: rejected again. With a load
    test that is answered well, another pod template: promoted."""
    shop = stage.shop
    pods = _pods(stage, "6.0.0")
    stage.update()
    stage.fails("6.0.0", "failed checks threshold reached 2: success rate")
    shop.set_image("6.0.0")
    stage.stands(REMAINS, "the old image is no new version")
    assert _pods(stage, "6.0.0") == pods
    [warning] = stage.update().warnings
    assert "detour retry" in warning, warning
    stage.stands(REMAINS, "a rejected version does not run by itself")
    assert stage.person("retry", "podinfo").code == 0
    stage.until_phase("Progressing")
    stage.fails("6.0.0", "failed checks threshold reached 2: success rate")
    stage.lasts(LOAD_SECONDS)  # the bad load test is over
    shop.amend(webhooks=[shop.load_test("/")])
    changed = shop.deployment("6.0.1")
    changed["spec"]["template"]["metadata"]["annotations"] = {"example.com/try": "again"}
    shop.apply(changed)
    stage.succeeds("6.0.1")


def _ingress(stage: Stage) -> Object:
    """What the user has written, and how often it has changed."""
    found = stage.shop.get("ingress", "podinfo")
    return {"spec": found["spec"], "generation": found["metadata"]["generation"]}


def _pods(stage: Stage, version: str) -> set[str]:
    return {pod["metadata"]["name"] for pod in stage.shop.pods_of(version)}

"""A real autoscaler: the cluster's HorizontalPodAutoscaler, by what metrics-server measures."""

import json
import time
from collections.abc import Iterator

from tests.cluster.kubectl import Object, eventually
from tests.scenarios.scenario import scenario
from tests.scenarios.stage import Stage

MOSTLY: Object = {"interval": "10s", "threshold": 2, "stepWeights": [75]}
REPLICAS = 4
SCENE = 480.0  # seconds
MOST = 1.5  # times what its pods did before: a third more than the tenth that an autoscaler tolerates by itself


def autoscaler(a_pod: int) -> Object:
    """One that gives every pod so many billionths of a processor to do, and scales down at once."""
    target = {"type": "AverageValue", "averageValue": f"{a_pod}n"}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "podinfo"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
            "minReplicas": 1,
            "maxReplicas": REPLICAS,
            "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    }


@scenario("Flagger #381, #1600; N13", None, analysis=MOSTLY, replicas=REPLICAS)
def scaled_down_by_its_autoscaler(stage: Stage) -> None:
    """While the canary has 75 %, a HorizontalPodAutoscaler takes at least half of the primary's pods away. Promoted:
    the traffic comes back as the pods do, and none of them has much more to do than before."""
    shop = stage.shop
    stage.lasts(45)  # by now it is measured under traffic
    shop.apply(autoscaler(_use_of_a_pod(stage)))
    stage.lasts(35)
    assert shop.primary["spec"]["replicas"] == REPLICAS
    stage.update()
    stage.until_weight(75)
    shop.specify(suspend=True)
    eventually(lambda: shop.primary["spec"]["replicas"] <= REPLICAS / 2, "it is scaled down", 240)
    assert shop.get("deployment", "podinfo-canary")["spec"]["replicas"] == 3
    shop.specify(suspend=None)
    stage.until(lambda status: status.get("phase") == "Finalising", "it is promoted", 120)
    busiest, course = 0.0, list[tuple[int, int]]()
    for weight, serving in _way_back(stage):
        load = (100 - weight) / 100 * REPLICAS / max(serving, 1)
        busiest = max(busiest, load)
        if course[-1:] != [(weight, serving)]:
            course.append((weight, serving))
    stage.note(f"canary's weight and the primary's pods on the way back: {course}; at most {busiest:.2f} of the load")
    assert busiest <= MOST
    assert course[-1][1] >= REPLICAS - 1
    stage.succeeds("6.0.1")


def _use_of_a_pod(stage: Stage) -> int:
    """Billionths of a processor, on the average, as metrics-server has it (metrics.k8s.io, in units of n)."""
    path = f"/apis/metrics.k8s.io/v1beta1/namespaces/{stage.shop.namespace}/pods"
    pods = json.loads(stage.shop("get", "--raw", path).out)["items"]
    used = [int(container["usage"]["cpu"].removesuffix("n")) for pod in pods for container in pod["containers"]]
    assert len(used) == REPLICAS
    stage.note(f"a pod takes {sum(used) / REPLICAS / 1e6:.1f} thousandths of a processor with a fourth of the users")
    return sum(used) // REPLICAS


def _way_back(stage: Stage) -> Iterator[tuple[int, int]]:
    deadline = time.monotonic() + SCENE
    while time.monotonic() < deadline:
        status = stage.status() or {}
        yield int(status.get("canaryWeight", 0)), int(stage.shop.primary["status"].get("availableReplicas", 0))
        if not status.get("canaryWeight"):
            return
        time.sleep(1)
    raise AssertionError("the traffic is not back")

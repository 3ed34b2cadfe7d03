"""What Detour, or what it asks, is away in the middle of a rollout: users meet what they met before."""

from tests.cluster.home import kill_leader
from tests.cluster.kubectl import Object, eventually, get
from tests.cluster.unanswered import down
from tests.scenarios.scenario import scenario
from tests.scenarios.stage import Stage

STEPS: Object = {"interval": "6s", "threshold": 1, "stepWeight": 20, "maxWeight": 60}
HERE = "prometheus"
AWAY = 12.0  # seconds, twice the interval


@scenario("N11", (20, 40, 60), analysis=STEPS)
def prometheus_down(stage: Stage) -> None:
    """The provider gone at 20 %: it stays there, and no failed check is counted, whose threshold is 1; back again, it
    goes on: promoted."""
    shop = stage.shop
    shop.apply(*_way_to_prometheus(f"http://{HERE}.{shop.namespace}:9090", stage))
    stage.update()
    stage.until_weight(20)
    shop("delete", "endpointslice", HERE)
    stage.until(lambda status: "refused" in " ".join(status.get("verdict", ())), "it says that it cannot ask")
    stage.stands(AWAY, "nobody can be asked")
    assert not (stage.status() or {}).get("failedChecks")
    shop.apply(_endpoints())
    stage.succeeds("6.0.1")


@scenario("N12; Kruise: webhook down", (20, 40, 60), analysis=STEPS)
def webhook_down(stage: Stage) -> None:
    """Nobody answers for the webhook from 20 % on: another update is refused, scaling goes on, and so does the canary,
    up to the promotion, which waits; back again: promoted."""
    shop = stage.shop
    stage.update()
    stage.until_weight(20)
    with down(shop.namespace):
        eventually(
            lambda: shop("set", "image", "deployment/podinfo", "podinfo=x", check=False).code, "it is refused", 20
        )
        shop("scale", "deployment/podinfo", "--replicas=3")
        stage.until_phase("Promoting")
        stage.stands(AWAY, "the webhook is away")
        assert shop.live_image == "6.0.0"
    stage.succeeds("6.0.1")


@scenario("N10; Kruise and Argo: controller killed", (20, 40, 60), alone=True, analysis=STEPS)
def analyzer_killed(stage: Stage) -> None:
    """The analyzer that leads is killed at 40 %: the next goes on where it was; promoted."""
    stage.update()
    stage.until_weight(40)
    kill_leader()
    stage.succeeds("6.0.1")


def _way_to_prometheus(address: str, stage: Stage) -> tuple[Object, ...]:
    """A Service of the namespace's own that leads to the Prometheus of the sandbox, and a template that asks there."""
    template = stage.shop.template()
    template["spec"]["provider"]["address"] = address
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": HERE}, "spec": {"ports": [{"port": 9090}]}}
    return service, _endpoints(), template


def _endpoints() -> Object:
    [pod, *_] = get("-n", "monitoring", "pods", "-l", "app=prometheus")["items"]
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": HERE, "labels": {"kubernetes.io/service-name": HERE}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [pod["status"]["podIP"]]}],
        "ports": [{"port": 9090}],
    }

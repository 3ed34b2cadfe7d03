"""What users and their tools do around a rollout, and Flagger's own suites never try: adoption, GitOps, settings."""

import time

from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.kustomized import lose_a_pod
from tests.cluster.policies import policies
from tests.scenarios.scenario import scenario
from tests.scenarios.stage import Stage
from webhook import stash

TWO_STEPS: Object = {"interval": "4s", "threshold": 2, "stepWeights": [20, 60]}
EVERY = 1.0  # seconds
FLUX = ("--server-side", "--field-manager=kustomize-controller", "--force-conflicts")


@scenario("N1", (), adopted=False)
def adoption(stage: Stage) -> None:
    """A Canary for an application that is in use: its Deployment, its pods and its Ingress stay as they are."""
    shop = stage.shop
    before = shop.primary["spec"], _names(stage), shop.get("ingress", "podinfo")["spec"]
    shop.adopt()
    stage.until_phase("Initialized")
    stage.stands(4.0, "it is only guarded")
    assert (shop.primary["spec"], _names(stage), shop.get("ingress", "podinfo")["spec"]) == before
    shop("delete", "canary", "podinfo")
    stage.lasts(4.0)
    assert (shop.primary["spec"], _names(stage), shop.get("ingress", "podinfo")["spec"]) == before


@scenario("N14", (20, 60), analysis=TWO_STEPS)
def applied_every_second_by_kubectl(stage: Stage) -> None:
    """The manifest of the new version applied each second, through the whole rollout: one analysis, promoted."""
    _applied_again_and_again(stage, ())


@scenario("N14", (20, 60), analysis=TWO_STEPS)
def applied_every_second_by_flux(stage: Stage) -> None:
    """As above, on the server's side and as Flux does it."""
    stage.shop.apply(stage.shop.deployment("6.0.0"), arguments=FLUX)
    _applied_again_and_again(stage, FLUX)


@scenario("N16", (20, 60, 20, 60), analysis={**TWO_STEPS, "interval": "10s"})
def settings_with_the_version(stage: Stage) -> None:
    """A ConfigMap that comes with the version, under a name with its hash, and the old one pruned in mid-rollout: a new
    pod of the primary starts all the same, with what it had; promoted, and the old one goes."""
    shop = stage.shop
    shop.apply(_settings("6.0.0"), _configured(stage, "6.0.0"))
    stage.succeeds("6.0.0")
    shop.apply(_settings("6.0.1"), _configured(stage, "6.0.1"))
    stage.until_weight(20)
    shop("delete", "configmap", "settings-6.0.0", "--wait=false")
    lose_a_pod(shop)
    stage.succeeds("6.0.1")
    eventually(lambda: not shop.exists("configmap", "settings-6.0.0"), "the old settings are gone", 20)


@scenario("Kruise: policy label removed; delete rollout CR", (20,), adopted=False)
def policy_label_removed(stage: Stage) -> None:
    """A namespace under a policy, whose label is taken away at 20 %: the traffic goes, then the canary; the primary
    runs what it ran, and the next update is a plain one."""
    shop = stage.shop
    with policies() as write:
        kubectl(
            "label",
            "namespace",
            shop.namespace,
            f"{stash.POLICY}={write(stepWeights=[20, 60], interval='10s', metrics=[])}",
        )
        stage.update()
        stage.until_weight(20)
        stage.lasts(4.0)
        kubectl("label", "namespace", shop.namespace, f"{stash.POLICY}-")
        shop.until_gone()
        assert shop.live_image == "6.0.0"
        stage.update("6.0.2")
        assert shop.live_image == "6.0.2"
        shop("rollout", "status", "deployment/podinfo", "--timeout=60s")


def _applied_again_and_again(stage: Stage, how: tuple[str, ...]) -> None:
    shop, times = stage.shop, 0
    while (stage.status() or {}).get("phase") != "Succeeded" or shop.live_image != "6.0.1":
        shop.apply(shop.deployment("6.0.1"), arguments=how)
        times += 1
        assert times < 120, f"it does not end: {stage.status()}"
        time.sleep(EVERY)
    generation = shop.primary["metadata"]["generation"]
    for _ in range(4):
        shop.apply(shop.deployment("6.0.1"), arguments=how)
    assert shop.primary["metadata"]["generation"] == generation
    assert len((stage.status() or {})["history"]) == 1, "one analysis"
    stage.note(f"applied {times + 4} times")
    stage.succeeds("6.0.1")


def _settings(tag: str) -> Object:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"settings-{tag}"}, "data": {"color": tag}}


def _configured(stage: Stage, tag: str) -> Object:
    """A version that needs the settings of its own."""
    made = stage.shop.deployment(tag)
    [podinfo] = made["spec"]["template"]["spec"]["containers"]
    reference = {"configMapKeyRef": {"name": f"settings-{tag}", "key": "color"}}
    podinfo["env"].append({"name": "PODINFO_UI_COLOR", "valueFrom": reference})
    return made


def _names(stage: Stage) -> set[str]:
    return {pod["metadata"]["name"] for pod in stage.shop.get("pods")["items"]}

"""What the suites of Argo Rollouts and Kruise Rollouts try and applies here; theirs look at objects, these at users."""

from tests.cluster.kubectl import Object, eventually
from tests.scenarios.scenario import scenario
from tests.scenarios.stage import Stage

LIST: Object = {"interval": "4s", "threshold": 2, "stepWeights": [20, 60]}
SOON = {"progressDeadlineSeconds": 12}
UNREADY = ["./podinfo", "--port=9898", "--level=debug", "--unready"]
SLOW: Object = {**LIST, "interval": "10s"}
"""Where somebody does something at a weight, before the next: also on a busy machine."""
A_WHILE = 4.0  # seconds: enough to see a share


@scenario("Kruise: 20, 60 succeeded; Argo TestKubectlWaitForCompleted", (20, 60), analysis=LIST)
def twenty_sixty_succeeded(stage: Stage) -> None:
    """By 20 % and 60 %: promoted. Whoever waits for it by kubectl or by detour is told when it is."""
    stage.update()
    assert stage.person("wait", "podinfo", "--timeout=2m").code == 0
    stage.shop("wait", "canary/podinfo", "--for=condition=promoted", "--timeout=5s")
    stage.shop("rollout", "status", "deployment/podinfo", "--timeout=5s")
    stage.succeeds("6.0.1")


@scenario("Kruise: rollback at 20; N8; Argo TestCanaryScaleDownOnAbort", (20,), analysis=SLOW)
def rollback_at_20(stage: Stage) -> None:
    """A manifest, and the old one again at 20 %: the traffic goes first, then the canary; it is held against nobody."""
    stage.shop.apply(stage.shop.deployment("6.0.1"))
    stage.until_weight(20)
    stage.lasts(A_WHILE)
    stage.shop.apply(stage.shop.deployment("6.0.0"))
    stage.ends("Failed", "6.0.0", "taken back")
    assert stage.shop.waiting is None
    assert not (stage.status() or {}).get("rejected")


@scenario("Kruise: continuous v2 → v3; N9", (20, 20, 60), analysis=SLOW)
def continuous(stage: Stage) -> None:
    """Another version at 20 %: nobody meets it until it is ready; it begins from 0 %, and is the one promoted."""
    stage.update("6.0.1")
    stage.until_weight(20)
    stage.lasts(A_WHILE)
    stage.update("6.0.2")
    stage.until(lambda status: not status.get("canaryWeight"), "the traffic is away")
    stage.succeeds("6.0.2")
    assert "6.0.1" not in stage.shop.live_image


@scenario("Kruise: scale up 5 → 10, scale down 10 → 5; N13", (20, 60), analysis=SLOW, replicas=2)
def scaled_in_mid_rollout(stage: Stage) -> None:
    """Scaled from 2 to 5 at 20 %, as an autoscaler does it, and to 2 again at 60 %: the canary's size follows its
    weight and the primary's size; promoted."""
    shop = stage.shop
    stage.update()
    stage.until_weight(20)
    shop("scale", "deployment/podinfo", "--replicas=5")
    stage.until_weight(60)
    assert shop.get("deployment", "podinfo-canary")["spec"]["replicas"] == 3
    shop("scale", "deployment/podinfo", "--replicas=2")
    stage.succeeds("6.0.1")
    assert shop.primary["spec"]["replicas"] == 2


@scenario("Kruise: paused and resume; Argo TestKubectlWaitForPaused", (20, 60), analysis=SLOW)
def paused_and_resumed(stage: Stage) -> None:
    """Suspended at 20 % it stays there; resumed it goes on: promoted."""
    stage.update()
    stage.until_weight(20)
    stage.shop.specify(suspend=True)
    stage.stands(2.5 * A_WHILE, "it is suspended")
    stage.shop.specify(suspend=None)
    stage.succeeds("6.0.1")


@scenario("Kruise: v2 failed image, then v3 good", (20, 60), analysis=LIST)
def bad_image_then_good(stage: Stage) -> None:
    """An image that does not exist never gets a user; the good one after it is promoted."""
    stage.update("9.9.9")
    stage.until(lambda _: "has no image" in stage.message, "it says that there is no image", 60)
    stage.update("6.0.1")
    stage.succeeds("6.0.1")


@scenario("Argo TestCanaryProgressDeadlineExceeded", (), analysis=LIST, spec=SOON)
def never_ready(stage: Stage) -> None:
    """Pods that never become ready: rejected at the deadline, and nobody has met them."""
    stage.shop.apply(stage.shop.deployment("6.0.1", command=UNREADY))
    stage.fails("6.0.0", "readiness probe fails")


@scenario("Argo TestRolloutGoodToBad, BadToBad, BadToGood", (20, 20, 20, 20, 60), analysis={**SLOW, "threshold": 1})
def good_bad_bad_good(stage: Stage) -> None:
    """A good version at 20 %, a bad one in its place: rejected. Another bad one: rejected. A good one: promoted."""
    stage.update("6.0.1")
    stage.until_weight(20)
    stage.lasts(A_WHILE)
    for bad in ("6.0.2", "6.0.3"):
        stage.shop.judge("vector(1)")
        stage.update(bad)
        stage.until(lambda status: not status.get("canaryWeight"), "the traffic is away")
        stage.until_weight(20)
        stage.shop.judge("vector(0)")
        stage.fails("6.0.0", "failed checks threshold reached 1")
    stage.shop.judge("vector(1)")
    stage.update("6.1.0")
    stage.succeeds("6.1.0")


@scenario("Argo TestSpecAndReplicaChangeSameTime", (20, 60), analysis=LIST)
def spec_and_replicas_at_once(stage: Stage) -> None:
    """One manifest with another image and more replicas: more pods of the old version at once, and the new one as a
    canary beside them; promoted."""
    changed = stage.shop.deployment("6.0.1")
    changed["spec"]["replicas"] = 4
    stage.shop.apply(changed)
    eventually(lambda: len(stage.shop.pods_of("6.0.0")) == 4, "four pods of the old version", 30)
    stage.succeeds("6.0.1")
    assert stage.shop.primary["spec"]["replicas"] == 4


@scenario("Argo TestRolloutPodVolumesItemsSpec, ContainerResourceFormats", (20, 60), analysis=LIST)
def other_notations(stage: Stage) -> None:
    """Requests and volumes, promoted; then the same manifest with its quantities in other words, and defaults left out:
    the template is equal, so nothing runs."""
    shop = stage.shop
    shop.apply(_with_a_volume(shop.deployment("6.0.1", resources={"requests": {"cpu": "10m", "memory": "16Mi"}})))
    stage.succeeds("6.0.1")
    said = shop.apply(
        _with_a_volume(
            shop.deployment("6.0.1", resources={"requests": {"cpu": "0.01", "memory": "16384Ki"}}), mode=0o644
        )
    )
    assert not said.warnings, said.err
    stage.stands(2 * A_WHILE, "an equal template is no new version")


@scenario("Argo TestRolloutRestart, TestRolloutPDBRestart", (20, 60), analysis=SLOW)
def restarted_in_mid_rollout(stage: Stage) -> None:
    """`kubectl rollout restart` at 20 %, under a disruption budget: new pods of the proven version at once, the
    canary's revision is the same; promoted."""
    shop = stage.shop
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "podinfo"}}}
    shop.apply(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "podinfo"},
            "spec": budget,
        }
    )
    before = {pod["metadata"]["name"] for pod in shop.pods_of("6.0.0")}
    stage.update()
    stage.until_weight(20)
    shop("rollout", "restart", "deployment/podinfo")
    eventually(
        lambda: len(now := {pod["metadata"]["name"] for pod in shop.pods_of("6.0.0")}) >= 2 and not now & before,
        "new pods of the proven version",
        60,
    )
    stage.succeeds("6.0.1")


@scenario("Argo TestCanaryBackgroundInconclusiveAnalysis", (20, 60), analysis=SLOW)
def inconclusive_then_good(stage: Stage) -> None:
    """A measurement that says nothing halts the canary at its weight, and is no failed check; when there is a value it
    goes on: promoted."""
    stage.update()
    stage.until_weight(20)
    stage.shop.judge("vector(NaN)")
    stage.until(
        lambda status: "no values found" in " ".join(status.get("verdict", ())), "it says that it knows nothing"
    )
    stage.stands(2 * A_WHILE, "nothing is known")
    assert not (stage.status() or {}).get("failedChecks")
    stage.shop.judge("vector(1)")
    stage.succeeds("6.0.1")


@scenario("Argo rollback window; N6", (20, 60, 20), analysis=SLOW)
def rollback_inside_and_outside_the_window(stage: Stage) -> None:
    """After a promotion, `rollout undo`: what had served is back at once, without an analysis. A version that has never
    served takes its steps, and is aborted by hand."""
    shop = stage.shop
    stage.update("6.0.1")
    stage.succeeds("6.0.1")
    shop("rollout", "undo", "deployment/podinfo")
    assert shop.live_image == "6.0.0"
    shop("rollout", "status", "deployment/podinfo", "--timeout=60s")
    stage.update("6.0.2")
    assert (shop.live_image, shop.waiting is None) == ("6.0.0", False)
    stage.until_weight(20)
    stage.lasts(A_WHILE)
    assert stage.person("abort", "podinfo").code == 0
    stage.ends("Failed", "6.0.0", "aborted")


@scenario("Kruise: bypass with two active ReplicaSets", (20, 60), analysis=LIST)
def two_replica_sets_at_release(stage: Stage) -> None:
    """An update while the primary's own restart is under way: it waits until that has settled, then takes its steps."""
    stage.shop("rollout", "restart", "deployment/podinfo")
    stage.update()
    assert stage.shop.live_image == "6.0.0"
    stage.succeeds("6.0.1")


@scenario("Kruise: replace without annotations; Argo server-side dry run", (20, 60), analysis=SLOW)
def replaced_and_tried_dry(stage: Stage) -> None:
    """At 20 %, the manifest again by `kubectl replace`, which states no annotation, and others by a server-side dry
    run: what waits still waits, and nothing of the dry runs is kept; promoted."""
    shop = stage.shop
    stage.update()
    stage.until_weight(20)
    revision = (stage.status() or {})["revision"]
    shop("replace", "-f", "-", stdin=shop.manifest("6.0.1"))
    for tag in ("6.0.2", "6.0.0"):
        shop("apply", "--dry-run=server", "-f", "-", stdin=shop.manifest(tag))
    assert (stage.status() or {})["revision"] == revision
    stage.succeeds("6.0.1")


def _with_a_volume(deployment: Object, mode: int | None = None) -> Object:
    """A volume with items; Kubernetes fills in the mode that is left out."""
    fields = {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}
    volume = {"name": "info", "downwardAPI": fields | ({"defaultMode": mode} if mode else {})}
    deployment["spec"]["template"]["spec"]["volumes"] = [volume]
    return deployment

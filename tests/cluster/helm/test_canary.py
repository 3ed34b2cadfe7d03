"""A release during a canary, with either Helm: it is healthy at once, and stays so whatever becomes of the canary."""

from collections.abc import Callable

from tests.cluster.helm.release import ATOMIC, RELEASE, Helm, books, told
from tests.cluster.kubectl import eventually
from tests.cluster.person import Person
from tests.cluster.shop import CALM, QUICK, tag_of

BLUE = {"COLOR": "blue"}
KINDS = "deployments,replicasets,pods,services,ingresses,canaries,configmaps"
EVERYTHING = [KINDS, "--field-selector=metadata.name!=kube-root-ca.crt", "-o", "name"]

Released = Callable[..., Helm]


def test_an_upgrade_is_green_at_once_and_waits_as_a_canary(released: Released, version: int) -> None:
    helm = released(CALM)
    before = helm.shop.primary["spec"]["template"]
    said = helm.upgrade("--wait", ATOMIC[version], "--timeout=60s", tag="6.0.1", env=BLUE, replicas=3)
    assert "runs as a canary first" in told(said)[0]
    assert helm.history == ["superseded", "deployed"]
    primary = helm.shop.primary
    assert (primary["spec"]["template"], primary["spec"]["replicas"]) == (before, 3)
    helm.shop.until_weight(25)
    assert tag_of(helm.shop.get("deployment", "podinfo-canary")["spec"]["template"]) == "6.0.1"
    started = helm.shop.status["startTime"]
    assert "on its way as a canary already" in told(helm.upgrade("--wait", tag="6.0.1", env=BLUE, replicas=3))[0]
    assert helm.shop.status["startTime"] == started
    assert set(helm.shop.owners) == books(version)


def test_a_rollback_during_a_canary_cancels_it_and_helm_3_has_to_force_it(released: Released, version: int) -> None:
    helm = released(CALM)
    helm.upgrade("--wait", tag="6.0.1")
    helm.shop.until_weight(25)
    for _ in range(3):  # forced, Helm replaces the Canary as it read it, and the analyzer may have written since
        said = helm("rollback", RELEASE, "1", *(["--force"] if version == 3 else []), check=False)
        if "has been modified" not in said.err:
            break
    assert said.code == 0, said.err
    assert helm.shop.waiting is None
    helm.shop.until("Failed", 30)
    assert helm.shop.status["conditions"][0]["reason"] == "Cancelled"
    assert helm.shop.leftovers() == []
    assert (helm.shop.live_image, helm.history[0], helm.history[-1]) == ("6.0.0", "superseded", "deployed")


def test_an_uninstall_during_a_canary_leaves_nothing_and_what_is_installed_then_is_new(released: Released) -> None:
    helm = released(CALM, config="v1")
    helm.upgrade(tag="6.0.1", config="v2")
    helm.shop.until_weight(25)
    kept = helm.shop.get("configmap", "v1")  # Helm has deleted it in the same breath, and the primary needs it
    assert kept["metadata"].get("deletionTimestamp")
    helm("uninstall", RELEASE, "--wait", "--timeout=60s")
    eventually(lambda: not helm.shop("get", *EVERYTHING).out, "nothing is left", 30)
    assert told(helm.install(tag="6.0.1")) == []
    assert (helm.shop.live_image, helm.shop.waiting, helm.state) == ("6.0.1", None, "deployed")


def test_an_upgrade_is_promoted_and_a_rollback_then_goes_at_once(released: Released, version: int) -> None:
    helm = released(QUICK)
    helm.upgrade("--wait", tag="6.0.1")
    helm.shop.until("Succeeded")
    assert set(helm.shop.owners) == books(version)
    assert told(helm.upgrade(tag="6.0.1")) == []
    assert (helm.shop.live_image, helm.shop.waiting) == ("6.0.1", None)
    assert "back to proven revision" in told(helm.rollback(1, "--wait", "--timeout=60s"))[0]
    assert (helm.shop.live_image, helm.shop.waiting, helm.state) == ("6.0.0", None, "deployed")


def test_what_was_aborted_stays_out_and_the_release_goes_on_with_the_next(released: Released) -> None:
    helm = released(CALM)
    helm.upgrade(tag="6.0.1", env=BLUE)
    helm.shop.until_weight(25)
    assert Person(helm.shop)("abort", "podinfo").code == 0
    helm.shop.until("Failed", 30)
    assert "was rejected and stays out" in told(helm.upgrade(tag="6.0.1", env=BLUE))[0]
    assert "canary" in told(helm.upgrade(tag="6.0.2"))[0]
    assert (tag_of(helm.shop.desired), "env" in helm.shop.desired["spec"]["containers"][0]) == ("6.0.2", False)
    assert (helm.shop.live_image, helm.state) == ("6.0.0", "deployed")

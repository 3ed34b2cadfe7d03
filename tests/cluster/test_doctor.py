"""`detour doctor` on a real cluster, and Flagger in the same one."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.coexistence import TAKE
from sandbox import images
from tests.cluster.kubectl import KUBECONFIG, ROOT, Object, Said, eventually, kubectl
from tests.cluster.namespaces import namespace
from tests.cluster.person import SLOW, hire
from tests.cluster.shop import OpenShop, Shop
from webhook import stash


class Flagger:
    """A Deployment that says it is Flagger, for one namespace. Its container does nothing."""

    def __init__(self, home: str) -> None:
        self.home = home

    def runs(self, sees: str) -> None:
        """With the arguments of one that looks at the namespace `sees`."""
        labels = {"app.kubernetes.io/name": "flagger"}
        container = {"name": "flagger", "image": images.PAUSE, "args": [f"-namespace={sees}"]}
        pod = {"serviceAccountName": "default", "containers": [container], "terminationGracePeriodSeconds": 0}
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "flagger", "labels": labels},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }
        kubectl("-n", self.home, "apply", "-f", "-", stdin=json.dumps(body))

    def may_act_in(self, shop: Shop) -> None:
        """Rights like Flagger's, in that namespace."""
        shop("create", "role", "flagger", "--verb=update", "--resource=canaries.flagger.app/status")
        shop("create", "rolebinding", "flagger", "--role=flagger", f"--serviceaccount={self.home}:default")

    def ends(self) -> None:
        """Scaled away."""
        kubectl("-n", self.home, "scale", "deployment/flagger", "--replicas=0")


@pytest.fixture
def flagger() -> Iterator[Flagger]:
    """In a namespace of its own; it runs when it is told to."""
    with namespace("flagger") as home:
        yield Flagger(home)


def is_guarded(shop: Shop) -> bool:
    labels = shop.get("deployment", "podinfo")["metadata"]["labels"]
    return stash.POLICY in labels


def test_of_a_sandbox_with_detour_in_it_all_is_well() -> None:
    found = doctor()["checks"]
    steady = {
        "Kubernetes",
        "API",
        "definitions",
        "your rights",
        "analyzer's rights",
        "webhook",
        "leader",
        "certificates",
    }
    steady |= {"diversion", "ingress"}
    assert [each for each in found if each["check"] in steady and each["level"] != "ok"] == []
    assert {each["check"] for each in found} >= steady - {"definitions"}


def test_who_may_read_little_is_told_so_and_gets_the_rest(shop: Shop, tmp_path: Path) -> None:
    hire(shop, tmp_path, "guest")
    found = doctor(tmp_path / "guest")
    checks = {each["check"]: each for each in found["checks"]}
    assert checks["Kubernetes"]["level"] == "ok"
    assert "create clusterroles" in checks["your rights"]["found"]
    assert any("workloads" in each["found"] for each in found["checks"] if each["check"] == "reading")


def test_without_a_cluster_it_cannot_be_told(tmp_path: Path) -> None:
    config = json.loads(KUBECONFIG.read_text())
    config["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1"
    (tmp_path / "config").write_text(json.dumps(config))
    said = run(tmp_path / "config")
    assert said.code == 2
    assert "no answer from the API server" in said.err


def test_whoever_only_calls_himself_flagger_takes_nobodys_canary(shop: Shop, flagger: Flagger) -> None:
    flagger.runs(shop.namespace)
    said = f"{flagger.home}/flagger has Flagger's labels, and no right to Canaries"
    eventually(lambda: any(said in each["found"] for each in doctor()["checks"]), said, 20)
    shop.set_image("6.0.1")
    shop.until("Progressing", 20)


def test_a_canary_is_left_to_a_flagger_that_comes_and_taken_when_it_goes(open_shop: OpenShop, flagger: Flagger) -> None:
    shop = open_shop(analysis=SLOW)
    shop.set_image("6.0.1")
    shop.until_weight(25)
    flagger.may_act_in(shop)
    flagger.runs(shop.namespace)
    shop.until_gone(60)
    eventually(lambda: not is_guarded(shop), "its target is let go", 30)
    shop.tells("Detour has let go of podinfo")
    assert shop.live_image == "6.0.0"
    flagger.ends()
    shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
    eventually(lambda: is_guarded(shop), "its target is guarded again", 30)


def test_beside_flagger_a_canary_is_detours_once_it_is_suspended_and_marked(shop: Shop, flagger: Flagger) -> None:
    flagger.may_act_in(shop)
    flagger.runs(shop.namespace)
    eventually(lambda: not is_guarded(shop), "it is left to Flagger", 30)
    shop("label", "canary", "podinfo", f"{TAKE}=true")
    shop.tells("set spec.suspend: true", "Canary")
    assert not is_guarded(shop)
    shop("patch", "canary", "podinfo", "--type=merge", "-p", '{"spec":{"suspend":true}}')
    eventually(lambda: is_guarded(shop), "it is Detour's", 30)
    shop.set_image("6.0.1")
    shop.until("Progressing", 20)
    found = [each["found"] for each in doctor()["checks"] if each["check"] == "Flagger"]
    assert any(f"1 Detour's: {shop.namespace}/podinfo" in each for each in found), found


def test_the_canary_of_a_policy_is_made_such_that_flagger_leaves_it(open_shop: OpenShop, flagger: Flagger) -> None:
    shop = open_shop(policy="default")
    flagger.may_act_in(shop)
    flagger.runs(shop.namespace)
    shop.set_image("6.0.1")
    shop.until("Progressing", 30)

    def is_left() -> bool:
        canary = shop.get("canary", "podinfo")
        return canary["metadata"]["labels"].get(TAKE) == "true" and canary["spec"].get("suspend") is True

    eventually(is_left, "it is marked and suspended", 30)
    shop.until_weight(10)


def test_what_a_policy_holds_beside_a_canary_of_flaggers_is_told_what_it_waits_for(
    shop: Shop, flagger: Flagger
) -> None:
    flagger.may_act_in(shop)
    flagger.runs(shop.namespace)
    eventually(lambda: not is_guarded(shop), "it is left to Flagger", 30)
    kubectl("label", "namespace", shop.namespace, f"{stash.POLICY}=default")
    shop.set_image("6.0.1")
    shop.tells("Canary podinfo is left to Flagger: label the Deployment detour.dev/policy=none")


def run(kubeconfig: Path, *options: str) -> Said:
    """The command, as somebody types it."""
    command = [sys.executable, "-m", "detour", "doctor", "--kubeconfig", str(kubeconfig), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    return Said(done.stdout, done.stderr, done.returncode)


def doctor(kubeconfig: Path = KUBECONFIG) -> Object:
    """What it says, for programs."""
    answer: Object = json.loads(run(kubeconfig, "-o", "json").out)
    return answer

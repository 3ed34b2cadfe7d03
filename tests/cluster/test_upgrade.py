"""Detour is brought up to date, or its node drained: rollouts go on where they were, and nobody is refused.

With `-s` the tests print what they have measured."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.admissions import admissions
from tests.cluster.installing import MANIFESTS, install
from tests.cluster.kubectl import Object, Said, eventually, get, kubectl
from tests.cluster.person import Person
from tests.cluster.reigns import HOME, reigns, replicas
from tests.cluster.shop import IMAGE, QUICK, OpenShop, Shop
from tests.cluster.users import Users

pytestmark = pytest.mark.alone

MOST_COMMANDS = 400
SLOW = {"interval": "5m", "metrics": []}


Upgrade = Callable[[str], None]


@pytest.fixture
def upgrade(tmp_path: Path) -> Iterator[Upgrade]:
    """`kubectl apply -k` of an overlay that changes Detour's pod; at the end it is installed as it was."""

    def apply(build: str) -> None:
        note = {"op": "add", "path": "/spec/template/metadata/annotations", "value": {"example.com/build": build}}
        overlay: Object = {
            "resources": [os.path.relpath(MANIFESTS, tmp_path)],
            "patches": [{"target": {"kind": "Deployment", "name": "detour"}, "patch": json.dumps([note])}],
        }
        (tmp_path / "kustomization.yaml").write_text(json.dumps(overlay))
        kubectl("apply", "-k", str(tmp_path))
        rolled_out()

    yield apply
    install()


def rolled_out() -> None:
    kubectl("-n", HOME, "rollout", "status", "deployment/detour", "--timeout=120s")


@contextmanager
def typing(shop: Shop) -> Iterator[list[Said]]:
    """Meanwhile somebody types `kubectl set image`, another version each time; what was said each time."""
    said: list[Said] = []
    stop = threading.Event()

    def work() -> None:
        for number in range(MOST_COMMANDS):
            if stop.is_set():
                return
            image = f"podinfo={IMAGE}:6.1.{number}"
            said.append(shop("set", "image", "deployment/podinfo", image, check=False))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield said
    finally:
        stop.set()
        thread.join()


def test_an_upgrade_in_mid_canary_fails_no_request_and_no_command_and_every_run_goes_on(
    open_shop: OpenShop, upgrade: Upgrade
) -> None:
    calm = open_shop(analysis=SLOW)
    promoting = open_shop(analysis={**QUICK, "stepWeight": 50}, replicas=3)
    leaving = open_shop(analysis=SLOW)
    typed = open_shop(spec={"suspend": True})
    calm.set_image("6.0.1")
    leaving.set_image("6.0.1")
    calm.until_weight(25)
    leaving.until_weight(25)
    begun = calm.status["startTime"]
    with Users(calm.host) as at_calm, Users(promoting.host) as at_promoting, Users(leaving.host) as at_leaving:
        promoting.set_image("6.0.1")
        promoting.until("Promoting")
        assert Person(leaving)("abort", "podinfo").code == 0
        with typing(typed) as said:
            for build in ("one", "two"):
                upgrade(build)
        promoting.until("Succeeded")
        leaving.until("Failed")
    assert [each for each in said if each.code] == []
    assert len(said) > 3  # it went on all the time
    assert at_calm.failed == at_promoting.failed == at_leaving.failed == []
    assert (calm.status["startTime"], calm.phase) == (begun, "Progressing")
    assert calm.status["canaryWeight"] >= 25
    assert (promoting.live_image, leaving.live_image) == ("6.0.1", "6.0.0")
    assert leaving.leftovers() == promoting.leftovers() == []


def test_a_rolling_update_of_detour_under_50_admissions_a_second_fails_none_and_the_lead_is_handed_over(
    upgrade: Upgrade,
) -> None:
    before = replicas()
    with reigns() as reigned, admissions() as asked:
        upgrade("three")
        eventually(lambda: reigned.leader in replicas(), "one that stays leads", 60, lambda: reigned.seen)
        eventually(lambda: not set(before) & all_pods(), "the old ones have ended", 90, all_pods)
    print(f"\nrolling update: {asked.told}; {reigned.told}")
    assert asked.failures == []
    assert len(asked.seconds) > 100  # it went on all the time
    assert reigned.leader not in before
    assert len(replicas()) == 2


def test_a_drain_takes_one_replica_after_the_other_and_no_admission_fails() -> None:
    first, second = replicas()
    with admissions() as asked:
        assert evicted(first)
        assert not evicted(second)  # while the first has no successor
        eventually(lambda: evicted(second), "the second may go, too", 90)
        rolled_out()
        eventually(lambda: not {first, second} & all_pods(), "both have gone", 90, all_pods)
    print(f"\ndrain: {asked.told}")
    assert asked.failures == []
    assert len(asked.seconds) > 100


def evicted(pod: str) -> bool:
    """Ask for what `kubectl drain` asks for; whether the PodDisruptionBudget allows it."""
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod, "namespace": HOME}}
    path = f"/api/v1/namespaces/{HOME}/pods/{pod}/eviction"
    said = kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction), check=False)
    assert not said.code or "disruption budget" in said.err, said.err
    return not said.code


def all_pods() -> set[str]:
    """Those that are ending, too."""
    return {pod["metadata"]["name"] for pod in get("-n", HOME, "pods", "-l", "app.kubernetes.io/name=detour")["items"]}

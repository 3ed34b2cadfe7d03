"""Detour is brought up to date in the middle of rollouts: they go on where they were, and nobody is refused."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.installing import MANIFESTS, install
from tests.cluster.kubectl import Object, Said, kubectl
from tests.cluster.person import Person
from tests.cluster.shop import IMAGE, QUICK, OpenShop, Shop
from tests.cluster.users import Users

pytestmark = pytest.mark.alone

MOST_COMMANDS = 400
SLOW = {"interval": "5m", "metrics": []}


@pytest.fixture
def upgrade(tmp_path: Path) -> Iterator[Callable[[str, int], None]]:
    """`kubectl apply -k` of an overlay that changes Detour's pod; at the end it is installed as it was."""

    def apply(build: str, replicas: int) -> None:
        note = {"op": "add", "path": "/spec/template/metadata/annotations", "value": {"example.com/build": build}}
        overlay: Object = {
            "resources": [os.path.relpath(MANIFESTS, tmp_path)],
            "replicas": [{"name": "detour", "count": replicas}],
            "patches": [{"target": {"kind": "Deployment", "name": "detour"}, "patch": json.dumps([note])}],
        }
        (tmp_path / "kustomization.yaml").write_text(json.dumps(overlay))
        kubectl("apply", "-k", str(tmp_path))
        kubectl("-n", "detour", "rollout", "status", "deployment/detour", "--timeout=120s")

    yield apply
    install()


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
    open_shop: OpenShop, upgrade: Callable[[str, int], None]
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
            for build, replicas in (("one", 1), ("two", 2)):
                upgrade(build, replicas)
        promoting.until("Succeeded")
        leaving.until("Failed")
    assert [each for each in said if each.code] == []
    assert len(said) > 3  # it went on all the time
    assert at_calm.failed == at_promoting.failed == at_leaving.failed == []
    assert (calm.status["startTime"], calm.phase) == (begun, "Progressing")
    assert calm.status["canaryWeight"] >= 25
    assert (promoting.live_image, leaving.live_image) == ("6.0.1", "6.0.0")
    assert leaving.leftovers() == promoting.leftovers() == []

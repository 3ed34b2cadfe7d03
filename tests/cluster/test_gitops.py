"""A GitOps tool applies the same manifest every second, through a whole canary: only the first of them counts.

That no repetition writes is read off a recording of every version of the Deployment that was ever stored: each write
is named by what it changed, so the list of them is that of the analyzer's own, and nothing else.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from tests.cluster.kubectl import Object, Said, eventually
from tests.cluster.person import BAD, QUICK, judged
from tests.cluster.shop import OpenShop, Shop, tag_of
from tests.soak.recording import Version, recording

EVERY = 1.0  # seconds
AFTERWARDS = 4  # more repetitions, when everything is over
SERVER_SIDE = "--server-side"
TOOLS = {
    "kubectl": (),
    "Argo CD": ("--field-manager=argocd-controller",),
    "Argo CD, server side": (SERVER_SIDE, "--field-manager=argocd-controller"),
    "Flux": (SERVER_SIDE, "--field-manager=kustomize-controller", "--force-conflicts"),
}
FLUX = TOOLS["Flux"]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

DIVERTED = {"template", "revision", "diverted-by"}
GO = {"spec.template", "template", "previous", "state"}
DONE = {"previous", "revision", "diverted-by", "state", "history"}
THE_CONTROLLERS = {"status", "deployment.kubernetes.io/revision"}

every_tool = pytest.mark.parametrize("how", TOOLS.values(), ids=TOOLS)


class Loop:
    """Applies the manifest every second while its block lasts; `said` is what came back."""

    def __init__(self, shop: Shop, manifest: Object, how: Sequence[str]) -> None:
        self.said: list[Said] = []
        self._over = threading.Event()
        self._shop, self._how, self._manifest = shop, how, json.dumps(manifest)

    @contextmanager
    def running(self) -> Iterator["Loop"]:
        thread = threading.Thread(target=self._run)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join(timeout=60)

    def goes_on(self, times: int = AFTERWARDS) -> list[str]:
        """Waits for so many more repetitions; the warnings of the last one."""
        count = len(self.said) + times
        eventually(lambda: len(self.said) >= count, f"{times} more repetitions", 60)
        return self.said[-1].warnings

    def _run(self) -> None:
        while True:
            self.said.append(self._shop("apply", *self._how, "-f", "-", stdin=self._manifest, check=False))
            if self._over.wait(EVERY):
                return


def adopted(shop: Shop, how: Sequence[str]) -> Shop:
    """The tool has brought what runs by now, too: kubectl hands its fields over (k8s.io/client-go/util/csaupgrade)."""
    shop("apply", *how, "-f", "-", stdin=json.dumps(shop.deployment()))
    return shop


def writes(versions: Sequence[Version]) -> list[set[str]]:
    """What each write to the Deployment changed, those of its own controller left out.

    A write that changes nothing but managedFields is one, too: an empty set.
    """
    found = [dict(version.object) for version in versions if (version.kind, version.name) == ("Deployment", "podinfo")]
    changes = [_changed(old, new) for old, new in pairwise(found)]
    return [change - THE_CONTROLLERS for change in changes if not change or change - THE_CONTROLLERS]


def _changed(old: Object, new: Object) -> set[str]:
    sides = []
    for found in (old, new):
        metadata, spec = found["metadata"], found["spec"]
        keys = {**(metadata.get("labels") or {}), **(metadata.get("annotations") or {})}
        parts = {f"spec.{name}": part for name, part in spec.items()} | {"status": found.get("status")}
        sides.append({key.removeprefix("detour.dev/"): value for key, value in keys.items()} | parts)
    before, after = sides
    return {key for key in before | after if before.get(key) != after.get(key)}


def diversion(how: Sequence[str]) -> set[str]:
    """What the first apply of a new manifest writes; client side, kubectl keeps its books in an annotation."""
    return DIVERTED if SERVER_SIDE in how else DIVERTED | {LAST_APPLIED}


def starts(versions: Sequence[Version]) -> set[Any]:
    """When analyses began, by every status that the Canary had."""
    found = (version.object.get("status") or {} for version in versions if version.kind == "Canary")
    return {status["startTime"] for status in found if status.get("startTime")}


@every_tool
def test_the_same_manifest_every_second_through_a_whole_canary_is_one_diversion_and_no_other_write(
    open_shop: OpenShop, how: Sequence[str]
) -> None:
    shop = adopted(open_shop(replicas=1, analysis={"interval": "1s", "metrics": []}), how)
    loop = Loop(shop, shop.deployment("6.0.1"), how)
    with recording(shop.namespace) as record, loop.running():
        shop.until("Succeeded")
        warnings = loop.goes_on()
        versions = record.complete()
    assert [said.err for said in loop.said if said.code] == []
    assert writes(versions) == [diversion(how), {"state"}, GO, DONE]
    assert len(starts(versions)) == 1
    assert "runs as a canary first" in loop.said[0].warnings[0]
    assert "on its way as a canary already" in loop.said[1].warnings[0]
    assert warnings == []
    assert (shop.live_image, shop.waiting) == ("6.0.1", None)


@every_tool
def test_a_manifest_that_fails_stays_rejected_however_often_it_comes(open_shop: OpenShop, how: Sequence[str]) -> None:
    shop = adopted(judged(open_shop, BAD, QUICK), how)
    loop = Loop(shop, shop.deployment("6.0.1"), how)
    with recording(shop.namespace) as record, loop.running():
        shop.until("Failed")
        (warning,) = loop.goes_on()
        versions = record.complete()
    assert [said.err for said in loop.said if said.code] == []
    assert writes(versions) == [diversion(how), {"state"}, {"state"}]
    assert len(starts(versions)) == 1
    assert "was rejected and stays out" in warning
    assert [entry["outcome"] for entry in shop.status["history"]] == ["Failed"]
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")

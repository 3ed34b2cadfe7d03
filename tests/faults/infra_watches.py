"""Rows about the way between the analyzer and the API server: cut, silent, slow, and watches that missed something."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster.kubectl import eventually
from tests.faults import etcd
from tests.faults.analyzer import Analyzer
from tests.faults.components import kill, until_the_api_server_answers
from tests.faults.infra_api import API_SERVER
from tests.faults.row import Leader, row
from tests.faults.scene import Scene
from tests.faults.subject import STEPS
from tests.faults.way import Way, api_port, way

FAR = "far"
ANEW = "beginning anew"


@contextmanager
def _led_over_a_way(scene: Scene) -> Iterator[tuple[Analyzer, Way]]:
    """The leader reaches the API server over a way that can be disturbed."""
    with way("127.0.0.1", api_port()) as found:
        leader = scene.analyzers.lead(FAR, server=found.address)
        try:
            yield leader, found
        finally:
            leader.kill()


@row(Leader.OWN)
def connections_cut_again_and_again(scene: Scene) -> None:
    """All connections of the analyzer to the API server are reset every second of a canary: promoted."""
    with _led_over_a_way(scene) as (_, between):
        scene.update()
        scene.until_phase("Progressing")
        cut = 0
        while _progresses(scene) and cut < 1000:
            cut += between.cut()
            time.sleep(1)
        scene.note(f"{cut} connections cut")
        scene.ends("Succeeded", live="6.0.1")


def _progresses(scene: Scene) -> bool:
    return (scene.status() or {}).get("phase") == "Progressing"


@row(Leader.OWN)
def connections_silent_without_an_end(scene: Scene) -> None:
    """At the first weight all connections of the analyzer to the API server fall silent, and are never closed: it
    cannot renew its lease, begins anew, and promotes."""
    with _led_over_a_way(scene) as (leader, between):
        scene.update()
        scene.until_weight(20)
        with scene.fault():
            began = time.monotonic()
            silent = between.forget()
            eventually(lambda: ANEW in leader.said, "it begins anew", 60)
            scene.note(f"{silent} connections fell silent; it began anew after {time.monotonic() - began:.1f} s")
            scene.analyzers.hand_to(FAR)
        scene.ends("Succeeded", live="6.0.1")


@row(Leader.OWN, analysis={**STEPS, "interval": "5s", "metrics": []})
def watches_expired(scene: Scene) -> None:
    """While no news reaches the analyzer, a newer version is diverted, the API server is killed, and etcd forgets all
    history (410), so that the lease may change hands, too: the older is never promoted, the newer is."""
    with _led_over_a_way(scene) as (_, between):
        scene.update("6.0.1")
        scene.until_weight(20)
        with scene.fault(), between.refusing():
            scene.managed.set_image("6.0.2")
            etcd.compact()
            kill(API_SERVER)
            until_the_api_server_answers()
        scene.ends("Succeeded", live="6.0.2")
        history = (scene.status() or {})["history"]
        promoted = [image for ending in history if ending["outcome"] == "Succeeded" for image in ending["images"]]
        assert [image.rpartition(":")[2] for image in promoted] == ["6.0.2"], f"promoted: {promoted}"

"""Rows about the way between the analyzer and the API server: cut, silent, slow, and watches that missed something."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox import layout, record
from tests.faults import etcd
from tests.faults.analyzers import Analyzer
from tests.faults.components import kill, until_the_api_server_answers
from tests.faults.infra_api import API_SERVER
from tests.faults.row import Leader, row
from tests.faults.scene import Scene
from tests.faults.way import Way, way

CUTS = 15
AWAY = 60.0  # seconds


@contextmanager
def _led_over_a_way(scene: Scene) -> Iterator[tuple[Analyzer, Way]]:
    """The leader reaches the API server over a way that can be disturbed."""
    running = record.read()
    port = (running.ports if running else layout.Ports.from_environment()).api
    with way("127.0.0.1", port) as found:
        yield scene.analyzers.lead("far", server=found.address), found


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
    """At the first weight all connections of the analyzer to the API server fall silent, and are never closed:
    promoted."""
    with _led_over_a_way(scene) as (_, between):
        scene.update()
        scene.until_weight(20)
        with scene.fault():
            scene.note(f"{between.forget()} connections fell silent")
        scene.ends("Succeeded", live="6.0.1", seconds=300)


@row(Leader.OWN)
def watches_expired(scene: Scene) -> None:
    """While the analyzer cannot be reached by news, a newer version is diverted, and etcd forgets all history (410):
    the older is never promoted, the newer is."""
    with _led_over_a_way(scene) as (_, between):
        scene.update("6.0.1")
        scene.until_weight(20)
        with scene.fault(), between.refusing():
            scene.managed.set_image("6.0.2")
            kill(API_SERVER)
            until_the_api_server_answers()
            etcd.compact()
        scene.ends("Succeeded", live="6.0.2")
        outcomes = [ending["outcome"] for ending in (scene.status() or {})["history"]]
        scene.note(f"endings: {', '.join(outcomes)}")
        assert outcomes[-2:] == ["Superseded", "Succeeded"], outcomes

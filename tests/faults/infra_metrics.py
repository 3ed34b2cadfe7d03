"""Rows about a Prometheus in trouble: what it does not say is no evidence, and nothing is promoted without any.

It only pretends to be one, on the host, and misbehaves as told; what the real one answers is tried in tests/cluster.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler as Handler

from tests.analyzer.mock_prometheus import Mock, pretending, send
from tests.cluster.kubectl import Object
from tests.faults.row import Leader, row
from tests.faults.scene import Scene
from tests.faults.way import way

LONG_ENOUGH = 6.0  # seconds that it must not move on, three times its interval

Behaviour = Callable[[Handler], None]


@row(Leader.HOST)
def prometheus_gone(scene: Scene) -> None:
    """At the first weight nobody listens at the provider's address any more: halts and says so; once it is back,
    promoted."""
    with _asking_a_pretender(scene) as prometheus, way("127.0.0.1", prometheus.port) as between:
        _point(scene, f"http://127.0.0.1:{between.port}")
        scene.update()
        scene.until_weight(20)
        with scene.fault(), between.refusing():
            _halts(scene, "Connection refused")
        scene.ends("Succeeded", live="6.0.1")


@row(Leader.HOST)
def prometheus_slow(scene: Scene) -> None:
    """At the first weight the provider answers nothing, then a head that trickles, then a body that does: halts each
    time and says so; then promoted."""
    _each(scene, [_silence, _trickle(_HEAD), _trickle(_BODY)], "no answer in time")


@row(Leader.HOST)
def prometheus_without_numbers(scene: Scene) -> None:
    """At the first weight the query yields NaN, then nothing, then nothing and a warning: halts each time and says so;
    then promoted."""
    answers = [_vector("NaN"), _vector(), _vector(warnings=["a store is down"])]
    _each(scene, answers, "no values found for custom metric: verdict")


@row(Leader.HOST)
def prometheus_talking_nonsense(scene: Scene) -> None:
    """At the first weight the provider answers with a web page, then 500, then half a document: halts each time and
    says so; then promoted."""
    _each(scene, [_page, _broken, _half], "metric query failed for verdict")


@row(Leader.HOST)
def prometheus_with_several_series(scene: Scene) -> None:
    """At the first weight the query yields a good and a bad series: every one counts, so the version is rejected."""
    with _asking_a_pretender(scene) as prometheus:
        scene.update()
        scene.until_weight(20)
        prometheus.behaviour = _vector("1", "0")
        scene.ends("Failed", live="6.0.0", says="verdict 0.00 < 1 (the worst of 2 series")


def _each(scene: Scene, behaviours: Sequence[Behaviour], says: str) -> None:
    with _asking_a_pretender(scene) as prometheus:
        scene.update()
        scene.until_weight(20)
        with scene.fault():
            for behaviour in behaviours[: 1 if scene.short else None]:
                prometheus.behaviour = behaviour
                _halts(scene, says)
            prometheus.behaviour = _vector("1")
        scene.ends("Succeeded", live="6.0.1")


@contextmanager
def _asking_a_pretender(scene: Scene) -> Iterator[Mock]:
    with pretending() as prometheus:
        prometheus.behaviour = _vector("1")
        _point(scene, prometheus.address)
        yield prometheus


def _point(scene: Scene, address: str) -> None:
    scene.managed.prometheus = address
    scene.managed.apply(scene.managed.template())


def _halts(scene: Scene, says: str) -> None:
    """It says so, and for a while nothing moves: no weight more, no check failed, and the primary as it was."""
    scene.until(lambda status: says in " ".join(status.get("verdict", ())), f"it says '{says}'")
    before = _standing(scene.status())
    time.sleep(LONG_ENOUGH)
    assert _standing(scene.status()) == before, f"it went on without evidence: {scene.status()}"
    assert before == ("Progressing", 20, 0), f"it did not halt: {before}"
    assert scene.managed.live_image == "6.0.0", "it was promoted without evidence"


def _standing(status: Object | None) -> tuple[str, int, int]:
    found = status or {}
    return found.get("phase", ""), found.get("canaryWeight", 0), found.get("failedChecks", 0)


def _vector(*values: str, warnings: Sequence[str] = ()) -> Behaviour:
    series = [{"metric": {"pod": f"p{number}"}, "value": [0, value]} for number, value in enumerate(values)]
    data = {"resultType": "vector", "result": series}
    body = json.dumps({"status": "success", "data": data, "warnings": list(warnings)}).encode()
    return lambda handler: send(handler, 200, body)


def _silence(_: Handler) -> None:
    time.sleep(30)


_HEAD = b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"
_BODY = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b" "


def _trickle(what: tuple[bytes, bytes]) -> Behaviour:
    def trickle(handler: Handler) -> None:
        first, again = what
        with suppress(OSError):
            handler.wfile.write(first)
            for _ in range(300):
                time.sleep(0.1)
                handler.wfile.write(again)

    return trickle


def _page(handler: Handler) -> None:
    send(handler, 200, b"<html><body>Please sign in</body></html>")


def _broken(handler: Handler) -> None:
    send(handler, 500, b"out of memory")


def _half(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"status":"success","data":{"resultType":"vec')

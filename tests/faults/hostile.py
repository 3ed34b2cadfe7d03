"""Rows about attackers: whoever reaches the ports, from the cluster's own network, while updates come as usual.

Each attack of tests/webhook/attacks runs alone, between blocks of updates without any; then all run at once.
"""

import http.client
import json
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from sandbox import network
from tests.bench import idle
from tests.bench.api import enter_sandbox
from tests.bench.distribution import milliseconds, percentile, summary
from tests.bench.load import Change, Lane
from tests.bench.memory import sizes
from tests.bench.processes import Size
from tests.cluster.kubectl import Object, get, kubectl
from tests.cluster.namespaces import namespace
from tests.cluster.podless import MANAGED
from tests.cluster.shop import IMAGE
from tests.faults.row import Leader, row
from tests.faults.scene import Scene
from tests.webhook.attacks import ATTACKS, PLAIN_ATTACKS, under

EACH, TYPED = 60, 8  # updates of a block: written over a connection that is kept, and typed
MOST = 2.0  # times the p99 without an attack
MOST_MEMORY = 500.0  # MB of RSS; the webhook's container may have 1,074
LONGEST_PROBE = 5.0  # seconds: the probes' timeoutSeconds
TLS_PORT, PLAIN_PORTS = 443, (8081, 8082)


@row(Leader.NOBODY)
def webhook_attacked(scene: Scene) -> None:
    """17 attacks on the webhook's port, each alone and then all at once, in the middle of a canary: updates are
    diverted, p99 at most twice that without in the same run, that of `kubectl set image`, too; nothing is restarted;
    promoted."""
    scene.update()
    restarts, address = _restarts(), _service_address()
    with namespace("hostile", MANAGED) as where, closing(Lane(where, "idle")) as lane:
        idle.deploy(where, ["idle", "typed"])
        calm, attacked = Updates(where, lane, scene.short), Updates(where, lane, scene.short)
        calm.send()
        for names in _occasions(ATTACKS, scene):
            calm.send()
            before = sizes()["webhook"]
            with under("tls", names, address, TLS_PORT, 120, *network.entering()):
                block = attacked.send()
                during = sizes()["webhook"]
            scene.note(_line(names, block, before, during))
            assert during.rss < MOST_MEMORY, f"{names or 'all'}: {during}"
    assert _restarts() == restarts, "something was started again"
    _compare(scene, "an update", calm.written, attacked.written)
    _compare(scene, "kubectl set image", calm.typed, attacked.typed)
    scene.ends("Succeeded", live="6.0.1")


@row(Leader.NOBODY)
def probes_attacked(scene: Scene) -> None:
    """7 attacks on each of the ports that probes use, each alone and then all at once, in the middle of a canary:
    probes are answered, nothing is restarted; promoted."""
    scene.update()
    restarts = _restarts()
    for port in PLAIN_PORTS:
        for names in _occasions(PLAIN_ATTACKS, scene):
            before = sizes()["analyzer" if port == PLAIN_PORTS[1] else "webhook"]
            with under("plain", names, _pod_address(), port, 120, *network.entering()):
                _probed(port)
                during = sizes()["analyzer" if port == PLAIN_PORTS[1] else "webhook"]
            scene.note(f"port {port}, {_named(names)}: RSS {before.rss:.0f} → {during.rss:.0f} MB")
            assert during.rss < MOST_MEMORY, f"{names or 'all'}: {during}"
    assert _restarts() == restarts, "something was started again"
    scene.ends("Succeeded", live="6.0.1")


def _occasions(attacks: Iterable[str], scene: Scene) -> list[list[str]]:
    """Which of them run together: each alone, and all; the short form has the last alone."""
    return [[]] if scene.short else [*([name] for name in attacks), []]


@dataclass
class Updates:
    """Seconds of updates through the API server, all of which are diverted."""

    where: str
    lane: Lane
    short: bool
    written: list[float] = field(default_factory=list)
    typed: list[float] = field(default_factory=list)

    def send(self) -> list[float]:
        """A block of them. Returns the seconds of those that were written over a connection that is kept."""
        taken = [self._write() for _ in range(10 if self.short else EACH)]
        self.written += taken
        self.typed += [self._type() for _ in range(2 if self.short else TYPED)]
        return taken

    def _write(self) -> float:
        number, seconds, answer = self.lane.patch(lambda number: Change(idle.counting(number)))
        assert idle.diverted(number, json.loads(answer)), answer.decode()
        return seconds

    def _type(self) -> float:
        """With all that kubectl asks before it writes, and its own start."""
        began = time.perf_counter()
        image = f"podinfo={IMAGE}:{time.monotonic_ns()}"
        said = kubectl("-n", self.where, "set", "image", "deployment/typed", image).err
        seconds = time.perf_counter() - began
        assert "Warning" in said, f"it was not diverted: {said}"
        return seconds


def _compare(scene: Scene, what: str, calm: Sequence[float], attacked: Sequence[float]) -> None:
    without, ratio = percentile(calm, 99), percentile(attacked, 99) / percentile(calm, 99)
    scene.note(f"{what}: p99 under attack {ratio:.1f} × that without, {milliseconds(without)}: {summary(attacked)}")
    assert scene.short or ratio <= MOST, f"{what}: p99 is {ratio:.1f} times that without an attack"


def _line(names: Sequence[str], block: Sequence[float], before: Size, during: Size) -> str:
    p50, p99 = (milliseconds(percentile(block, percent)) for percent in (50, 99))
    return f"{_named(names)}: p50 {p50}, p99 {p99}, RSS {before.rss:.0f} → {during.rss:.0f} MB"


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) or "all at once"


def _probed(port: int) -> None:
    """As kubelet does it, in its time."""
    with ThreadPoolExecutor(1, initializer=enter_sandbox) as inside:
        for path in ("/healthz", "/readyz", "/metrics") * 5:
            assert inside.submit(_status, _pod_address(), port, path).result() == http.client.OK, f"port {port}, {path}"


def _status(host: str, port: int, path: str) -> int:
    connection = http.client.HTTPConnection(host, port, timeout=LONGEST_PROBE)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def _pods() -> list[Object]:
    """Those that serve."""
    return [pod for pod in get("-n", "detour", "pods")["items"] if "deletionTimestamp" not in pod["metadata"]]


def _service_address() -> str:
    """Where the API server calls all of them."""
    return str(get("-n", "detour", "service", "detour")["spec"]["clusterIP"])


def _pod_address() -> str:
    """Of one: probes come to each by itself."""
    return str(_pods()[0]["status"]["podIP"])


def _restarts() -> dict[str, int]:
    return {
        f"{pod['metadata']['name']}/{status['name']}": status["restartCount"]
        for pod in _pods()
        for status in pod["status"]["containerStatuses"]
    }

"""A cluster, API servers that lag behind it, and replicas that may die: what the tests of rotation live in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from certs import directory
from certs.authority import Pair, check
from certs.material import Material, decode
from certs.orders import NO_ORDERS, SETTLE, Orders
from certs.rotation import Bundles, Conflict, Rotation, Stored

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
LAG = SETTLE / 2
NAMES = ("detour.detour.svc", "detour.detour.svc.cluster.local")


class Crash(BaseException):
    """The process ends here: no handler of the code under test may catch it."""


@dataclass
class Cluster:
    """The Secret and the caBundle of two webhooks, with API servers that notice a caBundle up to LAG late."""

    now: datetime = BEGIN
    secret: dict[str, bytes] | None = None
    version: int = 0
    orders: Orders = NO_ORDERS
    bundles: list[bytes] = field(default_factory=lambda: [b"", b""])
    bundles_version: int = 0
    seen: list[tuple[datetime, list[bytes]]] = field(default_factory=list)
    writes: int = 0
    around: Callable[[int, bool], None] = lambda _number, _done: None
    """Called before and after each write: the place where a test crashes, or lets another replica come first."""

    def time(self) -> datetime:
        return self.now

    def read_ca(self) -> Stored | None:
        return None if self.secret is None else Stored(dict(self.secret), str(self.version), self.orders)

    def write_ca(self, data: Mapping[str, bytes], version: str | None) -> None:
        number = self._before()
        if version != (None if self.secret is None else str(self.version)):
            raise Conflict
        self.secret, self.version = dict(data), self.version + 1
        self.around(number, True)

    def read_ca_bundles(self) -> Bundles | None:
        return Bundles(tuple(self.bundles), str(self.bundles_version)) if self.bundles else None

    def write_ca_bundle(self, pem: bytes, read: Bundles) -> None:
        number = self._before()
        if read.version != str(self.bundles_version):
            raise Conflict
        self.set_bundles([pem] * len(self.bundles))
        self.around(number, True)

    def _before(self) -> int:
        self.writes += 1
        number = self.writes
        self.around(number, False)
        return number

    def set_bundles(self, bundles: list[bytes]) -> None:
        self.seen.append((self.now, self.bundles))
        self.bundles = bundles
        self.bundles_version += 1

    def trusted(self) -> list[bytes]:
        """Every caBundle that some API server may be going by at this moment (none: not yet installed)."""
        recent = [bundle for until, bundles in self.seen if until > self.now - LAG for bundle in bundles]
        return [bundle for bundle in {*recent, *self.bundles} if bundle]

    @property
    def material(self) -> Material:
        assert self.secret is not None
        return decode(self.secret)


class Replica:
    """One pod: a Rotation that may die and be started again, and a directory that outlives it."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster, self.folder, self.due = cluster, folder, cluster.now

    def run(self) -> None:
        standing = Rotation(self.cluster, self.folder, "detour", "detour").ensure()
        assert standing.wait > timedelta(0)
        self.due = self.cluster.now + standing.wait

    def pair(self) -> Pair:
        pair = directory.read(self.folder)
        assert pair is not None
        return pair

    def assert_trusted(self) -> None:
        for bundle in self.cluster.trusted():
            check(self.pair(), bundle, NAMES, self.cluster.now)


def installed(tmp_path: Path, replicas: int = 1) -> tuple[Cluster, list[Replica]]:
    cluster = Cluster()
    pods = [Replica(cluster, tmp_path / str(number)) for number in range(replicas)]
    for pod in pods:
        pod.run()
    cluster.seen.clear()
    return cluster, pods


def live(cluster: Cluster, pods: list[Replica], until: datetime) -> None:
    """Let the replicas look whenever they asked to, skipping uneventful patrols, and hold the promise each time."""
    while True:
        following = cluster.now + timedelta(hours=26)
        if cluster.secret and cluster.material.successor:
            following = min(pod.due for pod in pods)
        cluster.now = following
        if cluster.now >= until:
            return
        for pod in pods:
            if pod.due <= cluster.now:
                pod.assert_trusted()
                pod.run()
        for pod in pods:
            pod.assert_trusted()

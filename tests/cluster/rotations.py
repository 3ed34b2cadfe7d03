"""Certificates renewed again and again, while reviews and updates go on: who would have been refused, and how often."""

import ctypes
import http.client
import json
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from analyzer.kube.client import Client
from analyzer.kube.resources import DEPLOYMENTS, SECRETS, WEBHOOK_CONFIGURATIONS
from analyzer.kube.watch import Watch
from analyzer.removal import CONFIGURATION
from certs import authority, orders
from detour.certificates import SECRET, ca_bundles
from detour.person import patiently
from sandbox.network import HANDLE
from tests.bench.reviews import USUAL, a_review
from tests.cluster.kubectl import KUBECONFIG, Answer, eventually, get
from tests.cluster.podless import podless
from tests.cluster.shop import IMAGE
from webhook import stash

NAMESPACE, HOST = "detour", "detour.detour.svc"
CALLERS = 10
PATIENCE = 10.0  # seconds, as long as the API server waits at most
INSISTENCE = 60.0  # seconds
CLONE_NEWNET = 0x40000000
QUICK_SETTLE = "2"  # seconds

SERVING, CA = orders.RENEW_SERVING, orders.RENEW_CA


@dataclass
class Account:
    """What was sent, what failed and why, and each serving certificate (PEM) as it was first met."""

    reviews: int = 0
    updates: int = 0
    failures: list[str] = field(default_factory=list)
    met: list[bytes] = field(default_factory=list)
    late: float = 0.0
    """Seconds that a review was behind its time at most."""

    @property
    def told(self) -> str:
        return (
            f"{self.reviews} reviews to the Service over TLS (at most {self.late:.1f} s late) and {self.updates} "
            f"updates through the API server, {len(self.failures)} failed; {len(self.met)} certificates were met"
        )


@contextmanager
def under_way(reviews: float = 100, updates: float = 5) -> Iterator[Account]:
    """So many of each per second, from now to the end of the block."""
    client, account, stop = Client.connect(str(KUBECONFIG)), Account(), threading.Event()
    watch = Watch(client, WEBHOOK_CONFIGURATIONS, lambda _: None, field_selector=f"metadata.name={CONFIGURATION}")
    watch.start()
    eventually(lambda: watch.synced and watch.all(), "the configuration is known", 10)
    with podless() as shop:
        shop.create()
        callers = [_Caller(watch, account, stop, number, reviews) for number in range(CALLERS)]
        updater = threading.Thread(target=_update, args=(client, shop.namespace, account, stop, updates))
        threads = [*callers, updater]
        for thread in threads:
            thread.start()
        try:
            eventually(lambda: account.met and account.updates, "both are under way", 30, lambda: account.told)
            yield account
        finally:
            stop.set()
            for thread in threads:
                thread.join(2 * PATIENCE)
            watch.stop()


def rotate(account: Account, kinds: Sequence[str]) -> None:
    """Order one renewal after the other, each when the last one is served."""
    client = Client.connect(str(KUBECONFIG))
    _annotate(client, {orders.SETTLE_SECONDS: QUICK_SETTLE})
    try:
        for kind in kinds:
            _renew(client, account, kind)
    finally:
        _annotate(client, {orders.SETTLE_SECONDS: None})


def _renew(client: Client, account: Account, kind: str) -> None:
    before, trusted = account.met[-1], _insist(lambda: _trusted(client))
    eventually(lambda: _insist(client.now) > authority.issued_at(before), "another second", 10)
    _annotate(client, {kind: _insist(client.now).isoformat()})

    def renewed() -> bool:
        latest = account.met[-1]
        return latest != before and not (kind == CA and authority.signed(latest, trusted))

    eventually(renewed, f"the renewal is served: {kind}", 60, lambda: account.told)


def _trusted(client: Client) -> bytes:
    """The CA that signs: the first of the caBundle."""
    return next(iter(ca_bundles(client.get(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION)).values()))


def _annotate(client: Client, annotations: Mapping[str, str | None]) -> None:
    _insist(lambda: client.mark(SECRETS, NAMESPACE, SECRET, {"annotations": dict(annotations)}))


def _insist(ask: Callable[[], Answer]) -> Answer:
    """Who orders renewals is not who is tried: a busy machine may keep him waiting."""
    return patiently(ask, time.monotonic() + INSISTENCE, lambda _: None)


class _Caller(threading.Thread):
    """A client in the cluster's network, that trusts the live caBundle; every other review is over a new connection."""

    def __init__(self, watch: Watch, account: Account, stop: threading.Event, number: int, rate: float) -> None:
        super().__init__(name=f"caller-{number}", daemon=True)
        self._watch, self._account, self._stopped = watch, account, stop
        self._every, self._offset = CALLERS / rate, number / rate
        self._address = str(get("-n", NAMESPACE, "service", "detour")["spec"]["clusterIP"])
        self._kept: tuple[bytes, http.client.HTTPConnection] | None = None

    def run(self) -> None:
        _enter_the_clusters_network()
        try:
            self._call()
        finally:
            self._hang_up()

    def _call(self) -> None:
        body, begun, number = a_review(USUAL), time.monotonic() + self._offset, 0
        while not self._stopped.wait(max(0.0, begun + number * self._every - time.monotonic())):
            self._account.late = max(self._account.late, time.monotonic() - begun - number * self._every)
            number += 1
            try:
                self._ask(body, kept=number % 2 == 0)
            except (OSError, http.client.HTTPException, ValueError, AssertionError) as error:
                self._hang_up()
                self._account.failures.append(f"a review at {time.strftime('%T')}: {type(error).__name__}: {error}")
            self._account.reviews += 1

    def _ask(self, body: bytes, *, kept: bool) -> None:
        (configuration,) = self._watch.all()
        bundle = next(iter(ca_bundles(configuration).values()))
        if not kept or self._kept is None or self._kept[0] != bundle:
            self._connect(bundle)
        assert self._kept
        connection = self._kept[1]
        connection.request("POST", "/divert", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        assert json.loads(answer.read())["response"]["patch"], "no patch"

    def _connect(self, bundle: bytes) -> None:
        self._hang_up()
        context = ssl.create_default_context(cadata=bundle.decode())
        connection = http.client.HTTPConnection(HOST, timeout=PATIENCE)
        plain = socket.create_connection((self._address, 443), PATIENCE)
        secure = connection.sock = context.wrap_socket(plain, server_hostname=HOST)
        pem = ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"").encode()
        if pem not in self._account.met:
            self._account.met.append(pem)
        self._kept = bundle, connection

    def _hang_up(self) -> None:
        if self._kept:
            self._kept[1].close()
        self._kept = None


def _update(client: Client, namespace: str, account: Account, stop: threading.Event, rate: float) -> None:
    begun, number = time.monotonic(), 0
    while not stop.wait(max(0.0, begun + number / rate - time.monotonic())):
        number += 1
        image = f"{IMAGE}:6.1.{number}"
        body = {"spec": {"template": {"spec": {"containers": [{"name": "podinfo", "image": image}]}}}}
        try:
            found = client.merge(DEPLOYMENTS, namespace, "podinfo", body).object
            diverted = stash.diverted(found)
            assert diverted, "it was not diverted"
            assert diverted.template["spec"]["containers"][0]["image"] == image, "an older one is diverted"
        except Exception as error:
            account.failures.append(f"an update at {time.strftime('%T')}: {type(error).__name__}: {error}")
        account.updates += 1


def _enter_the_clusters_network() -> None:
    """For the calling thread alone (setns(2)); os.setns is there from Python 3.12 on."""
    handle = os.open(HANDLE, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(handle)

"""Who leads: at most one, also when a renewal hangs or the lease is odd."""

import threading
from typing import Any

from analyzer.kube import lease as leases
from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict, NotFound
from analyzer.kube.lease import SECONDS, Lease

Object = dict[str, Any]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Store(Client):
    """Holds one Lease, with the API server's optimistic locking; `hangs` makes every request wait."""

    def __init__(self, held: Object | None = None) -> None:
        self.held, self.version, self.hangs = held, 1, threading.Event()
        self.free = threading.Event()

    def _hang(self) -> None:
        if self.hangs.is_set():
            self.free.wait(10)

    def get(self, *_: Any) -> Object:
        self._hang()
        if self.held is None:
            raise NotFound(404, "NotFound", "no lease")
        return {**self.held, "metadata": {"resourceVersion": str(self.version)}}

    def replace(self, _: Any, body: Object) -> Object:
        self._hang()
        if body["metadata"]["resourceVersion"] != str(self.version):
            raise Conflict(409, "Conflict", "changed meanwhile")
        self.held, self.version = {"spec": dict(body["spec"])}, self.version + 1
        return self.held

    def create(self, _: Any, body: Object) -> Object:
        self.held = {"spec": dict(body["spec"])}
        return self.held


def lease(store: Store, clock: Clock, identity: str = "a") -> Lease:
    return Lease(store, "detour", identity, clock)


def test_a_lease_that_is_held_is_taken_only_when_it_has_not_changed_for_its_time() -> None:
    store, clock = Store(), Clock()
    lease(store, clock).hold(lambda: None)
    other = lease(store, clock, "b")
    assert not other._try()
    clock.now += SECONDS - 1
    assert not other._try()
    clock.now += 2
    assert other._try()
    assert store.held
    assert store.held["spec"]["holderIdentity"] == "b"


def test_who_cannot_renew_in_time_is_told_even_while_the_request_hangs() -> None:
    store, clock, lost = Store(), Clock(), threading.Event()
    holder = lease(store, clock)
    holder.hold(lost.set)
    store.hangs.set()
    clock.now += leases.GIVEN_UP_AFTER + 0.1
    assert lost.wait(3)
    store.free.set()


def test_a_lease_without_a_spec_is_nobodys() -> None:
    store, clock = Store({"metadata": {}}), Clock()
    assert lease(store, clock)._try()


def test_a_lease_that_was_given_back_is_free_at_once() -> None:
    store, clock = Store(), Clock()
    holder = lease(store, clock)
    holder.hold(lambda: None)
    holder.release()
    assert lease(store, clock, "b")._try()

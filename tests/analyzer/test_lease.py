"""Who leads: at most one, also when a renewal hangs or the lease is odd."""

import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest

from analyzer.kube import lease as leases
from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict, NotFound
from analyzer.kube.lease import SECONDS, Lease, Timing
from analyzer.kube.resources import LEADERS, Resource

Object = dict[str, Any]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Store(Client):
    """Holds one Lease and one Leader, with the API server's optimistic locking; `hangs` makes every request wait.

    `defined` is whether there is such a thing as a Leader; `meanwhile` is called before a Leader is written.
    """

    def __init__(self, held: Object | None = None, *, defined: bool = True) -> None:
        self.objects: dict[str, Object] = {"leases": held} if held else {}
        self.version, self.defined, self.hangs = 1, defined, threading.Event()
        self.free = threading.Event()
        self.meanwhile: Callable[[], None] = lambda: None

    @property
    def holder(self) -> str:
        return str(self.objects["leases"]["spec"]["holderIdentity"])

    @property
    def leader(self) -> str:
        return str(self.objects["leaders"]["spec"]["holder"])

    def _hang(self) -> None:
        if self.hangs.is_set():
            self.free.wait(10)

    def get(self, resource: Resource, *_: Any) -> Object:
        self._hang()
        if resource.plural not in self.objects:
            raise NotFound(404, "NotFound", f"no {resource.kind}")
        return copy.deepcopy({"metadata": {"resourceVersion": "1"}, **self.objects[resource.plural]})

    def replace(self, resource: Resource, body: Object) -> Object:
        self._hang()
        self._passes(resource)
        stored = self.objects[resource.plural].get("metadata", {}).get("resourceVersion", "1")
        if body["metadata"]["resourceVersion"] != stored:
            raise Conflict(409, "Conflict", "changed meanwhile")
        return self._put(resource, body)

    def create(self, resource: Resource, body: Object) -> Object:
        self._passes(resource)
        if resource is LEADERS and not self.defined:
            raise NotFound(404, "NotFound", "404 page not found")
        if resource.plural in self.objects:
            raise Conflict(409, "AlreadyExists", "it exists")
        return self._put(resource, body)

    def _passes(self, resource: Resource) -> None:
        if resource is LEADERS:
            meanwhile, self.meanwhile = self.meanwhile, lambda: None
            meanwhile()

    def _put(self, resource: Resource, body: Object) -> Object:
        self.version += 1
        body = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.version)}}
        self.objects[resource.plural] = copy.deepcopy(body)
        return body


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
    assert store.holder == "b"


def test_who_cannot_renew_in_time_is_told_even_while_the_request_hangs() -> None:
    store, clock, lost = Store(), Clock(), threading.Event()
    holder = lease(store, clock)
    holder.hold(lost.set)
    store.hangs.set()
    clock.now += leases.GIVEN_UP_AFTER + 0.1
    assert lost.wait(3)
    store.free.set()


def test_a_lease_without_a_spec_is_nobodys() -> None:
    store, clock = Store({"metadata": {"resourceVersion": "1"}}), Clock()
    assert lease(store, clock)._try()


def test_a_lease_that_was_given_back_is_free_at_once() -> None:
    store, clock = Store(), Clock()
    holder = lease(store, clock)
    holder.hold(lambda: None)
    holder.release()
    assert lease(store, clock, "b")._try()


def expired(store: Store, clock: Clock, identity: str) -> Lease:
    """A replica that has waited until whoever holds the lease has lost it."""
    waiting = lease(store, clock, identity)
    assert not waiting._try()
    clock.now += SECONDS + 1
    return waiting


def test_who_leads_is_told_to_the_api_server_before_anything_begins() -> None:
    store, clock = Store(), Clock()
    lease(store, clock).hold(lambda: None)
    assert (store.holder, store.leader) == ("a", "a")
    expired(store, clock, "b").hold(lambda: None)
    assert (store.holder, store.leader) == ("b", "b")


def test_a_restarted_container_goes_on_leading_at_once_and_writes_no_leader() -> None:
    store, clock = Store(), Clock()
    lease(store, clock).hold(lambda: None)
    written = store.objects["leaders"]
    lease(store, clock).hold(lambda: None)
    assert (store.holder, store.objects["leaders"]) == ("a", written)


@pytest.mark.parametrize("first", [True, False], ids=["the first leader", "a later one"])
def test_who_lost_the_lease_before_it_was_known_to_lead_does_not_lead(first: bool) -> None:
    store, clock = Store(), Clock()
    if not first:
        lease(store, clock, "before").hold(lambda: None)
    slow = lease(store, clock, "slow") if first else expired(store, clock, "slow")
    assert slow._try()

    def meanwhile() -> None:
        expired(store, clock, "successor").hold(lambda: None)

    store.meanwhile = meanwhile
    assert not slow._announce()
    assert (store.holder, store.leader) == ("successor", "successor")


def test_where_nobody_can_be_told_the_lease_alone_decides() -> None:
    store = Store(defined=False)
    lease(store, Clock()).hold(lambda: None)
    assert store.holder == "a"


def test_a_leader_that_finds_another_in_its_place_has_lost_it_at_once() -> None:
    store, clock, lost = Store(), Clock(), threading.Event()
    paused = lease(store, clock)
    paused.hold(lost.set)
    expired(store, clock, "b").hold(lambda: None)
    clock.now -= SECONDS + 1  # it was paused, and has no idea of the time
    assert not paused._try()
    assert lost.wait(3)
    assert store.holder == "b"


def test_a_leader_never_takes_a_lease_that_another_had_meanwhile_and_gave_back() -> None:
    store, clock, lost = Store(), Clock(), threading.Event()
    paused = lease(store, clock)
    paused.hold(lost.set)
    successor = expired(store, clock, "b")
    successor.hold(lambda: None)
    successor.release()
    clock.now -= SECONDS + 1
    assert not paused._try()
    assert (store.holder, store.leader) == ("", "b"), "its writes would be refused for ever"
    assert lost.wait(3)


def test_a_lease_that_somebody_deleted_is_made_again_by_who_leads() -> None:
    store, clock = Store(), Clock()
    leader = lease(store, clock)
    leader.hold(lambda: None)
    del store.objects["leases"]
    assert leader._try()
    assert leader._try()
    assert store.holder == "a"


def test_another_replica_leads_soon_enough_after_a_kill() -> None:
    assert leases.SECONDS + leases.ASK_AGAIN < 15
    assert leases.GIVEN_UP_AFTER < leases.SECONDS, "it has ended before another may lead"


def test_a_lease_lasts_as_long_as_its_holder_has_said_and_not_as_whoever_waits_would_have_it() -> None:
    store, clock = Store(), Clock()
    Lease(store, "detour", "a", clock, Timing(60)).hold(lambda: None)
    other = lease(store, clock, "b")
    assert not other._try()
    clock.now += 59
    assert not other._try()
    clock.now += 2
    assert other._try()


def test_a_lease_that_is_to_last_for_ever_does_not() -> None:
    held = {"metadata": {"resourceVersion": "1"}, "spec": {"holderIdentity": "gone", "leaseDurationSeconds": 10**9}}
    store, clock = Store(held), Clock()
    waiting = lease(store, clock)
    assert not waiting._try()
    clock.now += leases.LONGEST + 1
    assert waiting._try()


@pytest.mark.parametrize(("seconds", "renewed"), [(2, 0.5), (601, 3), (12, 4.1), (12, 0), (3, 1.5)])
def test_timings_by_which_two_could_lead_or_a_slow_answer_would_cost_the_lease_are_refused(
    seconds: int, renewed: float
) -> None:
    with pytest.raises(ValueError, match=r"a lease of|at most a third"):
        Timing(seconds, renewed)


@pytest.mark.parametrize("timing", [Timing(), Timing(3, 1), Timing(600, 200)])
def test_a_holder_has_ended_before_another_may_lead_and_may_fail_once_before_that(timing: Timing) -> None:
    assert timing.renew_every * 2 <= timing.given_up_after < timing.seconds - leases.LOOK_EVERY

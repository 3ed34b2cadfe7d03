"""A replica that stands by: it hears of every renewal, and asks for the lease only when there is a reason to."""

import queue
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from analyzer.kube.errors import Unreachable
from analyzer.kube.lease import Lease, Timing
from analyzer.kube.resources import LEASES, Resource
from analyzer.kube.vigil import Vigil
from tests.analyzer.test_lease import Clock, Store
from tests.cluster.kubectl import eventually

Object = dict[str, Any]
NEVER = 300.0  # seconds: longer than any test
PATIENT = Timing(600, 200)


class Server(Store):
    """A Store that can be watched; `deaf` watches are told nothing. `asked` is how often which thread read it."""

    def __init__(self, *, deaf: bool = False) -> None:
        super().__init__()
        self.asked: Counter[str] = Counter()
        self.deaf, self.followed = deaf, threading.Event()
        self._events: queue.Queue[Object] = queue.Queue()

    def get(self, resource: Resource, *arguments: Any) -> Object:
        if resource is LEASES:
            self.asked[threading.current_thread().name] += 1
        return super().get(resource, *arguments)

    def list_for_watch(self, *_: Any) -> Object:
        if self.deaf:
            raise Unreachable("nobody hears it")
        items = [self._named(self.objects["leases"])] if "leases" in self.objects else []
        return {"metadata": {"resourceVersion": str(self.version)}, "items": items}

    def watch(self, resource: Resource, query: Mapping[str, str], *_: Any, **__: Any) -> Iterator[Object]:
        self.followed.set()
        return iter(self._events.get, None)

    def tell(self, kind: str, found: Object) -> None:
        self._events.put({"type": kind, "object": self._named(found)})

    def _put(self, resource: Resource, body: Object) -> Object:
        answer = super()._put(resource, body)
        if resource is LEASES:
            self.tell("MODIFIED", answer)
        return answer

    @staticmethod
    def _named(found: Object) -> Object:
        metadata = {"namespace": "detour", "name": "detour-analyzer", **found["metadata"]}
        return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, **found, "metadata": metadata}


def lease(server: Server, identity: str) -> Lease:
    return Lease(server, "detour", identity, Clock(), PATIENT)


def standing_by(server: Server, standby: Lease) -> threading.Thread:
    """One that has found the lease taken, and waits."""
    waits = threading.Thread(target=lambda: standby.hold(lambda: None), name="standby", daemon=True)
    waits.start()
    eventually(server.followed.is_set, "it follows the lease", 20)
    return waits


def test_while_its_holder_renews_it_nobody_else_asks_for_the_lease() -> None:
    server = Server()
    holder, standby = lease(server, "a"), lease(server, "b")
    holder.hold(lambda: None)
    standing_by(server, standby)
    asked = server.asked["standby"]
    for _ in range(20):
        assert holder._try()
    eventually(lambda: standby._seen[0] == str(server.version), "it has heard of the last renewal", 20)
    assert server.asked["standby"] == asked


def test_a_lease_that_is_given_back_is_taken_as_soon_as_that_is_told() -> None:
    server = Server()
    holder = lease(server, "a")
    holder.hold(lambda: None)
    waits = standing_by(server, lease(server, "b"))
    holder.release()
    waits.join(20)
    assert (server.holder, server.leader) == ("b", "b")


def test_a_lease_that_was_deleted_is_asked_for() -> None:
    server = Server()
    lease(server, "a").hold(lambda: None)
    waits = standing_by(server, lease(server, "b"))
    server.tell("DELETED", {**server.objects.pop("leases"), "metadata": {"resourceVersion": str(server.version + 1)}})
    waits.join(20)
    assert server.holder == "b"


def vigil(server: Server, is_free: Callable[[Object], bool], silence: float) -> Vigil:
    return Vigil(server, "detour", "detour-analyzer", is_free, silence)


def test_who_hears_nothing_asks() -> None:
    """The holder may be dead; or the watch, and then what is not told has to be asked for."""
    deaf = vigil(Server(deaf=True), lambda _: False, NEVER)
    deaf.wait()
    silent = Server()
    lease(silent, "a").hold(lambda: None)
    heard: list[Object] = []

    def note(found: Object) -> bool:
        heard.append(found)
        return False

    waiting = vigil(silent, note, 0.2)

    def has_heard() -> bool:
        waiting.wait()
        return bool(heard)

    eventually(has_heard, "it has heard of the lease", 20)
    waiting.wait()
    assert len(heard) == 1


def test_one_that_is_to_end_before_it_leads_does_not_lead() -> None:
    server = Server(deaf=True)
    lease(server, "a").hold(lambda: None)
    standby, led = lease(server, "b"), list[bool]()
    waits = threading.Thread(target=lambda: led.append(standby.hold(lambda: None)), daemon=True)
    waits.start()
    eventually(lambda: sum(server.asked.values()) > 1, "it stands by", 20)
    standby.release()
    waits.join(20)
    assert (led, server.holder) == ([False], "a")

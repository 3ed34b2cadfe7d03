"""How soon an update is at work: from `kubectl set image` until the canary's Deployment exists.

Two series: kubectl as a user runs it, whose own start is a good part of the time, and its PATCH sent directly, which
the goal applies to. Every try begins at rest: what the one before began is cancelled, and gone.
"""

import json
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from tests.bench.api import Api
from tests.bench.distribution import percentile, summary
from tests.bench.figure import SHORT, Figure, say
from tests.bench.load import Change, Lane
from tests.cluster import namespaces
from tests.cluster.namespaces import unique
from tests.cluster.shop import IMAGE, Shop
from webhook import stash

GOAL = 0.5
"""Seconds, at p95."""
APPLICATIONS, ROUNDS = (2, 1) if SHORT else (6, 7)
"""42 tries of either series."""
DEADLINE = 30.0
"""Seconds until a canary is given up."""
INTERVAL = "120s"
"""Of the analyses, so that none comes to its end before it is cancelled; nothing that is measured waits for it."""
PAUSE = 1.0
"""Seconds between two tries: the canary of the one before has its pod's start behind it."""


@dataclass(frozen=True, slots=True)
class Try:
    """Moments of the monotonic clock: before the update was begun, when it was accepted, and the canary was there."""

    began: float
    returned: float
    existed: float


class Arrivals:
    """When a watch told of each new canary's Deployment, as it tells any client."""

    def __init__(self) -> None:
        self._seen: queue.Queue[tuple[str, float]] = queue.Queue()
        api = Api()
        path = f"/apis/apps/v1/deployments?labelSelector={stash.CANARY_OF}"
        version = json.loads(api.get(path))["metadata"]["resourceVersion"]
        self._answer = api.ask("GET", f"{path}&watch=1&resourceVersion={version}&timeoutSeconds=3600")
        assert api.sock is not None
        api.sock.settimeout(3600)
        threading.Thread(target=self._read, name="arrivals", daemon=True).start()

    def _read(self) -> None:
        while line := self._answer.readline():
            now, event = time.monotonic(), json.loads(line)
            if event["type"] == "ADDED":
                self._seen.put((event["object"]["metadata"]["namespace"], now))

    def of(self, namespace: str) -> float:
        """Wait for the canary of this namespace. Raises AssertionError when it does not come in time."""
        end = time.monotonic() + DEADLINE
        while True:
            try:
                where, moment = self._seen.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no canary in {namespace} within {DEADLINE:.0f} s") from None
            if where == namespace:
                return moment


def figures() -> list[Figure]:
    """Both series, of which the second decides."""
    with ExitStack() as stack:
        shops = [
            Shop(unique("bench-diversion"), replicas=1, analysis={"interval": INTERVAL}) for _ in range(APPLICATIONS)
        ]
        for shop in shops:
            stack.callback(namespaces.delete, shop.namespace)
        say(f"  opening {APPLICATIONS} applications")
        with ThreadPoolExecutor(APPLICATIONS) as pool:
            list(pool.map(Shop.open, shops))
        arrivals = Arrivals()
        lanes = {shop.namespace: Lane(shop.namespace, "podinfo") for shop in shops}
        typed: list[Try] = []
        sent: list[Try] = []
        for number in range(ROUNDS):
            say(f"  round {number + 1} of {ROUNDS}")
            typed += _round(shops, arrivals, _type)
            sent += _round(shops, arrivals, lambda shop: lanes[shop.namespace].patch(_set_image))
    return [_figure(typed, sent)]


def _round(shops: list[Shop], arrivals: Arrivals, update: Callable[[Shop], object]) -> list[Try]:
    tries = []
    for shop in shops:
        began = time.monotonic()
        update(shop)
        returned = time.monotonic()
        tries.append(Try(began, returned, arrivals.of(shop.namespace)))
        time.sleep(PAUSE)
    for shop in shops:
        # The way back of who came by `set image`: kubectl would not even send an `apply` of what is live.
        shop("replace", "-f", "-", stdin=json.dumps(shop.deployment()))
    for shop in shops:
        shop.until("Failed")
        shop.until_gone()
    return tries


def _type(shop: Shop) -> None:
    shop.set_image("6.0.1")


def _set_image(_number: int) -> Change:
    """What `kubectl set image` sends."""
    container = {"name": "podinfo", "image": f"{IMAGE}:6.0.1"}
    return Change({"spec": {"template": {"spec": {"containers": [container]}}}})


def _figure(typed: list[Try], sent: list[Try]) -> Figure:
    direct = [one.existed - one.began for one in sent]
    whole = [one.existed - one.began for one in typed]
    after = [one.existed - one.returned for one in typed]
    accepted = [one.returned - one.began for one in sent]
    p95 = percentile(direct, 95)
    return Figure(
        name="set image → canary Deployment exists, p95",
        goal=f"≤ {GOAL} s",
        measured=f"{p95:.2f} s from before the PATCH; {percentile(after, 95):.2f} s from when kubectl returns",
        reference=f"{percentile(whole, 95):.2f} s from before kubectl starts; Flagger: see the scenario",
        holds=p95 <= GOAL,
        details=(
            f"the PATCH sent directly, from before it is sent: {summary(direct)}",
            f"of which until the API server has answered it: {summary(accepted)}",
            f"`kubectl set image`, from when it returns: {summary(after)}",
            f"`kubectl set image`, from before it is started: {summary(whole)}",
        ),
    )

"""Sends the alerts that lie in the status of Canaries, and takes out what has been sent, or given up.

Nobody waits for it: a courier has threads of his own, and knows when to try again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from analyzer import telemetry
from analyzer.actions import Emit
from analyzer.addresses import Addresses
from analyzer.agenda import Key
from analyzer.alerts import outbox
from analyzer.alerts.alert import Alert
from analyzer.alerts.outbox import Entry, Errand
from analyzer.alerts.post import post
from analyzer.alerts.providers import Providers
from analyzer.alerts.subscription import Subscription, subscriptions
from analyzer.cluster import Cluster
from analyzer.courier import Answer, Arrived, Courier, Delivery, Later, Never
from analyzer.crew import Crew
from analyzer.fields import SpecError
from analyzer.journal import Journal
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.memory import unpacked
from analyzer.remember import amend
from analyzer.status import Status
from analyzer.stored import from_object

Object = dict[str, Any]

LASTS = 3600.0  # seconds that an alert is worth trying
LAST_CHANCE = 60.0  # seconds for one that nobody was there to send
TOLD_AFTER = 4  # tries in vain, until a person is told that it may take long
THREADS, SHARE = 64, 8


@dataclass(slots=True)
class _Round:
    """What is known of an application's alerts: those on their way, and those that have ended since."""

    under_way: set[Errand] = field(default_factory=set)
    over: set[Errand] = field(default_factory=set)


class Herald:
    """`touch` has an application looked at, when something has become of its alerts. Each shows the `cluster_name`."""

    def __init__(
        self,
        cluster: Cluster,
        providers: Providers,
        addresses: Addresses,
        journal: Journal,
        touch: Callable[[Key], None],
        cluster_name: str = "",
        courier: Courier | None = None,
    ) -> None:
        self._cluster = cluster
        self._providers = providers
        self._addresses = addresses
        self._journal = journal
        self._touch = touch
        self._more = (("Cluster", cluster_name),) if cluster_name else ()
        self._courier = courier or Courier(Crew("alerts", THREADS, SHARE))
        self._rounds: dict[Key, _Round] = {}
        self._lock = Lock()

    def posted(self, key: Key, canary: Object | None, status: Status, emitted: Sequence[Emit], now: datetime) -> Status:
        """The status to be stored, with the alerts among `emitted`. Where the Canary is gone nobody is told."""
        if canary is None or not any(event.alert for event in emitted):
            return status
        audience = self._providers.audience(_subscribed(canary), key[0])
        return outbox.posted(status, emitted, audience, now)

    def check(self, key: Key) -> None:
        """Tell about references that lead nowhere as soon as a Canary is written, rather than when it has failed."""
        canary = self._cluster.canary_for(key)
        if canary is None or not (subscribed := _subscribed(canary)):
            return
        if canary["metadata"].get("generation", 0) == from_object(canary).observed_generation:
            return
        for place in dict.fromkeys(each.place(key[0]) for each in subscribed):
            try:
                self._providers.find(place, key[0])
            except (SpecError, ApiError) as error:
                self._journal.tell(Emit(f"Alerts cannot be sent to {place}: {error}", warning=True), canary, None)

    def settle(self, key: Key) -> None:
        """Store what is over, and send what is not on its way yet. Raises the errors of `analyzer.kube.errors`."""
        canary = self._cluster.canary_for(key)
        entries: Sequence[Entry] = unpacked(canary.get("status") or {}).get("alerts") or () if canary else ()
        if canary is None or not entries:
            self._forget(key)
            return
        with self._lock:
            known = self._rounds.setdefault(key, _Round())
            over, under_way = set(known.over), set(known.under_way)
        if over:
            entries = outbox.without(entries, over)
            amend(self._cluster, canary, alerts=tuple(entries))
            with self._lock:
                known.over -= over
                known.under_way -= over
        for errand, entry in outbox.errands(entries):
            if errand not in under_way:
                self._send(key, canary, errand, entry)

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._rounds.pop(key, None)

    def _send(self, key: Key, canary: Object, errand: Errand, entry: Entry) -> None:
        with self._lock:
            self._rounds[key].under_way.add(errand)
        metadata, place = canary["metadata"], errand[2]
        told = outbox.alert(entry, metadata["name"], metadata["namespace"], *self._more)
        tries = 0

        def attempt() -> Answer:
            nonlocal tries
            tries += 1
            answer = self._attempt(key, place, told)
            if isinstance(answer, Later):
                telemetry.ALERTS.labels("again").inc()
            if isinstance(answer, Later) and tries == TOLD_AFTER:
                self._complain(canary, f"An alert waits for {place}: {answer.why}")
            return answer

        def ended(answer: Arrived | Never) -> None:
            telemetry.ALERTS.labels("arrived" if isinstance(answer, Arrived) else "missed").inc()
            if isinstance(answer, Never):
                self._complain(canary, f"An alert was not sent to {place}: {answer.why}: {told.text}")
            with self._lock:
                if key in self._rounds:
                    self._rounds[key].over.add(errand)
            self._touch(key)

        lasts = max(LASTS - (datetime.now(UTC) - told.time).total_seconds(), LAST_CHANCE)
        what = f"alert of {told.who} to {place}"
        self._courier.send((*key, place), Delivery(what, attempt, lasts, ended))

    def _attempt(self, key: Key, place: str, told: Alert) -> Answer:
        try:
            return post(told, self._providers.find(place, key[0]), self._addresses)
        except (SpecError, ApiError, Unreachable) as error:
            return Later(str(error))

    def _complain(self, canary: Object, text: str) -> None:
        self._journal.tell(Emit(text, warning=True), canary, None)


def _subscribed(canary: Object) -> tuple[Subscription, ...]:
    """Of a Canary that may be wrong elsewhere; where they cannot be read there are none."""
    try:
        return subscriptions((canary.get("spec") or {}).get("analysis") or {})
    except SpecError:
        return ()

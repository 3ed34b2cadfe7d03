"""The loop: look, plan, store, act, for one application at a time, and only when something concerns it.

What is decided is `plan`'s business; here is only the order that makes it safe: the status is stored before the
actions that rest on it, and whatever fails is looked at again, later and later.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from analyzer import telemetry
from analyzer.actions import Plan
from analyzer.agenda import Agenda, Key
from analyzer.anchor import Anchor
from analyzer.attempts import AGAIN, Attempts
from analyzer.cluster import Cluster
from analyzer.conditions import to_object
from analyzer.custody import Custody
from analyzer.examine import examined
from analyzer.farewell import is_outdated
from analyzer.fields import SpecError
from analyzer.kube.errors import ApiError, Conflict, Expired, Fenced, NotFound, Refused
from analyzer.kube.resources import CANARIES
from analyzer.measurements import Measurements
from analyzer.metrics import validate
from analyzer.observe import Neighbours, View, look, neighbours_of
from analyzer.pace import Pace
from analyzer.perform import Findings, Performer
from analyzer.plan import plan
from analyzer.policies import Policies
from analyzer.removal import Removal
from analyzer.routing import Router
from analyzer.spec import Spec, parse
from analyzer.status import Ending, Outcome, Phase, Status, from_object
from analyzer.witness import Witness
from analyzer.wording import shown

Object = dict[str, Any]

ROUNDS = 20  # plan and act this often in one go before another application has its turn

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The wall clock: what is stored in a status must mean the same to the next process."""
    return datetime.now(UTC)


class Controller:
    """Works off an agenda with a few threads."""

    def __init__(
        self,
        cluster: Cluster,
        agenda: Agenda,
        performer: Performer,
        router: Router,
        measurements: Measurements,
        policies: Policies,
        custody: Custody,
        witness: Witness,
        removal: Removal,
        anchor: Anchor,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._cluster = cluster
        self._agenda = agenda
        self._performer = performer
        self._router = router
        self._measurements = measurements
        self._policies = policies
        self._custody = custody
        self._witness = witness
        self._removal = removal
        self._anchor = anchor
        self._now = now
        self._since = now()
        self._attempts = Attempts()
        self._pace = Pace()
        self._neighbours: dict[Key, tuple[str, Neighbours]] = {}
        self._orphans: dict[Key, Status] = {}

    def start(self, workers: int = 16) -> None:
        """Begin to work; ends when the agenda is closed."""
        self._custody.start()
        for number in range(workers):
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True).start()

    def _work(self) -> None:
        while (key := self._agenda.take()) is not None:
            try:
                wake = self._pace.wait(key) or self.attend(key)
            finally:
                self._agenda.done(key)
            if wake is not None:
                self._agenda.add(key, wake)

    def attend(self, key: Key) -> float | None:
        """All that there is to do for one application; returns in how many seconds to look again, if at all.

        What is held in custody comes before the rest: it may be deleted at any moment.
        """
        with telemetry.RECONCILE_SECONDS.time():
            return self._attempts.all_of(
                key,
                lambda _: self._anchor.settle(),
                lambda key: self._custody.settle(key, over=self._is_over(key)),
                self._policies.settle,
                self._witness.settle,
                self._tell_rivals,
                self.reconcile,
            )

    def reconcile(self, key: Key) -> float | None:
        """Look, plan, store and act until that is all for now; returns in how many seconds to look again, if at all."""
        findings: Findings = {}
        for _ in range(ROUNDS):
            canary = self._cluster.canary_for(key)
            status = from_object(canary) if canary else self._orphaned(key)
            if status is None:
                self._forget(key)
                self._pace.forget(key)
                return None
            result, findings = self._round(key, canary, status, findings)
            if not findings and result.wake != 0:
                return result.wake
        return AGAIN

    def _round(self, key: Key, canary: Object | None, status: Status, findings: Findings) -> tuple[Plan, Findings]:
        spec, unusable = _spec(key, canary)
        view = look(self._cluster, key, spec, status, self._router, self._around(key, status))
        if view.seen.obstacle:
            self._neighbours.pop(key, None)  # they may be what is in the way, and be gone by the next look
        leaving = self._removal.reason
        seen = examined(self._cluster, view, status, self._now())
        checks = self._measurements.take(key, view.occasion)
        seen = replace(seen, unusable=leaving or unusable, checks=checks, since=self._since)
        result = plan(spec, self._known(status, view), shown(replace(seen, **findings)), self._now())
        after = result.status
        if leaving and not after.phase.in_flight:
            after = replace(after, guarded=False)
        self._store(key, canary, status, after)
        found: Findings = {}
        for action in result.actions:
            telemetry.ACTIONS.labels(type(action).__name__).inc()
            try:
                found |= self._performer.perform(action, view)
            except (Conflict, Fenced, NotFound, Expired):
                raise  # the world has moved on: look again
            except ApiError as error:
                if not (isinstance(error, Refused) or result.status.phase.in_flight):
                    raise  # at rest no deadline ends it: try again, later and later
                log.warning("%s/%s: %s was refused: %s", *key, type(action).__name__, error)
                return result, {"refused": error.message}
        return result, found

    def _is_over(self, key: Key) -> bool:
        """Whether Detour is being removed, and nothing of this application is on its way any more."""
        if not self._removal.reason:
            return False
        canary = self._cluster.canary_for(key)
        in_flight = canary is not None and from_object(canary).phase.in_flight
        return not self._cluster.has_parts(key) and not in_flight

    def _known(self, status: Status, view: View) -> Status:
        """What waited since another installation does not run by itself, if the primary is another by now."""
        if view.primary is None or view.waiting is None or not is_outdated(view.primary):
            return status
        return status.remember_rejected(view.waiting.digest)

    def _tell_rivals(self, key: Key) -> None:
        found = self._cluster.canaries_for(key)
        for rival in found[1:]:
            name = found[0]["metadata"]["name"]
            problem = f"Canary {name} has this target, too, and is older: delete one of the two"
            status = from_object(rival)
            self._store(key, rival, status, replace(status, guarded=False, problem=problem))

    def _around(self, key: Key, status: Status) -> Neighbours | None:
        """The neighbours are asked for once a revision, again after an obstacle, and forgotten at rest."""
        if not status.phase.in_flight:
            self._forget(key)
            return None
        known, neighbours = self._neighbours.get(key, ("", None))
        if neighbours is None or known != status.revision:
            neighbours = neighbours_of(self._cluster, key[0])
            self._neighbours[key] = (status.revision, neighbours)
        return neighbours

    def _forget(self, key: Key) -> None:
        self._neighbours.pop(key, None)
        self._measurements.forget(key)

    def _store(self, key: Key, canary: Object | None, before: Status, after: Status) -> None:
        if canary is None:
            self._orphans[key] = after
            return
        generation = canary["metadata"].get("generation", 0)
        after = replace(after, observed_generation=generation)
        if after != before:
            body = {**canary, "status": to_object(after, canary.get("status") or {}, self._now())}
            self._cluster.canaries.learn(self._cluster.client.replace_status(CANARIES, body))

    def _orphaned(self, key: Key) -> Status | None:
        """Without a Canary nothing may be left: what is there goes the ordinary way out, and the target is let go."""
        if self._cluster.has_parts(key):
            ending = Ending(Outcome.CANCELLED, "the Canary was deleted")
            known = self._orphans.setdefault(key, Status(phase=Phase.PROGRESSING, ending=ending))
            if known.phase.in_flight:
                return known
        self._orphans.pop(key, None)
        self._policies.let_go(key)
        return None


def _spec(key: Key, canary: Object | None) -> tuple[Spec, str]:
    """The spec, and what is wrong with it. Without a usable one, what is in flight still has its way out to go."""
    way_out = Spec(key[1], interval=60, threshold=1, steps=(100,), progress_deadline=600)
    if canary is None:
        return way_out, ""
    try:
        spec = parse(canary)
        validate(spec.metrics, key[0])
        return spec, ""
    except SpecError as error:
        return way_out, str(error)

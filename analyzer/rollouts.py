"""One rollout: look, plan, store, act, until that is all for now.

What is decided is `plan`'s business; here is only the order that makes it safe: the status is stored before the
actions that rest on it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from analyzer import telemetry, trace
from analyzer.actions import Emit, Plan
from analyzer.afterwards import marked
from analyzer.agenda import Key
from analyzer.alerts.herald import Herald
from analyzer.attempts import AGAIN
from analyzer.beginning import begins
from analyzer.cluster import Cluster
from analyzer.farewell import is_outdated
from analyzer.fields import SpecError
from analyzer.kube.errors import ApiError, Conflict, Expired, Fenced, NotFound, Refused
from analyzer.lookout import Lookout
from analyzer.metrics import validate
from analyzer.perform import Findings, Performer
from analyzer.places import Places, Turn
from analyzer.plan import plan
from analyzer.policies import Policies
from analyzer.remember import remember
from analyzer.removal import Removal
from analyzer.seen import Seen
from analyzer.spec import Spec, parse
from analyzer.status import Ending, Outcome, Phase, Status
from analyzer.stored import from_object, to_object
from analyzer.strategy import Strategy
from analyzer.view import View
from analyzer.wording import shown
from webhook.revision import short

Object = dict[str, Any]

ROUNDS = 20  # plan and act this often in one go before another application has its turn

log = logging.getLogger(__name__)


class Rollouts:
    """Works on one application at a time."""

    def __init__(
        self,
        cluster: Cluster,
        lookout: Lookout,
        performer: Performer,
        policies: Policies,
        removal: Removal,
        herald: Herald,
        places: Places,
        now: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._lookout = lookout
        self._performer = performer
        self._policies = policies
        self._removal = removal
        self._herald = herald
        self._places = places
        self._now = now
        self._orphans: dict[Key, Status] = {}

    def reconcile(self, key: Key) -> float | None:
        """Look, plan, store and act until that is all for now; returns in how many seconds to look again, if at all."""
        findings: Findings = {}
        for _ in range(ROUNDS):
            with self._places.attended(key) as ask:
                canary = self._cluster.canary_for(key)
                status = from_object(canary) if canary else self._orphaned(key)
                if status is None:
                    self._lookout.forget(key)
                    return None
                result, findings = self._round(key, canary, status, findings, ask)
            if not findings and result.wake != 0:
                return result.wake
        return AGAIN

    def knows(self, key: Key) -> bool:
        """Whether there is a Canary for it, or a rest of one."""
        return key in self._orphans or self._cluster.canary_for(key) is not None

    def is_over(self, key: Key) -> bool:
        """Whether Detour is being removed, and nothing of this application is on its way any more."""
        if not self._removal.reason:
            return False
        canary = self._cluster.canary_for(key)
        in_flight = canary is not None and from_object(canary).phase.in_flight
        return not self._cluster.has_parts(key) and not in_flight

    def tell_rivals(self, key: Key) -> None:
        """Of several Canaries with one target all but the oldest are told that they do not count."""
        found = self._cluster.canaries_for(key)
        for rival in found[1:]:
            name = found[0]["metadata"]["name"]
            problem = f"Canary {name} has this target, too, and is older: delete one of the two"
            status = from_object(rival)
            self._store(key, rival, status, replace(status, guarded=False, problem=problem))

    def _round(
        self, key: Key, canary: Object | None, status: Status, findings: Findings, ask: Turn
    ) -> tuple[Plan, Findings]:
        began = time.monotonic()
        spec, unusable = _spec(key, canary)
        view = self._lookout.look(key, spec, status)
        leaving = self._removal.reason
        seen = shown(replace(view.seen, unusable=leaving or unusable, **findings))
        result = self._planned(spec, _known(status, view), seen, ask)
        after = result.status
        if leaving and not after.phase.in_flight:
            after = replace(after, guarded=False)
        emitted = [action for action in result.actions if isinstance(action, Emit)]
        after = self._herald.posted(key, canary, after, emitted, self._now())
        trace.note(revision=short(after.revision))
        self._store(key, canary, status, after)
        if canary and canary["metadata"].get("generation", 0) > status.observed_generation:
            for note in spec.notes:
                self._performer.perform(Emit(note, warning=True), view)
        found = self._carry_out(result, view)
        if after.phase.in_flight:
            telemetry.looked(key, time.monotonic() - began)
        return result, found

    def _planned(self, spec: Spec, status: Status, seen: Seen, ask: Turn) -> Plan:
        """What begins has a place, or waits for one. Only what would begin asks for it: most looks do not."""
        now = self._now()
        planned = plan(spec, status, seen, now)
        if begins(status, planned.status) and (queued := ask(status.queued or now)):
            return plan(spec, status, replace(seen, queued=queued), now)
        return planned

    def _carry_out(self, result: Plan, view: View) -> Findings:
        """Act on a plan as far as it goes: where an action is refused, the plan is asked what to make of that."""
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
                log.warning("%s/%s: %s was refused: %s", *view.key, type(action).__name__, error)
                return {"refused": error.message}
        return found

    def _store(self, key: Key, canary: Object | None, before: Status, after: Status) -> None:
        if canary is None:
            self._orphans[key] = after
            return
        generation = canary["metadata"].get("generation", 0)
        after = replace(marked(canary, before, after), observed_generation=generation)
        if after != before:
            body = {**canary, "status": to_object(after, canary.get("status") or {}, self._now())}
            remember(self._cluster, body)
            _count(key, before, after)

    def _orphaned(self, key: Key) -> Status | None:
        """Without a Canary nothing may be left: what is there goes the ordinary way out, and the target is let go."""
        if self._cluster.has_parts(key):
            flaggers = self._cluster.left_to_flagger(key)
            why = "its Canary is left to Flagger, which runs here" if flaggers else "the Canary was deleted"
            ending = Ending(Outcome.CANCELLED, why)
            known = self._orphans.setdefault(key, Status(phase=Phase.PROGRESSING, ending=ending))
            if known.phase.in_flight:
                return known
        self._orphans.pop(key, None)
        self._policies.let_go(key)
        return None


def _count(key: Key, before: Status, after: Status) -> None:
    """An ending counts once it is stored."""
    if after.history[-1:] != before.history[-1:]:
        last = after.history[-1]
        began, ended = (datetime.fromisoformat(last[at]) for at in ("startTime", "endTime"))
        telemetry.ended(key, last["outcome"], (ended - began).total_seconds(), analysed=not after.waived)


def _known(status: Status, view: View) -> Status:
    """What waited since another installation does not run by itself, if the primary is another by now."""
    if view.primary is None or view.waiting is None or not is_outdated(view.primary):
        return status
    return status.remember_rejected(view.waiting.digest)


def _spec(key: Key, canary: Object | None) -> tuple[Spec, str]:
    """The spec, and what is wrong with it. Without a usable one, what is in flight still has its way out to go."""
    way_out = Spec(key[1], interval=60, threshold=1, strategy=Strategy((100,)), progress_deadline=600)
    if canary is None:
        return way_out, ""
    try:
        spec = parse(canary)
        validate(spec.metrics, key[0])
        return spec, ""
    except SpecError as error:
        return way_out, str(error)

"""The way out of canaries whose analyzer is dead, in its order: routes, a while, Services and pods, then what is held.

It knows nothing of verdicts. What a primary runs it keeps, be it the new version in the middle of a promotion.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from analyzer import memory, workload
from analyzer.holdings import LABEL, holders
from analyzer.kube.errors import Conflict, NotFound
from analyzer.kube.resources import CANARIES, DEPLOYMENTS
from analyzer.routes import give_back
from analyzer.routing.mark import Mark
from analyzer.spec import Spec
from analyzer.status import Status
from analyzer.stored import from_object, to_object
from analyzer.strategy import Strategy
from detour.installation import PARTS, ROUTES, Installation, names
from detour.person import Problem
from webhook import stash

Object = Mapping[str, Any]
Tell = Callable[[str], None]

PRIMARY_READY = 60.0  # seconds that a primary has which is rolling
GONE_WITHIN = 90.0
LOOK_EVERY = 0.5
ORDINARY = Spec("", interval=60, threshold=1, strategy=Strategy((100,)), progress_deadline=600)
DRAIN = ORDINARY.drain + ORDINARY.propagation


def take_back(here: Installation, tell: Tell) -> None:
    """Everything that rollouts have put into the cluster goes, and no request with it. Raises Problem."""
    if routes := [*here.made(*ROUTES), *here.split()]:
        until(lambda: not _rolling(here), PRIMARY_READY, "the primaries are ready", tell, must=False)
        tell(f"all traffic goes to the primaries: {names(routes)}")
        here.delete(*here.made(*ROUTES))
        until(lambda: not here.made(*ROUTES), GONE_WITHIN, "the canaries' routes are gone", tell)
        until(lambda: _given_back(here), GONE_WITHIN, "the users' routes are as they were", tell)
        tell(f"what is under way to the canaries has {DRAIN:.0f} s")
        time.sleep(DRAIN)
    if parts := here.made(*PARTS):
        tell(f"the canaries go: {names(parts)}")
        here.delete(*parts)
        until(lambda: not here.made(*PARTS), GONE_WITHIN, "the canaries are gone", tell)
    release(here, tell)
    _rest(here)


def release(here: Installation, tell: Tell) -> None:
    """Let go of ConfigMaps, Secrets and ServiceAccounts; one that was deleted meanwhile goes by that."""
    if held := here.held():
        tell(f"no longer held: {names(held)}")
    for resource, found in held:
        metadata = found["metadata"]
        ours = [f"{name}.{LABEL}" for name in holders(found)]
        body = {"$deleteFromPrimitiveList/finalizers": ours, "labels": {LABEL: None}}
        with suppress(NotFound):
            here.client.mark(resource, metadata["namespace"], metadata["name"], body)


def until(condition: Callable[[], bool], seconds: float, what: str, tell: Tell, *, must: bool = True) -> bool:
    """Wait for it. Raises Problem if it `must` come about and does not."""
    deadline, told = time.monotonic() + seconds, time.monotonic()
    while not condition():
        if time.monotonic() > deadline:
            if must:
                raise Problem(f"not within {seconds:.0f} s: {what}; see why, and call this again: it carries on")
            tell(f"not within {seconds:.0f} s: {what}; going on")
            return False
        if time.monotonic() - told > 10:
            tell(f"waiting until {what}")
            told = time.monotonic()
        time.sleep(LOOK_EVERY)
    return True


def _given_back(here: Installation) -> bool:
    """Whether no canary is in a user's route any more; one that is written at this moment is for the next time."""
    for _, found in here.split():
        with suppress(NotFound, Conflict):
            give_back(here.client, found, *Mark.on(found).canaries)
    return not here.split()


def _rolling(here: Installation) -> list[Object]:
    """The primaries of canaries that do not have all their pods."""
    owners = {
        (found["metadata"]["namespace"], owner["name"])
        for _, found in here.made(DEPLOYMENTS)
        for owner in found["metadata"].get("ownerReferences") or ()
    }
    found = []
    for namespace, name in owners:
        with suppress(NotFound):
            found.append(here.client.get(DEPLOYMENTS, namespace, name))
    return [primary for primary in found if not workload.settled(primary).ready]


def _rest(here: Installation) -> None:
    """A Canary that stays says that nothing is in flight, or the next installation would carry on in the middle."""
    try:
        canaries = here.client.list(CANARIES).get("items") or ()
    except NotFound:
        return
    for canary in canaries:
        status = from_object(canary)
        if status.phase.in_flight or status.guarded:
            with suppress(NotFound, Conflict):
                here.client.replace_status(CANARIES, {**canary, "status": _rested(canary, status)})


def _rested(canary: Object, status: Status) -> dict[str, Any]:
    resting = replace(status, weight=0).rest() if status.phase.in_flight else status
    resting = replace(resting, guarded=False, problem="Detour was removed")
    return memory.like(canary, to_object(resting, canary.get("status") or {}, datetime.now(UTC)))


def waiting(deployment: Object) -> stash.Stash | None:
    """What waits on a Deployment; None also where it cannot be read."""
    try:
        return stash.diverted(dict(deployment))
    except stash.StashError:
        return None

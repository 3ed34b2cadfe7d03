"""The way out of canaries whose analyzer is dead, in its order: routes, a while, Services and pods, then what is held.

It knows nothing of verdicts. What a primary runs it keeps, be it the new version in the middle of a promotion.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

from analyzer import memory, workload
from analyzer.holdings import LABEL, holders
from analyzer.kube.errors import Conflict, NotFound
from analyzer.kube.resources import CANARIES, DEPLOYMENTS, PODS
from analyzer.members import JOINS
from analyzer.routes import give_back
from analyzer.routing.mark import Mark
from analyzer.spec import Spec
from analyzer.status import Status
from analyzer.stored import from_object, to_object
from analyzer.strategy import Strategy
from detour.installation import PARTS, ROUTES, Installation, names
from detour.person import Problem
from webhook import stash
from webhook.stash import CANARY_OF

Object = Mapping[str, Any]
Labels = Mapping[str, str]
Tell = Callable[[str], None]

PRIMARY_READY = 60.0  # seconds that a primary has which is rolling
GONE_WITHIN = 90.0
LOOK_EVERY = 0.5
ORDINARY = Spec("", interval=60, threshold=1, strategy=Strategy((100,)), progress_deadline=600)
DRAIN = ORDINARY.drain + ORDINARY.propagation


def take_back(here: Installation, tell: Tell) -> None:
    """Everything that rollouts have put into the cluster goes, and no request with it. Raises Problem."""
    if ways := [*here.made(*ROUTES), *here.split(), *((PODS, pod) for pod, _ in joined(here))]:
        until(lambda: not _rolling(here), PRIMARY_READY, "the primaries are ready", tell, must=False)
        tell(f"all traffic goes to the primaries: {names(ways)}")
        here.delete(*here.made(*ROUTES))
        until(lambda: not here.made(*ROUTES), GONE_WITHIN, "the canaries' routes are gone", tell)
        until(lambda: _given_back(here), GONE_WITHIN, "the users' routes are as they were", tell)
        until(lambda: _parted(here), GONE_WITHIN, "the canaries' pods are in no Service of the users'", tell)
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


def joined(here: Installation) -> list[tuple[dict[str, Any], Labels]]:
    """The canaries' pods that are in Services of their primaries, and the labels of their own with which they are not.

    Only those of canaries by the ratio of replicas ever are.
    """
    owners = [found for _, found in here.made(DEPLOYMENTS) if JOINS in (found["metadata"].get("annotations") or {})]
    found = list[tuple[dict[str, Any], Labels]]()
    for owner, (_, pod) in product(owners, here.made(PODS) if owners else ()):
        own, now = owner["spec"]["template"]["metadata"]["labels"], pod["metadata"]["labels"]
        theirs = {key: value for key, value in own.items() if now.get(key) != value}
        same = owner["metadata"]["namespace"] == pod["metadata"]["namespace"] and own[CANARY_OF] == now[CANARY_OF]
        if theirs and same and "deletionTimestamp" not in pod["metadata"]:
            found.append((pod, theirs))
    return found


def _parted(here: Installation) -> bool:
    """Whether no pod of a canary is in a Service of the primary any more; one that is changed now is for next time."""
    for pod, labels in joined(here):
        metadata = pod["metadata"]
        body = {"metadata": {"resourceVersion": metadata["resourceVersion"], "labels": dict(labels)}}
        with suppress(NotFound, Conflict):
            here.client.merge(PODS, metadata["namespace"], metadata["name"], body)
    return not joined(here)


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

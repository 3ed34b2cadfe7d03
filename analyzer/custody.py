"""Holds what the primary's next pod needs, and the manifest of the next version no longer names, until the end.

Everything follows from what stands on the Deployment and on the held objects, so it may be interrupted anywhere. A
rollout never waits for it: what cannot be held is told, once, on the Deployment.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from analyzer.actions import Emit
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.holdings import is_being_deleted, is_to_be_retired
from analyzer.journal import Journal
from analyzer.kube.errors import ApiError, Conflict, Expired, NotFound, Refused, Unreachable
from analyzer.kube.resources import SECRETS
from analyzer.references import Reference, Templates, duty
from webhook import stash

Object = Mapping[str, Any]

SOON, LATER = 1.0, 30.0  # seconds until what did not succeed is tried again

log = logging.getLogger(__name__)


class Custody:
    """Works on one application at a time. `again` is asked to look at one once more, in so many seconds."""

    def __init__(self, cluster: Cluster, journal: Journal, again: Callable[[Key, float], None]) -> None:
        self._cluster = cluster
        self._holdings = cluster.holdings
        self._journal = journal
        self._again = again
        self._known: dict[Key, _Known] = {}

    def start(self) -> None:
        """Begin with what a process before us has held."""
        threading.Thread(target=self._find_secrets, name="custody", daemon=True).start()

    def _find_secrets(self) -> None:
        every = (str(namespace["metadata"]["name"]) for namespace in self._cluster.namespaces.all())
        left = [namespace for namespace in every if namespace in self._cluster.scope]
        while left:
            left = [namespace for namespace in left if not self._found_secrets(namespace)]
            time.sleep(LATER if left else 0)

    def _found_secrets(self, namespace: str) -> bool:
        try:
            self._holdings.find_secrets(namespace)
        except (ApiError, Unreachable) as error:
            log.warning("held Secrets of namespace %s cannot be looked for: %s", namespace, error)
            return False
        return True

    def settle(self, key: Key, *, over: bool = False) -> None:
        """Hold what has to be held, and let go of the rest; of everything, if it is `over`. Raises Unreachable."""
        held = self._holdings.of(key)
        primary = None if over else self._primary(key, needed=bool(held))
        try:
            templates = _templates(primary) if primary else None
        except stash.StashError:
            return  # the plan says so; nothing changes until it can be read
        todo = duty(templates, {reference: is_being_deleted(found) for reference, found in held.items()})
        known = self._known_of(key, primary)
        for reference in sorted(todo.hold - known.vain):
            self._hold(key, reference, known)
        for reference in sorted(todo.release):
            self._release(key, reference, held[reference])
        for reference in sorted(held.keys() - todo.release):
            self._retire(key, reference, held[reference])
            self._tell_if_kept(key, reference, held[reference], known)
        if not held and not todo.hold:
            self._known.pop(key, None)

    def _primary(self, key: Key, *, needed: bool) -> Object | None:
        """None once its pods are not wanted any more: nothing may be in the way of those who delete."""
        target = self._cluster.targets.get(*key)
        namespace = self._cluster.namespaces.get("", key[0])
        if target is None or is_being_deleted(target) or namespace is None or is_being_deleted(namespace):
            return None
        return self._cluster.primary(key, needed=needed)

    def _known_of(self, key: Key, primary: Object | None) -> "_Known":
        """With another revision everything is tried again."""
        labels = primary["metadata"].get("labels") or {} if primary else {}
        revision = str(labels.get(stash.REVISION, ""))
        known = self._known.setdefault(key, _Known(revision))
        if known.revision != revision:
            known.revision, known.vain = revision, set()
        return known

    def _hold(self, key: Key, reference: Reference, known: "_Known") -> None:
        try:
            self._hold_or_restore(key, reference)
            log.info("%s is held for %s/%s", reference, *key)
        except (NotFound, Refused, Expired) as error:
            known.vain.add(reference)
            if not (isinstance(error, NotFound | Expired) and reference.optional):
                self._tell(key, _why_not(key, reference, error))
        except ApiError as error:
            log.warning("%s cannot be held for %s/%s, again in %.0f s: %s", reference, *key, SOON, error)
            self._again(key, SOON)

    def _hold_or_restore(self, key: Key, reference: Reference) -> None:
        try:
            self._holdings.hold(key, reference)
        except NotFound:
            self._holdings.restore(key, reference)
            log.info("%s was gone already, and has been put back for %s/%s", reference, *key)

    def _release(self, key: Key, reference: Reference, found: Object) -> None:
        """What has changed since we heard of it is marked, and so heard of, again: it may be being deleted by now."""
        try:
            self._holdings.release(key, reference, dict(found))
            log.info("%s is no longer held for %s/%s", reference, *key)
        except NotFound:
            self._holdings.forget(key, reference)
        except Conflict:
            self._refresh(key, reference)
            self._again(key, SOON)
        except ApiError as error:
            log.warning("%s cannot be let go of for %s/%s, again in %.0f s: %s", reference, *key, LATER, error)
            self._again(key, LATER)

    def _refresh(self, key: Key, reference: Reference) -> None:
        try:
            self._holdings.hold(key, reference)
        except NotFound:
            self._holdings.forget(key, reference)
        except ApiError as error:
            log.warning("%s is not what it was for %s/%s: %s", reference, *key, error)

    def _retire(self, key: Key, reference: Reference, found: Object) -> None:
        if is_to_be_retired(found):
            try:
                self._holdings.retire(key, reference, dict(found))
            except ApiError as error:
                log.warning("%s for %s/%s cannot be deleted, again in %.0f s: %s", reference, *key, LATER, error)
                self._again(key, LATER)

    def _tell_if_kept(self, key: Key, reference: Reference, found: Object, known: "_Known") -> None:
        if is_being_deleted(found) and reference not in known.told:
            known.told.add(reference)
            self._tell(key, _kept(key, reference))

    def _tell(self, key: Key, text: str) -> None:
        self._journal.tell(Emit(text, warning=True, milestone=True), None, self._cluster.targets.get(*key))


@dataclass(slots=True)
class _Known:
    """What spares repetition, and may be lost: what could not be held for a revision, and what has been told."""

    revision: str
    vain: set[Reference] = field(default_factory=set)
    told: set[Reference] = field(default_factory=set)


def _templates(primary: Object) -> Templates:
    waiting, previous = stash.diverted(dict(primary)), stash.previous(dict(primary))
    return Templates(
        primary["spec"]["template"], waiting.template if waiting else None, previous.template if previous else None
    )


def _kept(key: Key, reference: Reference) -> str:
    force = f"kubectl -n {key[0]} patch {reference.kind.lower()} {reference.name} --type=merge -p"
    return (
        f"{reference} was deleted and is kept until {key[1]}.{key[0]} no longer runs the version that needs it; "
        f'by force: {force} \'{{"metadata":{{"finalizers":null}}}}\''
    )


def _why_not(key: Key, reference: Reference, error: ApiError) -> str:
    why = f"{reference}, which {key[1]}.{key[0]} needs to start a pod,"
    if isinstance(error, NotFound | Expired):
        return f"{why} is gone already: create it again, or no pod of the running version can start"
    if error.status == 403 and reference.kind == SECRETS.kind:
        return (
            f"{why} cannot be held: keep it until the canary is over, or bind the ClusterRole detour-secret-holder "
            f"to the analyzer in namespace {key[0]} before the next update"
        )
    return f"{why} cannot be held, keep it until the canary is over: {error.message}"

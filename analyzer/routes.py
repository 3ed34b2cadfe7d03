"""Routes brought about: ours are made and deleted, the user's are changed, and given back as if they never had been.

A route of the user's is changed only as it was when that was decided (its resourceVersion is a condition of the write),
in two writes: the second one hands its fields back to whoever managed them, and only then is the mark as it should be.
So a process that dies in between is followed by one that sees what is missing.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.compare import find, holds
from analyzer.kube.client import FIELD_MANAGER, Client
from analyzer.kube.errors import Conflict, NotFound
from analyzer.kube.resources import HTTP_ROUTES
from analyzer.routing.handback import handed_back, owners
from analyzer.routing.mark import SPLIT, Mark
from analyzer.routing.rules import Canaries, Rule, alone
from webhook.stash import CANARY_OF

Object = Mapping[str, Any]

CHOOSES = re.compile(r"/canary($|-)")


class Routes:
    """Those of all kinds, in one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._watches = {watch.resource.kind: watch for watch in cluster.routes}

    def of(self, key: Key) -> tuple[Object, ...]:
        """What is there for the canary of an application: ours, and the user's in which it may be."""
        return tuple(found for watch in self._cluster.routes for found in self._cluster.parts(watch, key))

    def are(self, key: Key, wanted: Sequence[Object]) -> bool:
        """Whether exactly that is there."""
        return len(self.of(key)) == len(wanted) and all(self._is(key, each) for each in wanted)

    def bring(self, key: Key, wanted: Sequence[dict[str, Any]]) -> None:
        """Make it so. What our own routes choose is there before the shares of all others; what goes, goes first."""
        self.clear(key, keep={(each["kind"], each["metadata"]["name"]) for each in wanted})
        for each in sorted(wanted, key=lambda one: not is_made_by_us(one)):
            if not self._is(key, each):
                self._write(key, each)

    def clear(self, key: Key, keep: Collection[tuple[str, str]] = ()) -> None:
        """Delete ours, and take what is ours out of the user's, but for those of these kinds and names."""
        for found in self.of(key):
            metadata = found["metadata"]
            if (found["kind"], metadata["name"]) in keep or "deletionTimestamp" in metadata:
                continue
            watch = self._watches[found["kind"]]
            if is_made_by_us(found):
                self._cluster.client.delete(watch.resource, metadata["namespace"], metadata["name"], metadata["uid"])
            else:
                watch.learn(give_back(self._cluster.client, found, key[1]))

    def _is(self, key: Key, wanted: Object) -> bool:
        there = tuple(each for each in self.of(key) if each["kind"] == wanted["kind"])
        found = find(there, wanted)
        if found is None:
            return False
        if is_made_by_us(wanted):
            return holds(found, wanted) and _shape(found) == _shape(wanted) and not surplus(found, wanted)
        same_mark = Mark.on(found) == Mark.on(wanted)
        return same_mark and found["spec"].get("rules") == wanted["spec"]["rules"]

    def _write(self, key: Key, wanted: dict[str, Any]) -> None:
        watch, client = self._watches[wanted["kind"]], self._cluster.client
        if is_made_by_us(wanted):
            made = client.apply(watch.resource, wanted)
            if others := surplus(made, wanted):
                body = {"metadata": {"annotations": dict.fromkeys(others)}}
                made = client.merge(watch.resource, key[0], made["metadata"]["name"], body).object
            watch.learn(made)
            return
        found = watch.get(key[0], wanted["metadata"]["name"])
        if found is None:
            raise NotFound(404, "NotFound", str(wanted["metadata"]["name"]))
        watch.learn(rewrite(client, found, wanted["spec"]["rules"], Mark.on(wanted)))


def is_made_by_us(route: Object) -> bool:
    """Whether a route is none of the user's."""
    return CANARY_OF in (route["metadata"].get("labels") or {})


def surplus(found: Object | None, wanted: Object) -> list[str]:
    """The annotations of a canary Ingress that choose requests for it, and are no longer wanted, whosever they are."""
    there, meant = ((each or wanted)["metadata"].get("annotations") or {} for each in (found, wanted))
    return [name for name in there if CHOOSES.search(name) and name not in meant]


def _shape(route: Object) -> list[tuple[set[str], list[set[str]]]]:
    """Which fields its rules and their references have: with one more a route of ours does more than is wanted."""
    rules = route["spec"].get("rules") or ()
    return [(set(rule), [set(ref) for ref in rule.get("backendRefs") or ()]) for rule in rules]


def give_back(client: Client, found: Object, *primaries: str) -> dict[str, Any]:
    """The user's route without these canaries. Raises Conflict where it is no longer as it was found."""
    mark, rules = Mark.on(found), found["spec"].get("rules") or []
    for primary in primaries:
        rules = alone(rules, Canaries(found["metadata"]["namespace"], mark.of(primary)))
        mark = mark.taken(primary)
    return rewrite(client, found, rules, mark)


def rewrite(client: Client, found: Object, rules: list[Rule], mark: Mark) -> dict[str, Any]:
    """The user's route with these rules and that mark. Raises Conflict where it is no longer as it was found."""
    where = found["metadata"]["namespace"], found["metadata"]["name"]
    known = client.get(HTTP_ROUTES, *where)
    if known["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
        raise Conflict(409, "Conflict", where[1])
    before = Mark.on(known)
    whose = owners(known, FIELD_MANAGER) or before.owners
    if rules != known["spec"].get("rules"):
        noted = replace(mark, canaries={**before.canaries, **mark.canaries}, owners=whose)
        known = client.merge(HTTP_ROUTES, *where, _body(known, noted) | {"spec": {"rules": rules}}).object
    elif not before.owners:
        return client.merge(HTTP_ROUTES, *where, _body(known, mark)).object
    body = _body(known, mark)
    if book := handed_back(known, whose, FIELD_MANAGER):
        body["metadata"]["managedFields"] = book
    return client.merge(HTTP_ROUTES, *where, body).object


def _body(known: Object, mark: Mark) -> dict[str, Any]:
    """A merge patch; a mark that says nothing goes."""
    version = known["metadata"]["resourceVersion"]
    return {"metadata": {"resourceVersion": version, "annotations": {SPLIT: mark.text or None}}}

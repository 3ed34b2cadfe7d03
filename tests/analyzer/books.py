"""An API server of HTTPRoutes that keeps books of who manages their rules, by the rules of server-side apply."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from analyzer.kube.answers import Answer
from analyzer.kube.client import FIELD_MANAGER, Client
from analyzer.kube.errors import Conflict, NotFound
from analyzer.kube.resources import Resource
from tests.merging import merged

Object = dict[str, Any]


class Died(Exception):
    """The process that wrote is no more."""


class Books(Client):
    """One namespace. Dies after as many writes as `lives` says."""

    def __init__(self) -> None:
        self.stored: dict[str, Object] = {}
        self.writes = 0
        self.lives: int | None = None
        self._version = 10

    def apply_as(self, manager: str, route: Object) -> None:
        """What a user or his tool does. Raises Conflict where another manages the rules, and they would change."""
        name = route["metadata"]["name"]
        there = self.stored.get(name) or {"metadata": {**route["metadata"], "managedFields": []}, "spec": {}}
        book = there["metadata"]["managedFields"]
        if there["spec"].get("rules") != route["spec"]["rules"]:
            for entry in book:
                if entry["manager"] != manager and has_rules(entry):
                    raise Conflict(409, "Conflict", f'conflict with "{entry["manager"]}": .spec.rules')
        book = [entry for entry in book if entry["manager"] != manager]
        fields: Object = {"f:spec": {"f:hostnames": {}, "f:rules": {}}}
        book.append({"manager": manager, "operation": "Apply", "apiVersion": route["apiVersion"], "fieldsV1": fields})
        kept = {**there["metadata"], "managedFields": book}
        self._store({**there, **route, "metadata": kept, "spec": deepcopy(route["spec"])})

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        """As it is, book included."""
        if name not in self.stored:
            raise NotFound(404, "NotFound", name)
        return deepcopy(self.stored[name])

    def merge(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, dry_run: bool = False
    ) -> Answer:
        """A merge patch by us: what it changes of the rules is ours from then on, whatever the book in it says."""
        there = self.get(resource, namespace, name)
        if body["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
            raise Conflict(409, "Conflict", name)
        after = merged(there, body)
        if after["spec"]["rules"] != there["spec"]["rules"]:
            for entry in after["metadata"]["managedFields"]:
                entry["fieldsV1"].get("f:spec", {}).pop("f:rules", None)
            mine = {"manager": FIELD_MANAGER, "operation": "Update", "apiVersion": after["apiVersion"]}
            after["metadata"]["managedFields"].append({**mine, "fieldsV1": {"f:spec": {"f:rules": {}}}})
        self._store(after)
        self.writes += 1
        if self.lives is not None and self.writes >= self.lives:
            raise Died
        return Answer(self.get(resource, namespace, name), ())

    def _store(self, route: Object) -> None:
        self._version += 1
        route["metadata"]["resourceVersion"] = str(self._version)
        self.stored[route["metadata"]["name"]] = route


def has_rules(entry: Mapping[str, Any]) -> bool:
    """Whether a manager manages the rules."""
    return "f:rules" in entry["fieldsV1"].get("f:spec", {})

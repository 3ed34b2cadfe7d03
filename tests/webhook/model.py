"""A small API server: one Deployment, its field managers, and the webhook in the way of its updates, or not.

As honest as it has to be for the twin law: it merges as the API server and kubectl do, defaults what they default,
computes managedFields *before* it calls the webhook, and calls it only for what the matchConditions let through.
What it leaves out: validation, conflicts (every apply is forced), and the other parts of an object.
"""

import base64
import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jsonpatch

from tests.webhook.trees import ATOMIC, Keyed, Path, closure, defaulted, fields_v1, leaves, plain, removed, tree, whole
from webhook import stash
from webhook.claims import LAST_APPLIED
from webhook.decision import Settings
from webhook.divert import divert
from webhook.review import parse, respond

ANALYZER = "system:serviceaccount:detour:detour-analyzer"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HEALTHY = {"availableReplicas": 2, "conditions": [{"type": "Available", "status": "True"}]}

Owner = tuple[str, str]
Notes = dict[str, str | None]
"""Annotations that a request sets, or takes away where None."""


@dataclass
class Sent:
    """What one request came to: what was answered, and whether it wrote anything."""

    asked: bool = False
    wrote: bool = False
    warnings: list[str] = field(default_factory=list)
    denial: str = ""


@dataclass
class ApiServer:
    """One Deployment. `managed`: whether the webhook is in the way; `calls`: how often it is asked about a request."""

    managed: bool
    calls: int = 1
    live: dict[str, Any] = field(default_factory=dict)
    owners: dict[Owner, set[Path]] = field(default_factory=dict)
    times: dict[Owner, int] = field(default_factory=dict)
    clock: int = 0
    settings: Settings = field(default_factory=lambda: Settings(ANALYZER))

    def create(self, template: Any, manager: str, operation: str, annotations: dict[str, str]) -> None:
        wanted = defaulted(tree(template))
        stated = tree(template) if operation == "Apply" else wanted
        self.owners = {(manager, operation): set(leaves(stated))}
        labels = {stash.POLICY: "canary"} if self.managed else {}
        metadata: dict[str, Any] = {"name": "podinfo", "namespace": "shop", "labels": labels}
        metadata["annotations"] = dict(annotations)
        selector = {"matchLabels": {"app": "podinfo"}}
        self.live = {"metadata": metadata, "spec": {"replicas": 2, "selector": selector, "template": plain(wanted)}}
        self.live["status"] = HEALTHY
        self._book(self.live)

    @property
    def template(self) -> Any:
        """The live template, as a tree of its own."""
        return tree(self.live["spec"]["template"])

    @property
    def annotations(self) -> dict[str, str]:
        return dict(self.live["metadata"]["annotations"])

    @property
    def desired(self) -> Any:
        """What is desired of this Deployment: the template that waits, or the live one where none does."""
        waiting = stash.diverted(self.live)
        return waiting.template if waiting else self.live["spec"]["template"]

    def update(self, template: Any, manager: str, notes: Notes | None = None, user: str = "ann") -> Sent:
        """An update or a patch, by its outcome: the manager comes to own what it changed."""
        wanted = defaulted(copy.deepcopy(template))
        before, after = leaves(self.template), leaves(wanted)
        changed = {path for path, value in after.items() if before.get(path, self) != value}
        gone = before.keys() - after.keys()
        owners = {owner: paths - changed - gone for owner, paths in self.owners.items()}
        if changed:
            owners.setdefault((manager, "Update"), set())
            owners[(manager, "Update")] |= changed
        return self._request(wanted, owners, manager, user, notes or {})

    def apply(self, config: Any, manager: str) -> Sent | None:
        """A forced server-side apply (structured-merge-diff/merge/update.go)."""
        stated = tree(config)
        owner = (manager, "Apply")
        new, old = set(leaves(stated)), self.owners.get(owner, set())
        others = closure({path for other, paths in self.owners.items() if other != owner for path in paths})
        merged = _overlaid(self.template, stated)
        rest = removed(merged, closure(old) - closure(new) - others)
        if not whole(rest):
            return None  # refused: somebody else owns a part of what is left of it
        wanted = defaulted(rest)
        before, after = leaves(self.template), leaves(wanted)
        taken = {path for path in new if before.get(path, self) != after.get(path)}
        owners = {other: paths - taken for other, paths in self.owners.items()}
        owners[owner] = new
        return self._request(wanted, owners, manager, "ann", {})

    def _request(
        self,
        wanted: Any,
        owners: dict[Owner, set[Path]],
        manager: str,
        user: str,
        changed: Notes,
    ) -> Sent:
        new = copy.deepcopy(self.live)
        new["spec"]["template"] = plain(wanted)
        notes = new["metadata"]["annotations"]
        notes.update({key: value for key, value in changed.items() if value is not None})
        for key in [key for key, value in changed.items() if value is None]:
            notes.pop(key, None)
        former = self.owners, dict(self.times)
        self.owners = {owner: paths for owner, paths in owners.items() if paths}
        self.clock += 1
        writer = next((owner for owner in ((manager, "Apply"), (manager, "Update")) if owner in owners), None)
        if writer and (new != self.live or self.owners.get(writer) != former[0].get(writer)):
            self.times[writer] = self.clock  # managedfieldsupdater.go
        self._book(new)
        sent = Sent()
        if self.managed and _relevant(new, self.live, manager):
            sent = self._reviewed(new, manager, user)
        if sent.denial:
            self.owners, self.times = former
            return sent
        sent.wrote = _timeless(new) != _timeless(self.live)
        if not sent.wrote:
            new, self.times = self.live, former[1]  # the API server lets a mere time pass
        self.live = new
        return sent

    def _reviewed(self, new: dict[str, Any], manager: str, user: str) -> Sent:
        """Ask the webhook, as bytes, and do to `new` what it answers."""
        warnings = []
        for _ in range(self.calls):
            asked = parse(json.dumps(review(new, self.live, manager, user)).encode())
            answer = respond(asked, divert(asked, self.settings, NOW))["response"]
            if not answer["allowed"]:
                return Sent(asked=True, denial=answer["status"]["message"])
            if "patch" in answer:
                jsonpatch.apply_patch(new, json.loads(base64.b64decode(answer["patch"])), in_place=True)
            warnings += answer.get("warnings", [])
        return Sent(asked=True, warnings=warnings)

    def _book(self, deployment: dict[str, Any]) -> None:
        deployment["metadata"]["managedFields"] = [
            {
                "manager": manager,
                "operation": operation,
                "time": self.times.get((manager, operation), 0),
                "fieldsV1": fields_v1(paths),
            }
            for (manager, operation), paths in sorted(self.owners.items())
        ]


def _timeless(deployment: dict[str, Any]) -> dict[str, Any]:
    found = copy.deepcopy(deployment)
    for entry in found["metadata"]["managedFields"]:
        del entry["time"]
    return found


def review(
    new: dict[str, Any],
    old: dict[str, Any] | None,
    manager: str = "",
    user: str = "ann",
    **more: Any,
) -> dict[str, Any]:
    """An AdmissionReview as the API server writes it."""
    metadata = new.get("metadata", {})
    request = {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
        "name": metadata.get("name", ""),
        "namespace": metadata.get("namespace", ""),
        "operation": "CREATE" if old is None else "UPDATE",
        "userInfo": {"username": user},
        "object": new,
        "oldObject": old,
        "dryRun": False,
        "options": {"kind": "UpdateOptions", **({"fieldManager": manager} if manager else {})},
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request | more}


def _relevant(new: dict[str, Any], old: dict[str, Any], manager: str) -> bool:
    """The matchCondition `relevant` of the webhook's configuration."""

    def ours(deployment: dict[str, Any]) -> dict[str, str]:
        entries = deployment["metadata"]["labels"] | deployment["metadata"]["annotations"]
        return {key: value for key, value in entries.items() if key.startswith("detour.dev/")}

    if new["spec"]["template"] != old["spec"]["template"] or ours(new) != ours(old):
        return True
    if stash.TEMPLATE not in old["metadata"]["annotations"]:
        return False
    applied = new["metadata"]["annotations"].get(LAST_APPLIED) != old["metadata"]["annotations"].get(LAST_APPLIED)
    managers = [(entry["manager"], entry["operation"]) for entry in new["metadata"]["managedFields"]]
    return applied or (manager, "Apply") in managers


def _overlaid(live: Any, stated: Any) -> Any:
    """What is stated, laid over what is live; what is new comes last."""
    if not isinstance(live, dict) or not isinstance(stated, dict) or not stated:
        return live if stated == {} and isinstance(live, dict) else copy.deepcopy(stated)
    parts = {
        key: _overlaid(live[key], stated[key]) if key in stated and key not in ATOMIC else stated.get(key, live[key])
        for key in live
    }
    parts |= {key: copy.deepcopy(part) for key, part in stated.items() if key not in live}
    return Keyed(parts) if isinstance(live, Keyed) else parts

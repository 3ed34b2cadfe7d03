"""An API server of ConfigMaps and their like, as far as holding them goes, and an analyzer that holds them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.custody import Custody
from analyzer.holdings import LABEL
from analyzer.journal import Journal
from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Conflict, Expired, NotFound, Unreachable
from analyzer.kube.resources import ACCESS_REVIEWS, CONFIG_MAPS, EVENTS, SECRETS, Resource
from tests.analyzer.objects import deployment, template
from webhook import stash
from webhook.revision import digest, short

Object = dict[str, Any]

KEY = ("shop", "web")


class Api(Client):
    """Keeps the rules of the real one: marks are merged, a resourceVersion is a condition, the last mark deletes."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], Object] = {}
        self.past: dict[str, Object] = {}
        self.dies_at = ""
        self.deployments: dict[str, Object] = {}
        self.granted = True
        self.compacted = False
        self.failing: ApiError | None = None
        self.requests: list[str] = []
        self.told: list[str] = []
        self._version = 100

    def put(self, kind: str, name: str, *marks: str) -> None:
        """Somebody creates it."""
        labels = {"app": "web"} | ({LABEL: "true"} if marks else {})
        self.past.pop(name, None)
        metadata = {"namespace": "shop", "name": name, "finalizers": list(marks), "labels": labels}
        self.stored[kind, name] = {"metadata": metadata | {"resourceVersion": self.version()}}

    def prune(self, kind: str, name: str) -> None:
        """Somebody deletes it; what is held stays for now."""
        metadata = self.stored[kind, name]["metadata"]
        self.past[name] = {"metadata": dict(metadata), "data": {"color": "blue"}}
        metadata |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": self.version()}
        self._collect(kind, name)

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        self.requests.append(f"get {name}")
        if name not in self.deployments:
            raise NotFound(404, "NotFound", f"{name} not found")
        return self.deployments[name]

    def list_metadata(self, resource: Resource, namespace: str, selector: str) -> Object:
        self.requests.append(f"list {resource.plural}")
        found = [self._shown(*at) for at in self.stored if at[0] == resource.kind]
        return {"items": [each for each in found if selector in each["metadata"]["labels"]]}

    def create(self, resource: Resource, body: Object) -> Object:
        if resource == EVENTS:
            self.told.append(body["message"])
        if resource == ACCESS_REVIEWS:
            self.requests.append("may I")
            return {"status": {"allowed": self.granted}}
        if resource in (CONFIG_MAPS, SECRETS):
            self._dies("create")
            metadata = body["metadata"] | {"resourceVersion": self.version(), "uid": "another"}
            self.stored[resource.kind, metadata["name"]] = body | {"metadata": metadata}
        return body | {"metadata": body["metadata"] | {"uid": "another", "resourceVersion": str(self._version)}}

    def as_of(self, resource: Resource, namespace: str, name: str, version: str) -> Object | None:
        self.requests.append(f"recall {name}")
        if self.compacted:
            raise Expired(410, "Expired", "the resourceVersion for the provided list is too old")
        return self.past.get(name)

    def delete(self, resource: Resource, namespace: str | None, name: str, uid: str) -> None:
        self._dies("delete")
        self.prune(resource.kind, name)

    def _dies(self, at: str) -> None:
        if self.dies_at == at:
            self.dies_at = ""
            raise Unreachable("the process dies here")

    def mark(self, resource: Resource, namespace: str, name: str, metadata: Object) -> Object:
        self.requests.append(f"mark {name}")
        if self.failing:
            raise self.failing
        if (resource.kind, name) not in self.stored:
            raise NotFound(404, "NotFound", f"{name} not found")
        known = self.stored[resource.kind, name]["metadata"]
        if metadata.get("resourceVersion", known["resourceVersion"]) != known["resourceVersion"]:
            raise Conflict(409, "Conflict", "the object has been modified")
        gone = metadata.get("$deleteFromPrimitiveList/finalizers", ())
        marks = {*known["finalizers"], *metadata.get("finalizers", ())} - {*gone}
        labels = known["labels"] | metadata.get("labels", {})
        labels = {key: value for key, value in labels.items() if value is not None}
        if (sorted(marks), labels) != (sorted(known["finalizers"]), known["labels"]):
            known |= {"finalizers": sorted(marks), "labels": labels, "resourceVersion": self.version()}
        answer = self._shown(resource.kind, name)
        self._collect(resource.kind, name)
        return answer

    def _shown(self, kind: str, name: str) -> Object:
        return {"metadata": dict(self.stored[kind, name]["metadata"])}

    def _collect(self, kind: str, name: str) -> None:
        metadata = self.stored[kind, name]["metadata"]
        if "deletionTimestamp" in metadata and not metadata["finalizers"]:
            del self.stored[kind, name]

    def version(self) -> str:
        """The next resourceVersion."""
        self._version += 1
        return str(self._version)


@dataclass
class Pantry:
    """The API server, and one process of ours after another."""

    api: Api = field(default_factory=Api)
    again: list[tuple[Key, float]] = field(default_factory=list)
    touched: list[Key] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A process begins, and follows what it may."""
        self.cluster = Cluster.follow(self.api, self.touched.append, "detour")
        self.cluster.namespaces.learn({"metadata": {"name": "shop", "resourceVersion": "1"}})
        for found in self.api.deployments.values():
            self._follow(found)
        self.hear()
        self.custody = Custody(
            self.cluster, Journal(self.api, "test"), lambda key, delay: self.again.append((key, delay))
        )

    def hear(self) -> None:
        """The watches catch up with what is stored of what they follow."""
        for watch in self.cluster.holdings.watches:
            for (kind, _), found in self.api.stored.items():
                if kind == watch.resource.kind and LABEL in found["metadata"]["labels"]:
                    watch.learn({"metadata": dict(found["metadata"])})

    def settle(self, name: str = "web") -> None:
        """One look at one Deployment."""
        self.custody.settle(("shop", name))

    def runs(self, primary: Object, waiting: Object | None = None, previous: Object | None = None, **more: Any) -> None:
        """The Deployment `name` (web) is like this now."""
        found = deployment(more.pop("name", "web")) | {"apiVersion": "apps/v1"}
        found["spec"]["template"] = primary
        waits = {stash.TEMPLATE: stash.encode(stash.Stash(waiting))} if waiting else {}
        replaced = {stash.PREVIOUS: stash.encode(stash.Stash(previous))} if previous else {}
        labels = {stash.REVISION: short(digest(waiting or primary))} if waits or replaced else {}
        metadata = {"annotations": waits | replaced, "labels": labels, "resourceVersion": self.api.version(), **more}
        found["metadata"] |= metadata
        self.api.deployments[found["metadata"]["name"]] = found
        self._follow(found)

    def is_gone(self) -> None:
        """The Deployment is deleted, and the watches have heard of it."""
        found = self.api.deployments.pop("web")
        self.cluster.targets._remove(found)
        self.cluster.diverted._remove(found)

    def marks(self, kind: str, name: str) -> list[str] | None:
        """The finalizers of an object, None if there is none."""
        found = self.api.stored.get((kind, name))
        return found["metadata"]["finalizers"] if found else None

    def _follow(self, found: Object) -> None:
        self.cluster.targets.learn({"metadata": dict(found["metadata"])})
        notes: Mapping[str, str] = found["metadata"]["annotations"]
        if notes:
            self.cluster.diverted.learn(found)
        elif self.cluster.diverted.get("shop", found["metadata"]["name"]):
            self.cluster.diverted._remove(found)


def stocked() -> Pantry:
    """One with what v1 needs."""
    found = Pantry()
    for kind, name in (("ConfigMap", "old"), ("ConfigMap", "shared"), ("Secret", "key")):
        found.api.put(kind, name)
    return found


def using(*names: str, **spec: Any) -> Object:
    """A template that mounts these ConfigMaps."""
    return template({"app": "web"}, volumes=[{"name": name, "configMap": {"name": name}} for name in names], **spec)


def with_secret(name: str) -> Object:
    """A template that mounts this Secret."""
    return template({"app": "web"}, volumes=[{"name": "secret", "secret": {"secretName": name}}])

"""A cluster in memory, as Flagger leaves it: an API server that answers, and the controllers that matter here.

It knows what a take-over rests on: pods come one by one, and go at once; EndpointSlices follow when somebody looks;
Detour guards what is not Flagger's, and its webhook diverts the templates of Deployments that want pods. What users
get is looked at after every single request: `problems` collects what went wrong.
"""

from collections import deque
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import jsonpatch
import orjson

from analyzer.kube.answers import Answer
from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict, NotFound
from analyzer.kube.resources import (
    CANARIES,
    CONFIG_MAPS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    PODS,
    Resource,
)
from analyzer.stored import from_object
from detour.takeover.found import SCALERS, selects
from tests.merging import merged
from webhook import stash
from webhook.revision import digest

Object = dict[str, Any]
HPA = SCALERS["HorizontalPodAutoscaler"]
LIVE = "web:1"
LAG = 4  # looks until Services know of a change, and until pods have ended


@dataclass
class World(Client):
    """The objects by plural and name. `moments` is what a process leaves behind that dies at one of its requests.

    `meanwhile` is what somebody else does after each of them.
    """

    things: dict[tuple[str, str], Object] = field(default_factory=dict)
    requests: int = 0
    beside: bool = False
    ready: dict[str, int] = field(default_factory=dict)
    endpoints: dict[str, deque[list[Object]]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    moments: list["World"] = field(default_factory=list)
    meanwhile: Callable[["World"], None] = lambda _: None

    def add(self, resource: Resource, thing: Object) -> None:
        """One more thing of that kind."""
        uid = f"{resource.plural}/{thing['metadata']['name']}"
        metadata = {"namespace": "shop", "uid": uid, "resourceVersion": "1", "generation": 1} | thing["metadata"]
        whole = {"apiVersion": resource.api_version, "kind": resource.kind, **thing, "metadata": metadata}
        self.things[resource.plural, metadata["name"]] = copied(whole)

    def of(self, resource: Resource, name: str) -> Object | None:
        """The thing itself."""
        return self.things.get((resource.plural, name))

    def names(self) -> set[str]:
        """Everything that is there, but pods and slices."""
        return {f"{plural}/{name}" for plural, name in self.things if plural not in ("pods", "endpointslices")}

    def as_it_is(self) -> "World":
        """A world like this one, which goes its own way."""
        things = {key: copied(thing) for key, thing in self.things.items()}
        return World(things, self.requests, self.beside, dict(self.ready), deepcopy(self.endpoints))

    # What a Client does.

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        if (found := self.of(resource, name)) is None:
            raise NotFound(404, "NotFound", f"{resource.plural} {name} not found")
        return copied(found)

    def list(self, resource: Resource, namespace: str | None = None, **query: str) -> Object:
        if resource == CANARIES:
            self.look()
        items = [copied(each) for (plural, _), each in self.things.items() if plural == resource.plural]
        return {"items": [{k: v for k, v in each.items() if k not in ("kind", "apiVersion")} for each in items]}

    def list_metadata(self, resource: Resource, namespace: str, selector: str) -> Object:
        return {"items": [{"metadata": each["metadata"]} for each in self.list(resource, namespace)["items"]]}

    def merge(
        self, resource: Resource, namespace: str | None, name: str, body: Object, *, dry_run: bool = False
    ) -> Answer:
        before = self.get(resource, namespace, name)
        version = body.get("metadata", {}).get("resourceVersion", before["metadata"]["resourceVersion"])
        self._write(resource, before, merged(before, body), version)
        return Answer({})

    def patch(self, resource: Resource, namespace: str | None, name: str, operations: Any, **_: Any) -> Answer:
        before = self.get(resource, namespace, name)
        try:
            after = jsonpatch.apply_patch(before, list(operations))
        except jsonpatch.JsonPatchTestFailed as error:
            raise Conflict(422, "Invalid", str(error)) from error
        self._write(resource, before, after, before["metadata"]["resourceVersion"])
        return Answer({})

    def delete(self, resource: Resource, namespace: str | None, name: str, uid: str) -> None:
        found = self.of(resource, name)
        with self._effect():
            if found and found["metadata"]["uid"] == uid:
                del self.things[resource.plural, name]

    def replace_status(self, resource: Resource, body: Object) -> Object:
        before = self.get(resource, None, body["metadata"]["name"])
        self._write(resource, before, {**before, "status": body["status"]}, body["metadata"]["resourceVersion"])
        return body

    # What follows of it.

    def _write(self, resource: Resource, before: Object, after: Object, version: str) -> None:
        if version != before["metadata"]["resourceVersion"]:
            raise Conflict(409, "Conflict", "the object has been modified")
        with self._effect():
            if resource == DEPLOYMENTS:
                after = self._admitted(before, after)
            after["metadata"]["resourceVersion"] = str(int(version) + 1)
            if after.get("spec") != before.get("spec"):
                after["metadata"]["generation"] = before["metadata"]["generation"] + 1
            self.things[resource.plural, after["metadata"]["name"]] = copied(after)

    def _effect(self) -> "_Effect":
        return _Effect(self)

    def _admitted(self, before: Object, after: Object) -> Object:
        """Detour's webhook: the template of what wants pods, and is guarded, is diverted."""
        template = after["spec"]["template"]
        guarded = from_object(self.things["canaries", "web"]).guarded
        changed = digest(template) != digest(before["spec"]["template"])
        if not (changed and guarded and after["metadata"]["name"] == "web" and after["spec"]["replicas"]):
            return after
        notes = {**(after["metadata"].get("annotations") or {}), stash.TEMPLATE: stash.encode(stash.Stash(template))}
        spec = {**after["spec"], "template": before["spec"]["template"]}
        return {**after, "metadata": {**after["metadata"], "annotations": notes}, "spec": spec}

    def look(self) -> None:
        """Time goes by: one more pod of each Deployment is ready, and Services know of those that are."""
        self._run(1)
        for service in [each for (plural, _), each in self.things.items() if plural == "services"]:
            self._connect(service)
        self._guard()
        self.problems += self._felt()

    def affect(self) -> None:
        """What follows at once of a request: pods go, and others are not ready yet."""
        self._run(0)
        self.problems += self._felt()

    def _run(self, more: int) -> None:
        """Pods of a Deployment that was deleted are at their end, and gone some looks later."""
        for pod in list(self._pods()):
            if self.of(DEPLOYMENTS, pod["of"]) is None and pod["left"]:
                pod |= {"ready": False, "left": pod["left"] - more}
            else:
                del self.things["pods", pod["metadata"]["name"]]
        for deployment in [each for (plural, _), each in self.things.items() if plural == "deployments"]:
            wanted, name = deployment["spec"]["replicas"], deployment["metadata"]["name"]
            ready = self.ready[name] = min(wanted, self.ready.get(name, 0) + more)
            seen = {"observedGeneration": deployment["metadata"]["generation"], "availableReplicas": ready}
            deployment["status"] = {"replicas": wanted, "updatedReplicas": wanted, **seen}
            template = deployment["spec"]["template"]
            for number in range(wanted):
                metadata = {**template["metadata"], "name": f"{name}-{number}"}
                pod = {"of": name, "ready": number < ready, "left": LAG}
                self.add(PODS, {"metadata": metadata, "spec": template["spec"], **pod})

    def _connect(self, service: Object) -> None:
        """What its slice says was true some looks before."""
        behind = [pod for pod in self._pods() if selects(service, {"spec": {"template": pod}})]
        endpoints = [
            {"conditions": {"ready": pod["ready"]}, "targetRef": {"name": pod["metadata"]["name"]}} for pod in behind
        ]
        name = service["metadata"]["name"]
        labels = {"kubernetes.io/service-name": name}
        known = self.endpoints.setdefault(name, deque(maxlen=LAG))
        known.append(endpoints)
        self.add(ENDPOINT_SLICES, {"metadata": {"name": name, "labels": labels}, "endpoints": known[0]})

    def _guard(self) -> None:
        """Detour's analyzer; beside Flagger it takes what is marked."""
        canary = self.things["canaries", "web"]
        marked = (canary["metadata"].get("labels") or {}).get("detour.dev/take") == "true"
        if self.beside and not marked:
            return
        status = canary.setdefault("status", {})
        status["conditions"] = [{"type": "Guarded", "status": "True"}]
        status["observedGeneration"] = canary["metadata"]["generation"]

    def _felt(self) -> Iterator[str]:
        """What is wrong for users: the Service that they call knows few pods, or such as are gone, or never proven."""
        known = self.things.get(("endpointslices", "web"), {}).get("endpoints", ())
        called = [endpoint["targetRef"]["name"] for endpoint in known if endpoint["conditions"]["ready"]]
        if len(called) < 3:
            yield f"{len(called)} pods answer users, at request {self.requests}"
        for name in called:
            pod = self.of(PODS, name)
            image = pod["spec"]["containers"][0]["image"] if pod and pod["ready"] else "a pod that is gone"
            if image != LIVE:
                yield f"{image} answers users, at request {self.requests}"
        copied = self.of(CONFIG_MAPS, "settings-primary")
        if not copied and any(pod["of"] == "web-primary" for pod in self._pods()):
            yield f"a pod lacks its ConfigMap, at request {self.requests}"

    def _pods(self) -> Iterator[Object]:
        return iter([each for (plural, _), each in self.things.items() if plural == "pods"])


@dataclass
class _Effect:
    """A request, and what follows of it."""

    world: World

    def __enter__(self) -> None:
        self.world.moments.append(self.world.as_it_is())
        self.world.requests += 1

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is not None:
            return
        self.world.affect()
        self.world.meanwhile(self.world)
        self.world.affect()
        self.world.moments.append(self.world.as_it_is())


def copied(thing: Object) -> Object:
    """Whole, and quickly."""
    whole: Object = orjson.loads(orjson.dumps(thing))
    return whole

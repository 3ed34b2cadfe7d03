"""An application whose every version comes with settings of its own, as kustomize and Helm charts generate them."""

import hashlib
import json
from typing import Any

from tests.cluster.kubectl import Object, eventually
from tests.cluster.podless import Podless
from tests.cluster.shop import Shop


def settings(tag: str, kind: str = "ConfigMap") -> Object:
    """What goes with a version, under a name with the hash of its content, as kustomize gives it."""
    name = f"settings-{hashlib.sha256(tag.encode()).hexdigest()[:10]}"
    content = "stringData" if kind == "Secret" else "data"
    metadata = {"name": name, "labels": {"app": "podinfo"}}
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, content: {"version": tag}}


def name_of(tag: str) -> str:
    return str(settings(tag)["metadata"]["name"])


class Kustomized(Shop):
    """Every version needs settings of its own, which come with it."""

    kind = "ConfigMap"

    def deployment(self, tag: str = "6.0.0", **container: Any) -> Object:
        field = "secretKeyRef" if self.kind == "Secret" else "configMapKeyRef"
        setting = {"name": "VERSION", "valueFrom": {field: {"name": name_of(tag), "key": "version"}}}
        return super().deployment(tag, env=[setting], **container)

    def apply(self, *objects: Object, arguments: tuple[str, ...] = ()) -> Any:
        tags = [found["spec"]["template"]["spec"] for found in objects if found["kind"] == "Deployment"]
        with_it = [settings(spec["containers"][0]["image"].rpartition(":")[2], self.kind) for spec in tags]
        return super().apply(*with_it, *objects, arguments=arguments)

    def ship(self, tag: str, *arguments: str) -> None:
        """`kubectl apply -k` with pruning: the new version, and nothing of any other any more."""
        self.apply(self.deployment(tag), arguments=arguments)
        eventually(lambda: self.live_image == tag or self.marks("6.0.0"), "it is held", 10)
        self.prune(tag)

    def prune(self, tag: str) -> None:
        """Delete the settings of all other versions."""
        for name in self("get", self.kind, "-l", "app=podinfo", "-o", "name").out.split():
            if not name.endswith(name_of(tag)):
                self("delete", name, "--wait=false")

    def marks(self, tag: str) -> list[str]:
        """The finalizers of the settings of a version."""
        found = self("get", self.kind, name_of(tag), "--ignore-not-found", "-o", "json").out
        return json.loads(found)["metadata"].get("finalizers") or [] if found else []

    def has(self, tag: str) -> bool:
        return self.exists(self.kind, name_of(tag))

    def until_released(self, tag: str, seconds: float = 10) -> None:
        """Wait until the settings of a version are gone."""
        eventually(lambda: not self.has(tag), f"the settings of {tag} are gone", seconds, lambda: self.marks(tag))


class Idle(Kustomized, Podless):
    """The same without a pod: what is held follows from the Deployment alone."""

    def open(self) -> None:
        Podless.open(self)
        self.create()


def pods(shop: Shop) -> dict[str, bool]:
    """The primary's pods by name, and whether each is ready."""
    found = shop.get("pods", "-l", "app=podinfo")["items"]
    return {
        pod["metadata"]["name"]: all(
            status["ready"] for status in pod["status"].get("containerStatuses") or [{"ready": 0}]
        )
        for pod in found
        if "deletionTimestamp" not in pod["metadata"]
    }


def lose_a_pod(shop: Shop) -> None:
    """A pod of the primary is deleted, and the one that takes its place is ready."""
    before = pods(shop)
    lost = next(iter(before))
    shop("delete", "pod", lost, "--wait=false")
    eventually(
        lambda: lost not in pods(shop) and len(pods(shop)) == len(before) and all(pods(shop).values()),
        "a new pod of the primary is ready",
        20,
        lambda: shop("describe", "pods", "-l", "app=podinfo").out[-1500:],
    )

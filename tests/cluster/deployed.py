"""A Deployment where it stands: kubectl in its namespace, and what can be read of it."""

from typing import Any

from tests.cluster.kubectl import Object, Said, eventually, get, kubectl
from webhook import stash
from webhook.revision import Template

Owner = tuple[str, str]
"""A field manager and its operation."""


class Deployed:
    """The Deployment `name` in `namespace`, whether Detour manages it or not."""

    namespace: str
    name: str

    def __call__(self, *arguments: str, **options: Any) -> Said:
        """kubectl in its namespace."""
        return kubectl("-n", self.namespace, *arguments, **options)

    def get(self, *arguments: str) -> Object:
        """What its namespace has."""
        return get("-n", self.namespace, *arguments)

    @property
    def primary(self) -> Object:
        """The Deployment as it is stored, without its managedFields."""
        return self.get("deployment", self.name)

    @property
    def live(self) -> Template:
        """The template that it runs."""
        return dict(self.primary["spec"]["template"])

    @property
    def waiting(self) -> Template | None:
        """The template that is diverted."""
        found = stash.diverted(self.primary)
        return found.template if found else None

    @property
    def desired(self) -> Template:
        """The template that its users want."""
        return desired(self.primary)

    @property
    def ours(self) -> set[str]:
        """The keys of Detour's on it."""
        return ours(self.primary)

    @property
    def owners(self) -> dict[Owner, Object]:
        """Which fields of its template belong to whom."""
        entries = self.get("deployment", self.name, "--show-managed-fields")["metadata"]["managedFields"]
        found = ((entry, entry["fieldsV1"].get("f:spec", {})) for entry in entries)
        return {
            (entry["manager"], entry["operation"]): spec["f:template"] for entry, spec in found if "f:template" in spec
        }

    def settled(self) -> Object:
        """The Deployment with its managedFields, when its controller has judged it and writes no more."""

        def seen() -> Object | None:
            found = self.get("deployment", self.name, "--show-managed-fields")
            status = found.get("status", {})
            judged = any(one["type"] == "Available" for one in status.get("conditions", ()))
            return found if judged and status["observedGeneration"] == found["metadata"]["generation"] else None

        return eventually(seen, f"the controller has seen {self.name}", 60) or {}


def desired(deployment: Object) -> Template:
    """The template that waits, or the live one where none does."""
    waiting = stash.diverted(deployment)
    return waiting.template if waiting else dict(deployment["spec"]["template"])


def ours(deployment: Object) -> set[str]:
    """The labels and annotations of Detour on a Deployment."""
    metadata = deployment["metadata"]
    keys = {**metadata.get("labels", {}), **metadata.get("annotations", {})}
    return {key for key in keys if key.startswith("detour.dev/")}

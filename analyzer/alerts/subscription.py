"""Who is told what: `spec.analysis.alerts` of a Canary."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.actions import Severity
from analyzer.fields import SpecError


@dataclass(frozen=True, slots=True)
class Subscription:
    """An AlertProvider and the least severity that it is told. `namespace` "" is the Canary's own."""

    name: str
    provider: str
    namespace: str = ""
    least: Severity = Severity.INFO

    def place(self, namespace: str) -> str:
        """The AlertProvider's namespace and name, for a Canary in `namespace`."""
        return f"{self.namespace or namespace}/{self.provider}"


def subscriptions(analysis: Mapping[str, Any]) -> tuple[Subscription, ...]:
    """The subscriptions of an analysis. Raises SpecError.

    Without a severity it is info, as Flagger's documents say; Flagger itself then sends nothing.
    """
    return tuple(_subscription(alert) for alert in analysis.get("alerts") or ())


def _subscription(alert: Mapping[str, Any]) -> Subscription:
    name = str(alert.get("name") or "")
    field = f"spec.analysis.alerts[{name}]"
    reference, severity = alert.get("providerRef") or {}, alert.get("severity") or Severity.INFO.value
    if severity not in list(Severity):
        raise SpecError(f"{field}.severity", f"{severity!r} is unknown here", f"set {', '.join(Severity)}")
    if not reference.get("name"):
        raise SpecError(f"{field}.providerRef.name", "it is empty", "name an AlertProvider")
    return Subscription(name, str(reference["name"]), str(reference.get("namespace") or ""), Severity(severity))

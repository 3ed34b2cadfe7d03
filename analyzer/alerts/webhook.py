"""A plain webhook: the alert as JSON, for whatever the services here are not. Ours; Flagger has none."""

from typing import Any

from analyzer.alerts.alert import Alert, Destination


def body(alert: Alert, to: Destination) -> dict[str, Any]:
    """The fields are described in docs/alerts.md; more may be added, none taken away."""
    return {
        "name": alert.name,
        "namespace": alert.namespace,
        "severity": alert.severity.value,
        "message": alert.text,
        "time": alert.time.isoformat(),
        "channel": to.channel,
        "facts": dict(alert.facts),
    }

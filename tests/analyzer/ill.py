"""Pods that are not ready, as a kubelet describes them."""

from datetime import timedelta
from typing import Any

from tests.analyzer.things import START

Object = dict[str, Any]

PROBE = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1, "failureThreshold": 3}
CRASHED = {"terminated": {"exitCode": 2, "reason": "Error", "message": "password=hunter2"}}


def pod(
    state: Object | None = None, last: Object | None = None, *, template: str = "new", made: int = 0, **container: Any
) -> Object:
    """A pod whose container is in this state, and not ready."""
    status = {"name": "web", "ready": False, "started": True, "state": state or {}, "lastState": last or {}}
    return {
        "metadata": {
            "name": "web-canary-7d4-x2x",
            "labels": {"pod-template-hash": template},
            "creationTimestamp": (START + timedelta(seconds=made)).isoformat(),
        },
        "spec": {"containers": [{"name": "web", "image": "web:2", "readinessProbe": PROBE, **container}]},
        "status": {"phase": "Pending", "startTime": START.isoformat(), "containerStatuses": [status]},
    }

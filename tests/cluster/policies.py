"""CanaryPolicies of a test's own: no namespace takes them along, so that whoever writes them deletes them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.cluster.kubectl import Object, kubectl
from tests.cluster.namespaces import unique

KIND = {"apiVersion": "detour.dev/v1alpha1", "kind": "CanaryPolicy"}
METRICS = [
    {"name": "request-success-rate", "interval": "4s", "thresholdRange": {"min": 99}},
    {
        "name": "request-duration",
        "interval": "4s",
        "thresholdRange": {"max": 1200},
    },  # a busy machine is no slow version
]

WritePolicy = Callable[..., str]
"""Writes a CanaryPolicy, and returns its name: `name`, if it is not to be a new one, `spec` beside the analysis, and
fields of the analysis. It has short steps, and is judged by the built-in metrics unless these say otherwise."""


@contextmanager
def policies() -> Iterator[WritePolicy]:
    """Writes them for as long as they are needed."""
    names: list[str] = []

    def write(name: str = "", spec: Object | None = None, **analysis: object) -> str:
        names.append(name or unique("test"))
        steps = {"interval": "4s", "threshold": 2, "stepWeights": [10, 50], "metrics": METRICS, **analysis}
        whole = {"progressDeadlineSeconds": 60, "analysis": steps, **(spec or {})}
        kubectl("apply", "-f", "-", stdin=json.dumps({**KIND, "metadata": {"name": names[-1]}, "spec": whole}))
        return names[-1]

    try:
        yield write
    finally:
        if names:
            kubectl("delete", "canarypolicy", *set(names), "--ignore-not-found", "--wait=false")

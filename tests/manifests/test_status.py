"""The schema of a Canary's status holds all that the analyzer writes: what it did not, the API server would drop."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from analyzer.status import Ending, Outcome, Phase, Status
from analyzer.stored import to_object
from analyzer.witness import entry
from tests.manifests.rendered import definitions, fields

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_all_that_the_analyzer_writes_into_a_status_is_in_the_schema() -> None:
    (version,) = definitions()["Canary"]["spec"]["versions"]
    known = fields(version["schema"]["openAPIV3Schema"]["properties"]["status"])
    written = paths(to_object(full(), {}, NOW))
    assert {path for path in written if path not in known} == set()
    assert {"history[].checks[]", "subject.manager", "ending.outcome", "unrouted", "waived"} <= written


def full() -> Status:
    """A status with everything that there can be in one."""
    subject = {"images": ["web:1"], "by": "ada", "manager": "helm"}
    begun = Status(guarded=True, observed_generation=1, primary="1", observed_wish="go").begin("a", "b", subject, NOW)
    failed = replace(begun, ending=Ending(Outcome.FAILED, "why"), verdict=("rate 9",), quiet_since=NOW).end(NOW)
    deployment = {"spec": {"template": {"metadata": {}, "spec": {"containers": [{"image": "web:2"}]}}}}
    return replace(
        failed,
        phase=Phase.PROMOTING,
        weight=50,
        history=(*failed.history, entry("let past by ada: why", deployment, NOW)),
        promoted="a",
        terms="a",
        waived="by ada",
        problem="why",
        check_time=NOW,
        ready_since=NOW,
        unrouted=NOW,
    )


def paths(value: Any, path: str = "") -> set[str]:
    """Every field below a value, as `fields` names those of a schema."""
    if isinstance(value, list):
        below = {found for each in value for found in paths(each, f"{path}[]")}
    elif isinstance(value, dict):
        below = {found for name, each in value.items() for found in paths(each, f"{path}.{name}".lstrip("."))}
    else:
        below = set()
    return below | ({path} - {""})

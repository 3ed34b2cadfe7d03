"""The rules and the dashboard of manifests/telemetry, and the queries in them."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[2] / "manifests/telemetry"
VARIABLES = {"$__rate_interval": "1m", "$namespace": ".*", "$name": ".*"}
"""What Grafana puts in place of a name."""

PLATFORM = {"apiserver_admission_webhook_rejection_count": {"name", "error_type"}}
"""Of the API server, with the labels that are used (k8s.io/apiserver, admission/metrics)."""

_AROUND = re.compile(r'"[^"]*"|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)|\{[^}]*\}|\[[^\]]*\]')
_NAME = re.compile(r"(?<![\w.])[a-z_][a-z0-9_:]*(?!\w|\s*\()")
_WORDS = {"and", "or", "unless", "bool", "offset"}
_MATCHERS = re.compile(r"([a-z_][a-z0-9_:]*)\{([^}]*)\}")
_LABEL = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    return [rule for group in groups() for rule in group["rules"]]


def groups() -> list[dict[str, Any]]:
    """As Prometheus reads them from a file, without the operator."""
    found: list[dict[str, Any]] = yaml.safe_load((FOLDER / "rules.yaml").read_text())["spec"]["groups"]
    return found


def panels() -> list[dict[str, Any]]:
    """What the dashboard shows."""
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def queries() -> dict[str, str]:
    """By where they are; of the dashboard, as Grafana sends them."""
    found = {f"alert {rule['alert']}": rule["expr"] for rule in rules()}
    for panel in panels():
        for target in panel["targets"]:
            found[f"panel {panel['title']} {target['refId']}"] = substituted(target["expr"])
    return found


def substituted(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def metrics_of(query: str) -> set[str]:
    """The names of the metrics that a query asks for."""
    return set(_NAME.findall(_AROUND.sub(" ", query))) - _WORDS


def labels_of(query: str) -> set[tuple[str, str]]:
    """Which labels of which metric it chooses by."""
    return {(metric, label) for metric, matchers in _MATCHERS.findall(query) for label in _LABEL.findall(matchers)}

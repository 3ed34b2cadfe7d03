"""The alerts, by Prometheus' own promtool: when each fires, and when it does not."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.telemetry import promtool
from tests.telemetry.manifests import groups, rules

pytestmark = pytest.mark.cluster  # not that it needs one, but Debian's promtool is fetched

APPLICATION = '{namespace="shop", name="podinfo"}'
CALLED = '{name="divert-object.detour.dev", error_type="calling_webhook_error"}'
CERTIFICATE = "detour_certificate_expiration_timestamp_seconds"
WEEK = 7 * 86400


@dataclass(frozen=True, slots=True)
class Case:
    """What Prometheus knows, one value a minute, and with which labels an alert fires after half an hour, if at all."""

    alert: str
    series: dict[str, str] = field(default_factory=dict)
    fires: dict[str, str] | None = None


LEADS = {"detour_leading": "1x40", "detour_webhook_reviews_in_progress": "0x40"}
HEALTHY = (
    Case("DetourWebhookDown", LEADS),
    Case("DetourNobodyLeads", LEADS | {'detour_leading{pod="b"}': "0x40"}),
    Case("DetourWebhookCannotBeCalled", {f"apiserver_admission_webhook_rejection_count{CALLED}": "3x40"}),
    Case("DetourWebhookRefuses", {'detour_webhook_responses_total{code="400"}': "0+1x40"}),
    Case(
        "DetourWebhookSlow",
        {
            'detour_webhook_duration_seconds_bucket{le="0.5"}': "0+10x40",
            'detour_webhook_duration_seconds_bucket{le="+Inf"}': "0+10x40",
        },
    ),
    Case("DetourCertificateExpires", {f'{CERTIFICATE}{{certificate="serving"}}': f"{WEEK}x40"}),
    Case("DetourReconcileFails", {'detour_reconcile_failures_total{reason="conflict"}': "0+10x40"}),
    Case(
        "DetourLagsBehind",
        {
            'detour_reconcile_lag_seconds_bucket{le="10.0"}': "0+10x40",
            'detour_reconcile_lag_seconds_bucket{le="30.0"}': "0+10x40",
            'detour_reconcile_lag_seconds_bucket{le="+Inf"}': "0+10x40",
        },
    ),
    Case("DetourCanaryStuck", {f"detour_canary_last_step_timestamp_seconds{APPLICATION}": "600x40"}),
    Case("DetourCanaryHalted", {f"detour_canary_halted{APPLICATION}": "0x40"}),
    Case(
        "DetourMeasurementImpossible",
        {'detour_canary_checks_total{namespace="shop", name="podinfo", check="rate", result="failed"}': "0+1x40"},
    ),
    Case("DetourAlertsMissed", {'detour_alerts_total{result="again"}': "0+1x40"}),
    Case("DetourUnproven", {f"detour_canary_unproven{APPLICATION}": "0x40"}),
    Case(
        "DetourUnguarded",
        {
            f"detour_canary_guarded{APPLICATION}": "0x40",
            'detour_canary_phase{namespace="shop", name="podinfo", phase="Initializing"}': "1x40",
        },
    ),
)
WHO = {"namespace": "shop", "name": "podinfo"}
ILL = (
    Case("DetourWebhookDown", {"detour_leading": "1x40"}, {}),
    Case("DetourNobodyLeads", {"detour_leading": "0x40"}, {}),
    Case("DetourNobodyLeads", {}, {}),
    Case(
        "DetourWebhookCannotBeCalled",
        {f"apiserver_admission_webhook_rejection_count{CALLED}": "0+1x40"},
        {"name": "divert-object.detour.dev"},
    ),
    Case("DetourWebhookRefuses", {'detour_webhook_responses_total{code="500"}': "0x25 1x15"}, {"code": "500"}),
    Case(
        "DetourWebhookSlow",
        {
            'detour_webhook_duration_seconds_bucket{le="0.25"}': "0x40",
            'detour_webhook_duration_seconds_bucket{le="1.0"}': "0+10x40",
            'detour_webhook_duration_seconds_bucket{le="+Inf"}': "0+10x40",
        },
        {},
    ),
    Case("DetourCertificateExpires", {f'{CERTIFICATE}{{certificate="ca"}}': "3600x40"}, {"certificate": "ca"}),
    Case(
        "DetourReconcileFails", {'detour_reconcile_failures_total{reason="refused"}': "0+2x40"}, {"reason": "refused"}
    ),
    Case(
        "DetourLagsBehind",
        {
            'detour_reconcile_lag_seconds_bucket{le="10.0"}': "0x40",
            'detour_reconcile_lag_seconds_bucket{le="30.0"}': "0+10x40",
            'detour_reconcile_lag_seconds_bucket{le="+Inf"}': "0+10x40",
        },
        {},
    ),
    Case("DetourCanaryStuck", {f"detour_canary_last_step_timestamp_seconds{APPLICATION}": "-3600x40"}, WHO),
    Case("DetourCanaryHalted", {f"detour_canary_halted{APPLICATION}": "1x40"}, WHO),
    Case(
        "DetourMeasurementImpossible",
        {'detour_canary_checks_total{namespace="shop", name="podinfo", check="rate", result="unmeasured"}': "0+1x40"},
        WHO | {"check": "rate"},
    ),
    Case("DetourAlertsMissed", {'detour_alerts_total{result="missed"}': "0x20 1x20"}, {}),
    Case("DetourUnproven", {f"detour_canary_unproven{APPLICATION}": "1x40"}, WHO),
    Case(
        "DetourUnguarded",
        {
            f"detour_canary_guarded{APPLICATION}": "0x40",
            'detour_canary_phase{namespace="shop", name="podinfo", phase="Succeeded"}': "1x40",
        },
        WHO,
    ),
)


@pytest.fixture(scope="module", name="tool")
def _tool() -> Path:
    return promtool.program()


@pytest.fixture(name="rule_file")
def _rule_file(tmp_path: Path) -> Path:
    """Without the annotations, whose words a test of times need not repeat."""
    bare = [{**group, "rules": [_bare(rule) for rule in group["rules"]]} for group in groups()]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": bare}))
    return file


def _bare(rule: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if key != "annotations"}


def played(tool: Path, rule_file: Path, case: Case) -> None:
    """Half an hour of Prometheus."""
    severity = next(rule["labels"]["severity"] for rule in rules() if rule["alert"] == case.alert)
    expected = [] if case.fires is None else [{"exp_labels": {**case.fires, "severity": severity}}]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [{"eval_time": "30m", "alertname": case.alert, "exp_alerts": expected}],
    }
    file = rule_file.with_name("test.yaml")
    file.write_text(yaml.safe_dump({"rule_files": [str(rule_file)], "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run([tool, "test", "rules", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_reads_all_rules_with_their_annotations(tool: Path, tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": groups()}))
    done = subprocess.run([tool, "check", "rules", file], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules())} rules found" in done.stdout


@pytest.mark.parametrize("case", ILL, ids=lambda case: str(case.alert))
def test_an_alert_fires_when_what_it_is_for_goes_on(tool: Path, rule_file: Path, case: Case) -> None:
    played(tool, rule_file, case)


@pytest.mark.parametrize("case", HEALTHY, ids=lambda case: str(case.alert))
def test_and_is_silent_while_all_is_well(tool: Path, rule_file: Path, case: Case) -> None:
    played(tool, rule_file, case)


def test_every_alert_is_tried_both_ways() -> None:
    every = {rule["alert"] for rule in rules()}
    assert {case.alert for case in ILL} == {case.alert for case in HEALTHY} == every

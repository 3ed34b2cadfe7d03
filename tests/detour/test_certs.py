"""What people see of certificates, and when the keeper of them complains."""

import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from analyzer.telemetry import REGISTRY
from certs import directory
from certs.authority import issue_ca, issue_serving
from certs.errors import Untrusted
from certs.rotation import Standing
from detour.certs import table
from detour.keeper import Keeper
from detour.trust import OTHERS, RETIRED, SIGNS, SUCCESSOR, Presented, Trust, authorities, fingerprint

NOW = datetime(2026, 3, 1, tzinfo=UTC)
OLD, CA, NEXT = (issue_ca(NOW + timedelta(days=day)) for day in (-300, 0, 1))
SERVING = issue_serving(CA, ["detour.detour.svc"], NOW)
A, B = "divert-object.detour.dev", "divert-namespace.detour.dev"


def roles(*bundles: bytes) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.role, each.missing) for each in authorities(dict(zip((A, B), bundles, strict=True)))]


def test_each_ca_of_the_ca_bundle_is_called_what_it_is() -> None:
    whole = CA.certificate + NEXT.certificate + OLD.certificate
    assert roles(whole, whole) == [(SIGNS, ()), (SUCCESSOR, ()), (RETIRED, ())]


def test_a_webhook_that_trusts_something_else_is_named() -> None:
    ours, theirs = CA.certificate, SERVING.certificate
    assert roles(ours, theirs) == [(SIGNS, (B,)), (OTHERS, (A,))]
    assert roles(ours, b"") == [(SIGNS, (B,))]
    assert roles(b"", b"rubbish") == []


def test_the_table_says_until_when_and_why_a_replica_is_refused() -> None:
    replicas = (Presented("one", SERVING.certificate, ""), Presented("two", b"", "it cannot be asked: forbidden"))
    console = Console(width=200)
    with console.capture() as shown:
        console.print(table(Trust(NOW, authorities({A: CA.certificate, B: b""}), replicas)))
    lines = [" ".join(line.split()) for line in shown.get().splitlines()]
    assert lines[1:] == [
        f"CA signs {fingerprint(CA.certificate)} 2027-03-01 00:00 (in 365 d) not by {B} successor 2026-10-30",
        f"serving one {fingerprint(SERVING.certificate)} 2026-03-08 00:00 (in 7 d) yes renewed 2026-03-05 16:00",
        "serving two - - it cannot be asked: forbidden -",
    ]


class Scripted:
    """Certificates that are right or not as the test has it; `looked` after each look."""

    def __init__(self) -> None:
        self.reason, self.looked = "", threading.Semaphore(0)

    def ensure(self) -> Standing:
        try:
            if self.reason:
                raise Untrusted(self.reason)
            return Standing(timedelta(hours=1), NOW, NOW + timedelta(days=7))
        finally:
            self.looked.release()


def test_a_new_mounted_secret_is_looked_at_and_each_complaint_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detour.keeper.LOOK_AT_FILES", 0.01)
    monkeypatch.setattr("detour.keeper.FIRST_BACKOFF", 0.01)
    certificates, told = Scripted(), list[str]()
    keeper = Keeper(certificates, tmp_path, told.append)
    assert keeper.problem == "waiting for the caBundle"
    with caplog.at_level(logging.WARNING):
        keeper.start()
        assert certificates.looked.acquire(timeout=30)
        certificates.reason = "it is for a.b,\nnot for detour.detour.svc"
        directory.publish(tmp_path, SERVING)
        for _ in range(3):
            assert certificates.looked.acquire(timeout=30)
    assert told == ["it is for a.b, not for detour.detour.svc"]
    assert keeper.problem == told[0]
    assert told[0] in caplog.text
    certificates.reason = ""
    deadline = time.monotonic() + 30
    while keeper.problem and time.monotonic() < deadline:
        time.sleep(0.01)
    assert keeper.problem == ""
    ends = REGISTRY.get_sample_value("detour_certificate_expiration_timestamp_seconds", {"certificate": "ca"})
    assert ends == NOW.timestamp()

"""What is remembered from one look to the next: the answer to what was asked for, as long as anybody waits for it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from analyzer import lookout
from analyzer.lookout import Lookout
from analyzer.measurements import Measurements
from analyzer.metrics.verdict import Check, Result
from analyzer.seen import Seen
from analyzer.spec import Spec
from analyzer.status import Phase, Status
from analyzer.strategy import Strategy
from analyzer.view import View
from tests.cluster.kubectl import eventually

KEY = ("shop", "web")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPEC = Spec("web", interval=10, threshold=1, strategy=Strategy((50,)), progress_deadline=60)
ANSWER = (Check("ann", Result.WAITING, "waiting for approval ann"),)


@pytest.fixture
def measurements() -> Measurements:
    return Measurements(lambda _: None)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch, measurements: Measurements) -> Lookout:
    """One whose world is always the same."""

    def look(_cluster: object, key: Any, spec: Spec, status: Status, *_: object) -> View:
        occasion = (status.revision, status.phase, status.check_time)
        return View(Seen("web", "shop"), key, None, None, None, None, occasion, spec.strategy)

    monkeypatch.setattr(lookout, "look", look)
    monkeypatch.setattr(lookout, "examined", lambda _cluster, view, *_: view.seen)
    return Lookout(cast("Any", None), cast("Any", None), measurements, lambda: NOW)


def test_a_gate_that_is_asked_before_anything_begins_is_heard_however_often_one_looks_meanwhile(
    found: Lookout, measurements: Measurements
) -> None:
    waits = Status(phase=Phase.WAITING, revision="2")
    measurements.start(KEY, found.look(KEY, SPEC, waits).occasion, lambda: ANSWER)
    eventually(lambda: found.look(KEY, SPEC, waits).seen.checks == ANSWER, "the answer", 5)


def test_at_rest_nothing_is_kept_of_what_was_asked(found: Lookout, measurements: Measurements) -> None:
    waits = Status(phase=Phase.WAITING, revision="2")
    rests = replace(waits, phase=Phase.INITIALIZED)
    occasion = found.look(KEY, SPEC, waits).occasion
    measurements.start(KEY, occasion, lambda: ANSWER)
    found.look(KEY, SPEC, rests)
    assert measurements.take(KEY, occasion) is None
    assert not measurements._known

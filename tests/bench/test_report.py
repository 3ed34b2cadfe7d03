"""The table and the evidence: what falls short or could not be measured must be seen."""

import io
from collections.abc import Mapping

import pytest
from rich.console import Console

from tests.bench import __main__ as bench
from tests.bench.figure import Figure
from tests.bench.report import Outcome, evidence, table

GOOD = Figure("share", "≤ 2 points", "0.4 points", "Flagger 0.8", True, ("at 5 %: 5.1 %",))
SHORT_OF = Figure("memory | RSS", "≤ 60 MB", "75 MB", "Flagger 65 MB", False)


def printed(outcomes: Mapping[str, Outcome]) -> str:
    text = io.StringIO()
    Console(file=text, width=200).print(table(outcomes))
    return text.getvalue()


def test_a_figure_that_falls_short_is_called_so_everywhere() -> None:
    outcomes = {"memory": Outcome((GOOD, SHORT_OF))}
    assert "FALLS SHORT" in printed(outcomes)
    assert "| share | ≤ 2 points | 0.4 points | Flagger 0.8 | holds |" in evidence(outcomes, [])
    assert "| memory \\| RSS | ≤ 60 MB | 75 MB | Flagger 65 MB | FALLS SHORT |" in evidence(outcomes, [])
    assert not outcomes["memory"].holds


def test_a_module_that_ended_early_stands_in_the_table_with_its_problem() -> None:
    outcomes = {"shares": Outcome(problem="AssertionError: no\nanswer")}
    assert "NOT MEASURED" in printed(outcomes)
    assert "| shares | – | AssertionError: no answer | – | NOT MEASURED |" in evidence(outcomes, [])
    assert not outcomes["shares"].holds


def test_the_evidence_has_the_circumstances_and_the_details() -> None:
    text = evidence({"shares": Outcome((GOOD,))}, ["2 processors"])
    assert "* 2 processors" in text
    assert "## share\n\n* at 5 %: 5.1 %" in text


def test_one_module_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"shares": Outcome(problem="no"), "patches": Outcome((GOOD,))}
    asked: list[str] = []

    def measure(name: str) -> Outcome:
        asked.append(name)
        return found[name]

    monkeypatch.setattr(bench, "measure", measure)
    assert bench.main(["shares", "patches"]) == 1
    assert asked == ["shares", "patches"]


def test_what_ends_a_module_is_its_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> None:
        raise AssertionError(f"{name}: {'x' * 1000}")

    monkeypatch.setattr("importlib.import_module", broken)
    outcome = bench.measure("patches")
    assert outcome.problem.startswith("AssertionError: tests.bench.patches")
    assert len(outcome.problem) < 300


def test_an_unknown_module_is_refused_before_anything_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["patchs"]) == 2
    assert "patches" in capsys.readouterr().out

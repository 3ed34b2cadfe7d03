"""What the shell gets: the exit status, and errors that say what to do."""

from dataclasses import replace
from typing import NoReturn

import pytest
from click.testing import CliRunner

from detour.demo import scenario
from detour.demo.command import command
from detour.demo.kubectl import DemoError, Kubectl
from detour.demo.report import Report, Shipment

GOOD = Shipment("6.0.1", "Succeeded", "Succeeded", "", (), (), 1.0, 2.0, 3.0, 4.0, 5.0)
FINE = Report((GOOD, replace(GOOD, expected="Failed", outcome="Failed")), 10, 10, 0, {}, 0, (), 0.0)


OPTIONS = ["--plain", "--kubeconfig", __file__]  # any file will do: nothing here talks to a cluster


def play(monkeypatch: pytest.MonkeyPatch, report: Report) -> int:
    monkeypatch.setattr(scenario, "play", lambda *_: report)
    return CliRunner().invoke(command, OPTIONS).exit_code


def test_all_as_promised_is_0(monkeypatch: pytest.MonkeyPatch) -> None:
    assert play(monkeypatch, FINE) == 0


def test_one_failed_request_is_1(monkeypatch: pytest.MonkeyPatch) -> None:
    assert play(monkeypatch, replace(FINE, failures={"ReadTimeoutError": (1.0,)})) == 1


def test_a_demo_that_cannot_be_run_is_2_and_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        raise DemoError("this cluster has no Detour; install it")

    monkeypatch.setattr(scenario, "play", refuse)
    result = CliRunner().invoke(command, OPTIONS)
    assert result.exit_code == 2
    assert result.output == "detour demo: this cluster has no Detour; install it\n"


def test_an_address_without_a_scheme_is_refused_with_an_example() -> None:
    result = CliRunner().invoke(command, [*OPTIONS, "--ingress", "127.0.0.1:8080"])
    assert result.exit_code == 2
    assert "'127.0.0.1:8080' is no address; write it like http://127.0.0.1:8080" in result.output


def test_a_kubeconfig_that_is_not_there_is_refused_with_the_remedy() -> None:
    result = CliRunner().invoke(command, ["--kubeconfig", "/nowhere/kubeconfig"])
    assert result.exit_code == 2
    assert "'/nowhere/kubeconfig' is no file; `make up` makes the sandbox's" in result.output


def test_a_typed_command_is_shown_with_all_of_its_answer() -> None:
    said: list[str] = []
    Kubectl("/bin/echo", "", said.append).typed("get pods")
    assert said == ["$ kubectl get pods", "get pods"]


def test_kubectls_own_words_are_kept_when_it_fails() -> None:
    with pytest.raises(DemoError, match="No such file"):
        Kubectl("/bin/ls", "", print).quietly("/nowhere-at-all")


def test_a_missing_kubectl_is_said_with_the_remedy() -> None:
    with pytest.raises(DemoError, match="there is no /nowhere/kubectl; name your kubectl with --kubectl"):
        Kubectl("/nowhere/kubectl", "", print).quietly("version")

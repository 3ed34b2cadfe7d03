"""Gates that outlive the load tester: kept in a ConfigMap, of which nothing is remembered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.kube.client import Client
from detour.kept_gates import KeptGates
from loadtester.errors import Away
from tests.loadtester.api import Api

GATE, OTHER = "gate.podinfo.test", "rollback.podinfo.test"


@pytest.fixture(name="api")
def _api() -> Api:
    return Api()


@pytest.fixture(name="kubeconfig")
def _kubeconfig(api: Api, tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "kubeconfig"
    with api.serving(path):
        yield path


@pytest.fixture(name="gates")
def _gates(kubeconfig: Path) -> KeptGates:
    return started(kubeconfig)


def started(kubeconfig: Path) -> KeptGates:
    """As by a load tester that has just begun."""
    return KeptGates(Client.connect(str(kubeconfig)), "test", "gates")


def test_a_gate_is_as_it_was_left_when_the_load_tester_starts_again(gates: KeptGates, kubeconfig: Path) -> None:
    assert not gates.is_open(GATE)
    gates.open(GATE)
    again = started(kubeconfig)
    assert (again.is_open(GATE), again.is_open(OTHER)) == (True, False)
    again.close(GATE)
    assert not gates.is_open(GATE)


def test_an_open_gate_is_one_line_that_a_person_reads_and_a_closed_one_is_none(gates: KeptGates, api: Api) -> None:
    assert api.config_map is not None
    gates.open(GATE)
    gates.open(OTHER)
    assert api.config_map["data"] == {GATE: "open", OTHER: "open"}
    gates.close(GATE)
    gates.close("gate.never.opened")
    assert api.config_map["data"] == {OTHER: "open"}


@pytest.mark.parametrize(("written", "is_open"), [("open", True), ("", False), ("closed", False), ("Open", False)])
def test_what_a_person_writes_there_opens_a_gate_only_where_it_says_so(
    gates: KeptGates, api: Api, written: str, is_open: bool
) -> None:
    api.config_map = {"metadata": {"name": "gates"}, "data": {GATE: written}}
    assert gates.is_open(GATE) is is_open


def test_a_gate_is_asked_for_once_for_each_check_and_never_otherwise(gates: KeptGates, api: Api) -> None:
    assert api.asked == []
    gates.is_open(GATE)
    gates.open(GATE)
    gates.is_open(GATE)
    assert api.asked == ["GET", "PATCH", "GET"]


def test_where_nobody_can_say_the_gate_is_neither_open_nor_closed(gates: KeptGates, api: Api) -> None:
    api.refuses = 403
    with pytest.raises(
        Away, match="the ConfigMap test/gates, where gates are kept, cannot be used: configmaps is forb"
    ):
        gates.is_open(GATE)
    api.refuses, api.config_map = 0, None
    with pytest.raises(Away, match="is not there: install the load tester's manifests again"):
        gates.open(GATE)


def test_an_api_server_that_is_away_is_told(api: Api, tmp_path: Path) -> None:
    with api.serving(tmp_path / "other"):
        gates = started(tmp_path / "other")
    with pytest.raises(Away, match="cannot be reached: the API server does not answer"):
        gates.is_open(GATE)

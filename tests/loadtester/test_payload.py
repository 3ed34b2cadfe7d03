"""What Flagger's webhooks send."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtester.errors import Refused
from loadtester.payload import LONGEST_CANARY, Kind, Task, canary, task


def body(**metadata: Any) -> bytes:
    payload = {"name": "podinfo", "namespace": "test", "phase": "Progressing", "checksum": "5", "metadata": metadata}
    return json.dumps(payload).encode()


def test_a_payload_of_flagger_is_a_task() -> None:
    asked = body(type="cmd", cmd="hey x", logCmdOutput="true", returnCmdOutput="false")
    assert task(asked) == Task("podinfo.test", "hey x", Kind.CMD, "5", log_output=True)


def test_a_task_without_a_type_is_a_command() -> None:
    assert task(body(cmd="hey x")) == Task("podinfo.test", "hey x", Kind.CMD, "5")


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.CMD])
def test_every_type_but_cmd_is_waited_for_and_its_output_logged(kind: Kind) -> None:
    found = task(body(type=str(kind), cmd="x", returnCmdOutput="true"))
    assert found == Task("podinfo.test", "x", kind, "5", log_output=True, return_output=True)
    assert kind.waits


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({}, "metadata not found"),
        ({"type": "cmd"}, "metadata.cmd is missing"),
        ({"type": "ngrinder", "cmd": "x"}, "no task type 'ngrinder' here; known are: cmd, test, bash, helm, helmv3"),
        ({"type": "concord", "cmd": "x"}, "no task type 'concord' here"),
        ({"cmd": 7}, "metadata.cmd must be a string"),
        ({"cmd": "x", "logCmdOutput": True}, "metadata.logCmdOutput must be a string"),
        ({"cmd": "x", "logCmdOutput": "yes"}, "metadata.logCmdOutput must be"),
        ({"cmd": "x", "returnCmdOutput": "si"}, "metadata.returnCmdOutput must be"),
    ],
)
def test_bad_metadata_is_refused_by_the_name_of_the_field(metadata: dict[str, Any], sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        task(body(**metadata))


@pytest.mark.parametrize("name", ["", "a b", "A", "a\n", "../x", "a" * 254, None, 7])
def test_a_canary_has_a_kubernetes_name(name: object) -> None:
    with pytest.raises(Refused, match="name is missing or is no Kubernetes name"):
        canary(json.dumps({"name": name, "namespace": "test"}).encode())
    with pytest.raises(Refused, match="namespace is missing"):
        canary(json.dumps({"name": "podinfo", "namespace": name}).encode())


def test_a_canary_whose_gate_would_be_no_key_of_a_config_map_is_refused() -> None:
    name = "a" * (LONGEST_CANARY - len(".test"))
    assert canary(json.dumps({"name": name, "namespace": "test"}).encode()) == f"{name}.test"
    with pytest.raises(Refused, match="more than 240 characters together"):
        canary(json.dumps({"name": f"{name}a", "namespace": "test"}).encode())


@pytest.mark.parametrize("bad", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 60_000, b"9" * 60_000])
def test_a_body_that_is_no_payload_is_refused(bad: bytes) -> None:
    with pytest.raises(Refused, match="the body is no JSON"):
        canary(bad)


NAMES = st.sampled_from(["name", "namespace", "metadata", "cmd"])
LEAVES = st.none() | st.text() | st.integers()
VALUES = st.recursive(LEAVES, lambda below: st.lists(below) | st.dictionaries(NAMES, below))


@given(st.binary(max_size=60) | VALUES.map(json.dumps).map(str.encode))
def test_any_body_is_a_task_or_is_refused(bad: bytes) -> None:
    with contextlib.suppress(Refused):
        task(bad)

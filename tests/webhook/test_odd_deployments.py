"""Reviews that are reviews, of Deployments that no API server would hold: answered like any other, and never a fault.

What stands in our own annotations may have been written by anybody, and so may be anything.
"""

import base64
import copy
import gzip
import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webhook.deployments import APPLIED, SETTINGS, changed, deployment, shipped, template
from tests.webhook.model import review
from tests.webhook.test_properties import JSON
from webhook import stash
from webhook.app import create_app
from webhook.objects import annotations, mapping

V1, V2, V3 = template("podinfo:1"), template("podinfo:2"), template("podinfo:3")
BOMB = base64.b64encode(gzip.compress(b" " * 64 * 1024 * 1024)).decode()
DEEP = '{"template":' + '{"a":' * 10_000
DIVERTED = changed(shipped(deployment(V1), V2), **{APPLIED: json.dumps({"spec": {"template": V2}})})


@pytest.fixture(name="client", scope="module")
def _client() -> FlaskClient:
    return create_app(SETTINGS).test_client()


def answer(client: FlaskClient, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """The status, and the response in the answered review."""
    found = client.post("/divert", data=json.dumps(asked), content_type="application/json")
    return found.status_code, (found.json or {}).get("response", {})


@pytest.mark.parametrize(
    "pods",
    [
        {},
        {"spec": None},
        {"spec": {}},
        {"spec": {"containers": None}},
        {"spec": {"containers": []}},
        {"spec": {"containers": ["podinfo", None, 7, {}]}},
        {"spec": {"containers": {"name": "podinfo"}}},
        {"spec": {"containers": [{"name": {"a": []}, "env": {}, "ports": [None], "image": 7}]}},
        {"spec": {"containers": [{"name": "a"}, {"name": "a"}]}},
        {"spec": {"containers": [{"name": "\ufffd", "image": "\x00"}]}},
        {"metadata": [], "spec": {"volumes": [{"persistentVolumeClaim": 7}]}},
        template(env=[{"name": f"NAME_{number}", "value": "x" * 50} for number in range(10_000)]),
    ],
)
@pytest.mark.parametrize("old", [deployment(V1), DIVERTED])
def test_a_strange_template_waits_like_any_other(
    client: FlaskClient, old: dict[str, Any], pods: dict[str, Any]
) -> None:
    labelled = copy.deepcopy(old)
    labelled["spec"]["selector"] = {}
    status, response = answer(client, review(changed(labelled, pods), labelled))
    assert (status, response["allowed"]) == (200, True)
    assert response["auditAnnotations"]["decision"] == "diverted"


def test_ten_thousand_variables_are_refused_since_no_annotation_could_hold_them(client: FlaskClient) -> None:
    noise = Random(4)  # text that repeats itself would be compressed
    many = template(env=[{"name": f"N{number}", "value": noise.randbytes(30).hex()} for number in range(10_000)])
    status, response = answer(client, review(changed(deployment(V1), many), deployment(V1)))
    assert (status, response["allowed"], response["status"]["code"]) == (200, False, 413)
    assert "more than the 262144 that Kubernetes stores; make it smaller" in response["status"]["message"]


@pytest.mark.parametrize("written", ["", "{", "null", "[]", '{"template": 7}', "hunter2", "AAAA", BOMB, DEEP])
def test_a_stash_that_cannot_be_read_is_replaced_by_the_next_update(client: FlaskClient, written: str) -> None:
    old = changed(DIVERTED, **{stash.TEMPLATE: written, stash.PREVIOUS: written, stash.DIVERTED_BY: written})
    status, response = answer(client, review(changed(old, V3), old))
    assert (status, response["auditAnnotations"]["decision"]) == (200, "diverted")
    waiting = next(
        each for each in operations(response) if each["path"] == "/metadata/annotations/detour.dev~1template"
    )
    assert stash.decode(waiting["value"]).template == V3


@pytest.mark.parametrize("operation", ["DELETE", "CONNECT", "PATCH", ""])
def test_an_operation_that_is_none_of_ours_goes_through(client: FlaskClient, operation: str) -> None:
    status, response = answer(client, review(deployment(V2), deployment(V1), operation=operation))
    assert (status, response["allowed"], "patch" in response) == (200, True, False)


def test_a_subresource_goes_through(client: FlaskClient) -> None:
    asked = review(deployment(V2), deployment(V1), subResource="scale", object={}, oldObject={})
    assert answer(client, asked)[1]["auditAnnotations"]["decision"] == "untouched"


def operations(response: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(base64.b64decode(response["patch"]))
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths to everything in a value."""
    if path:
        yield path
    for key, part in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(part, (*path, key))


@st.composite
def broken(draw: st.DrawFn) -> dict[str, Any]:
    """A good review with something else, or nothing, in up to three places; also in the JSON of its annotations."""
    manager = draw(st.sampled_from(["", "kubectl-set", "kubectl-client-side-apply", "kubectl-replace"]))
    asked = copy.deepcopy(review(changed(DIVERTED, draw(st.sampled_from([V1, V2, V3]))), DIVERTED, manager))
    for _ in range(draw(st.integers(1, 3))):
        inside = draw(st.sampled_from(["", APPLIED, stash.TEMPLATE]))
        notes = annotations(mapping(asked, "request", draw(st.sampled_from(["object", "oldObject"]))))
        try:
            stored = json.loads(notes[inside])
        except (LookupError, TypeError, ValueError):
            break_somewhere(draw, asked)
        else:
            break_somewhere(draw, stored)
            notes[inside] = json.dumps(stored)
    return asked


def break_somewhere(draw: st.DrawFn, value: Any) -> None:
    found = list(places(value))
    if not found:
        return
    *parents, last = draw(st.sampled_from(found))
    for key in parents:
        value = value[key]
    if draw(st.booleans()) or isinstance(value, list):
        value[last] = draw(JSON)
    else:
        del value[last]


@given(broken())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_wrong_with_a_review_it_is_never_a_fault_of_ours(
    client: FlaskClient, asked: dict[str, Any]
) -> None:
    status, response = answer(client, asked)
    assert status in (200, 400)
    assert (status == 200) == ("allowed" in response)


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(gzip.compress(b'{"template":{"spec":{"containers":[' + b"{}," * 400_000 + b"{}]}}}")).decode(),
        '{"template":{"spec":{"containers":5}}}',
        '{"template":{"spec":{"containers":[null]}}}',
        '{"template":{"spec":[]}}',
        '{"template":{"metadata":7,"spec":{}}}',
    ],
    ids=["two million parts", "a number", "nothing", "a list", "metadata"],
)
def test_what_is_no_template_is_refused_before_anybody_works_with_it(text: str) -> None:
    with pytest.raises(stash.StashError):
        stash.decode(text)

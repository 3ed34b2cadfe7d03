"""AdmissionReview in and out."""

import base64
import json
from typing import Any

import pytest

from tests.webhook.deployments import SETTINGS, changed, decide, deployment, request, shipped, template
from tests.webhook.model import NOW, review
from webhook import stash
from webhook.decision import Decision, Kind, denied
from webhook.divert import divert
from webhook.review import BadReview, parse, patch, respond

V1, V2 = template("podinfo:1"), template("podinfo:2")


def body(**changes: Any) -> bytes:
    """A good review with another value in its request."""
    return json.dumps(review(deployment(V2), deployment(V1), **changes)).encode()


def operations(new: dict[str, Any], decision: Decision) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = patch(request(new, new), decision).patch
    return found


def test_a_request_says_who_wants_what() -> None:
    found = parse(json.dumps(review(deployment(V2), deployment(V1), "kubectl-set", "ann", dryRun=True)).encode())
    assert (found.namespace, found.name, found.user, found.manager) == ("shop", "podinfo", "ann", "kubectl-set")
    assert (found.operation, found.subresource, found.dry_run) == ("UPDATE", "", True)
    assert (found.wanted, found.primary) == (V2, V1)


def test_a_client_without_a_field_manager_has_none() -> None:
    assert parse(body(options=None)).manager == ""
    assert parse(body(options={"kind": "UpdateOptions"})).manager == ""


def with_object(**changes: Any) -> bytes:
    """A good review whose object has another value in its metadata, or in its spec."""
    new = deployment(V2)
    for part, value in changes.items():
        new[part] = value if not isinstance(value, dict) else new[part] | value
    return body(object=new)


EXPECTED = "expected an object with apiVersion admission.k8s.io/v1 and kind AdmissionReview"
STRINGS = "must map strings to strings"
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": {"containers": []}}
NO_REVIEWS = [
    (b"", f"the body is empty: {EXPECTED}"),
    (b"\xff\xfe", "the body is not JSON: str is not valid UTF-8"),
    (b"\xef\xbb\xbf{}", "the body is not JSON"),
    (b"hunter2", "the body is not JSON"),
    (b'{"password": "hunter2"', "the body is not JSON"),
    (body()[:-10], "the body is not JSON"),
    (body() + b"{}", "the body is not JSON: unexpected content after document"),
    (body() + b"\x00", "the body is not JSON: unexpected content after document"),
    (b'{"a": "\x00"}', "the body is not JSON: "),
    (b'{"a": ' + b"9" * 5000 + b"}", "the body is not JSON"),
    (b'{"a": NaN}', "the body is not JSON"),
    (b'{"a": -Infinity}', "the body is not JSON"),
    (b'{"a": 1e999}', "the body is not JSON: number is infinity"),
    (b"[" * 100_000, "the body is not JSON: depth limit exceeded"),
    (b'{"a":' * 100_000, "the body is not JSON: depth limit exceeded"),
    (b"null", EXPECTED),
    (b"[]", EXPECTED),
    (b'"hunter2"', EXPECTED),
    (json.dumps(POD).encode(), EXPECTED),
    (json.dumps([json.loads(body())]).encode(), EXPECTED),
    (body().replace(b"admission.k8s.io/v1", b"admission.k8s.io/v1beta1"), EXPECTED),
    (body().replace(b"admission.k8s.io/v1", b"admission.k8s.io/\\ud800"), "the body is not JSON: no low surrogate"),
    (b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}', "request must be an object"),
    (b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": []}', "request must be an object"),
    (b'{"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1", "request": {}}', "request.operation must be"),
    (body(uid=7), "request.uid must be a string"),
    (body(uid=None), "request.uid must be a string"),
    (body(name=["x"]), "request.name must be a string"),
    (body(namespace={}), "request.namespace must be a string"),
    (body(userInfo=None), "request.userInfo must be an object"),
    (body(userInfo="root"), "request.userInfo must be an object"),
    (body(userInfo={"username": ["root"]}), "request.userInfo.username must be a string"),
    (body(operation=None), "request.operation must be a string"),
    (body(operation=["UPDATE"]), "request.operation must be a string"),
    (body(subResource={}), "request.subResource must be a string"),
    (body(kind={"group": "apps", "kind": "StatefulSet"}), "request.kind must be a Deployment of group apps"),
    (body(kind=None), "request.kind must be a Deployment of group apps"),
    (body(kind={"group": "extensions", "kind": "Deployment"}), "request.kind must be a Deployment of group apps"),
    (body(object=None), "request.object must be an object"),
    (body(object=[deployment(V2)]), "request.object must be an object"),
    (body(object=POD), "request.object.spec.template must be an object"),
    (body(oldObject=None), "request.oldObject must be an object"),
    (body(oldObject=POD), "request.oldObject.spec.template must be an object"),
    (body(object={"metadata": {}, "spec": {}}), "request.object.spec.template must be an object"),
    (body(oldObject={"spec": {"template": {}}}), "request.oldObject.metadata must be an object"),
    (with_object(metadata=None), "request.object.metadata must be an object"),
    (with_object(spec=[]), "request.object.spec must be an object"),
    (with_object(spec={"template": "podinfo"}), "request.object.spec.template must be an object"),
    (with_object(metadata={"labels": {"a": 1}}), f"request.object.metadata.labels {STRINGS}"),
    (with_object(metadata={"labels": None}), f"request.object.metadata.labels {STRINGS}"),
    (with_object(metadata={"annotations": {stash.TEMPLATE: {}}}), f"request.object.metadata.annotations {STRINGS}"),
    (with_object(metadata={"annotations": [stash.TEMPLATE]}), f"request.object.metadata.annotations {STRINGS}"),
    (body(options={"fieldManager": 1}), "request.options.fieldManager must be a string"),
]


@pytest.mark.parametrize(("text", "reason"), NO_REVIEWS)
def test_what_is_no_review_is_refused_by_the_name_of_the_field(text: bytes, reason: str) -> None:
    with pytest.raises(BadReview, match=reason):
        parse(text)


def test_a_subresource_need_not_be_a_deployment() -> None:
    scale = body(subResource="scale", kind={"group": "autoscaling", "kind": "Scale"}, object={}, oldObject={})
    assert parse(scale).subresource == "scale"


def test_a_diversion_is_answered_by_the_fewest_operations() -> None:
    new = changed(deployment(V1), V2)
    found = operations(new, decide(new, deployment(V1)))
    assert [(operation["op"], operation["path"]) for operation in found] == [
        ("replace", "/spec/template"),
        ("add", "/metadata/labels/detour.dev~1revision"),
        ("add", "/metadata/annotations/detour.dev~1diverted-by"),
        ("add", "/metadata/annotations/detour.dev~1template"),
    ]
    assert found[0]["value"] == V1


def test_maps_that_are_missing_are_made() -> None:
    bare = deployment(V2, labels={})
    del bare["metadata"]["labels"]
    keys = {stash.REVISION: "0123456789", stash.TEMPLATE: "{}"}
    assert operations(bare, Decision(Kind.DIVERTED, keys=keys)) == [
        {"op": "add", "path": "/metadata/labels", "value": {stash.REVISION: "0123456789"}},
        {"op": "add", "path": "/metadata/annotations", "value": {stash.TEMPLATE: "{}"}},
    ]


def test_single_entries_are_replaced_and_removed() -> None:
    old = deployment(V1, labels={stash.STATE: "rejected"}, annotations={stash.TEMPLATE: "1", stash.HISTORY: "x"})
    keys = {stash.STATE: None, stash.TEMPLATE: "2", stash.HISTORY: "x", stash.PREVIOUS: None}
    assert operations(old, Decision(Kind.DIVERTED, keys=keys)) == [
        {"op": "remove", "path": "/metadata/labels/detour.dev~1state"},
        {"op": "replace", "path": "/metadata/annotations/detour.dev~1template", "value": "2"},
    ]


def test_where_nothing_changes_there_is_no_patch() -> None:
    answer = respond(request(deployment(V1), deployment(V1)), Decision(Kind.UNTOUCHED, V1))
    assert answer["response"] == {
        "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
        "allowed": True,
        "auditAnnotations": {"decision": "untouched"},
    }


def test_an_answer_carries_patch_warning_and_audit_annotations() -> None:
    new = changed(deployment(V1), V2)
    response = respond(request(new, deployment(V1)), decide(new, deployment(V1)))["response"]
    assert response["patchType"] == "JSONPatch"
    assert json.loads(base64.b64decode(response["patch"]))[0]["path"] == "/spec/template"
    assert len(response["warnings"]) == 1
    assert response["auditAnnotations"]["decision"] == "diverted"
    assert len(response["auditAnnotations"]["revision"]) == 10


def test_a_denial_says_why_and_patches_nothing() -> None:
    answer = respond(request(deployment(V2), deployment(V1)), denied("no", 422, "Invalid"))["response"]
    assert answer["allowed"] is False
    assert answer["status"] == {"code": 422, "reason": "Invalid", "message": "no"}
    assert "patch" not in answer


def test_a_repeated_update_that_changes_nothing_but_times_is_not_stored() -> None:
    waiting = shipped(deployment(V1), V2)
    by_hand = {"manager": "kubectl-set", "operation": "Update", "fieldsV1": {"f:spec": {}}}
    status = {"manager": "controller", "operation": "Update", "subresource": "status", "time": "12:01"}
    waiting["metadata"]["managedFields"] = [{**by_hand, "time": "12:00"}, status]
    again = changed(waiting, V2)
    again["metadata"]["managedFields"] = [status, {**by_hand, "time": "12:02"}]
    assert stored_by(again, waiting) == waiting


def stored_by(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """What the API server stores with the answer to this request."""
    asked = request(new, old)
    found: dict[str, Any] = patch(asked, divert(asked, SETTINGS, NOW)).apply(new)
    return found

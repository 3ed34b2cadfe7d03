"""AdmissionReview in and out (`admission.k8s.io/v1`).

Two kinds of error are kept apart. A review that is no review is the caller's fault: `BadReview`, and HTTP 4xx. A
request that must not be carried out is its user's: HTTP 200 with `allowed: false`, and a sentence for him.
"""

import base64

import orjson
from jsonpatch import JsonPatch

from webhook import stash
from webhook.decision import Decision, Kind
from webhook.objects import annotations, elements, labels, mapping
from webhook.request import CREATE, UPDATE, Request
from webhook.revision import Object, canonical, short

MOST_PARTS = 500_000
"""Values in a body, about. The largest Deployments that etcd stores have a fifth of it in a review; each costs some
seventy bytes of memory, however short it is to write."""

API_VERSION, KIND = "admission.k8s.io/v1", "AdmissionReview"


class BadReview(ValueError):
    """The body is no AdmissionReview of a Deployment. The message names the field, and nothing of its value."""


def parse(body: bytes) -> Request:
    """The request that an AdmissionReview is about. Raises BadReview."""
    if not body:
        raise BadReview(f"the body is empty: expected an object with apiVersion {API_VERSION} and kind {KIND}")
    if sum(body.count(mark) for mark in (b",", b"{", b"[")) > MOST_PARTS:
        raise BadReview(f"the body has more than {MOST_PARTS} values, which no AdmissionReview has")
    try:
        review = orjson.loads(body)
    except ValueError as error:  # its message quotes nothing, but its position helps
        raise BadReview(f"the body is not JSON: {error}") from error
    if not isinstance(review, dict) or (review.get("apiVersion"), review.get("kind")) != (API_VERSION, KIND):
        raise BadReview(f"expected an object with apiVersion {API_VERSION} and kind {KIND}")
    return _request(_object(review, "request", ""))


def respond(request: Request, decision: Decision) -> Object:
    """The AdmissionReview that answers a request."""
    response: Object = {"uid": request.uid, "allowed": decision.denial is None}
    response["auditAnnotations"] = {"decision": decision.kind.value}
    if decision.revision:
        response["auditAnnotations"]["revision"] = short(decision.revision)
    if decision.denial is not None:
        denial = decision.denial
        response["status"] = {"code": denial.code, "reason": denial.reason, "message": denial.message}
    elif operations := patch(request, decision).patch:
        response["patchType"] = "JSONPatch"
        response["patch"] = base64.b64encode(orjson.dumps(operations)).decode()
    if decision.warning:
        response["warnings"] = [decision.warning]
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def patch(request: Request, decision: Decision) -> JsonPatch:
    """The fewest operations that make the object what was decided; none where it is so already.

    Written by hand: a computed difference of two templates goes by the indices of their lists.
    """
    operations: list[Object] = []
    if decision.template is not None and decision.template != request.wanted:
        operations.append({"op": "replace", "path": "/spec/template", "value": decision.template})
    for kind, present in (("labels", labels(request.object)), ("annotations", annotations(request.object))):
        wanted = {k: v for k, v in decision.keys.items() if (k in stash.LABELS) == (kind == "labels")}
        operations += _entries(f"/metadata/{kind}", present, wanted, kind in mapping(request.object, "metadata"))
    if decision.kind is Kind.UNCHANGED and _same_books(request):
        books = mapping(request.old, "metadata")["managedFields"]
        operations.append({"op": "replace", "path": "/metadata/managedFields", "value": books})
    return JsonPatch(operations)


def _same_books(request: Request) -> bool:
    """Whether field management differs by the times of its entries alone, which are in their order.

    The API server stores nothing for times, unless a writer's new one has moved its entry past another's.
    """
    new, old = (elements(mapping(side, "metadata"), "managedFields") for side in (request.object, request.old))
    return new != old and _timeless(new) == _timeless(old)


def _timeless(entries: list[Object]) -> list[str]:
    return sorted(canonical({key: part for key, part in entry.items() if key != "time"}) for entry in entries)


def _entries(path: str, present: dict[str, str], wanted: dict[str, str | None], exists: bool) -> list[Object]:
    """Operations that bring single entries of a map to what is wanted."""
    values = {key: value for key, value in wanted.items() if value is not None and present.get(key) != value}
    if values and not present and not exists:
        return [{"op": "add", "path": path, "value": dict(sorted(values.items()))}]
    operations: list[Object] = [
        {"op": "remove", "path": f"{path}/{_escaped(key)}"}
        for key in sorted(wanted)
        if wanted[key] is None and key in present
    ]
    for key, value in sorted(values.items()):
        op = "replace" if key in present else "add"
        operations.append({"op": op, "path": f"{path}/{_escaped(key)}", "value": value})
    return operations


def _escaped(key: str) -> str:
    return key.replace("/", "~1")  # ours have no tilde


def _request(asked: Object) -> Request:
    operation, subresource = _text(asked, "operation", "request"), _text(asked, "subResource", "request", "")
    whole = operation in (CREATE, UPDATE) and not subresource
    if whole and (mapping(asked, "kind").get("group"), mapping(asked, "kind").get("kind")) != ("apps", "Deployment"):
        raise BadReview("request.kind must be a Deployment of group apps")
    return Request(
        uid=_text(asked, "uid", "request"),
        operation=operation,
        subresource=subresource,
        namespace=_text(asked, "namespace", "request", ""),
        name=_text(asked, "name", "request", ""),
        user=_text(_object(asked, "userInfo", "request."), "username", "request.userInfo", ""),
        manager=_text(mapping(asked.get("options")), "fieldManager", "request.options", ""),
        dry_run=asked.get("dryRun") is True,
        object=_deployment(asked, "object") if whole else {},
        old=_deployment(asked, "oldObject") if whole and operation == UPDATE else {},
    )


def _deployment(asked: Object, field: str) -> Object:
    """A Deployment with the parts that every one has: the API server has decoded it before it asks."""
    found = _object(asked, field, "request.")
    metadata = _object(found, "metadata", f"request.{field}.")
    _object(_object(found, "spec", f"request.{field}."), "template", f"request.{field}.spec.")
    for kind in ("labels", "annotations"):
        entries = metadata.get(kind, {})
        if not isinstance(entries, dict) or not all(isinstance(value, str) for value in entries.values()):
            raise BadReview(f"request.{field}.metadata.{kind} must map strings to strings")
    return found


def _object(parent: Object, field: str, path: str) -> Object:
    found = parent.get(field)
    if not isinstance(found, dict):
        raise BadReview(f"{path}{field} must be an object")
    return found


def _text(parent: Object, field: str, path: str, default: str | None = None) -> str:
    found = parent.get(field, default)
    if not isinstance(found, str):
        raise BadReview(f"{path}.{field} must be a string")
    return found

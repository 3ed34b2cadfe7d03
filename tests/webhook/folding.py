"""Pod templates of one container by its fields, and requests of writers who keep books of what they state."""

import json
from typing import Any

from tests.webhook.deployments import template
from webhook.claims import claimed
from webhook.fold import fold
from webhook.request import Request

Fields = dict[str, Any]
A1, A2, A3 = ({"name": "A", "value": value} for value in "123")
B1, B2 = ({"name": "B", "value": value} for value in "12")
ENV_A: Fields = {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}}
IMAGE: Fields = {}


def meant(primary: Fields, waiting: Fields, asked: Fields, request: Request | None = None) -> Fields:
    """The container that is meant."""
    claim = claimed(request, template(**waiting)) if request else None
    found = fold(template(**primary), template(**waiting), template(**asked), claim)
    container: Fields = found["spec"]["containers"][0]
    return {field: value for field, value in container.items() if field not in ("name", "resources")}


def client_side(new: Fields, old: Fields) -> Request:
    """A client-side apply of one manifest after another."""
    return Request("", "UPDATE", _bookkept(new, "p:2"), _bookkept(old, "p:1"), manager="kubectl-client-side-apply")


def _bookkept(fields: Fields, image: str) -> Fields:
    manifest = json.dumps({"spec": {"template": template(**fields)}})
    notes = {"kubectl.kubernetes.io/last-applied-configuration": manifest}
    return {"metadata": {"annotations": notes}, "spec": {"template": template(image)}}


def owned(manager: str, operation: str, **fields: Fields) -> Fields:
    """An entry of managedFields that owns fields of the container."""
    container = {'k:{"name":"podinfo"}': {".": {}, "f:name": {}, **{f"f:{k}": v for k, v in fields.items()}}}
    tree = {"f:spec": {"f:template": {"f:spec": {"f:containers": container}}}}
    return {"manager": manager, "operation": operation, "fieldsV1": tree}


def server_side(new: list[Fields], old: list[Fields]) -> Request:
    """A server-side apply by flux, by the entries after and before it."""
    sides = ({"metadata": {"managedFields": side}, "spec": {"template": template()}} for side in (new, old))
    return Request("", "UPDATE", next(sides), next(sides), manager="flux")

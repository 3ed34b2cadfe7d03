"""The fold: what a writer means, given that he looked at the primary while another template waits.

Each case gives the containers' fields of the primary, of what waits, of the request, and of what is meant.
"""

import json
from typing import Any

import pytest

from tests.webhook.deployments import template
from webhook.claims import claimed
from webhook.fold import fold
from webhook.request import Request

Fields = dict[str, Any]
A1, A2, A3 = ({"name": "A", "value": value} for value in "123")
B1, B2 = ({"name": "B", "value": value} for value in "12")
FROM = {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}


def meant(primary: Fields, waiting: Fields, asked: Fields, request: Request | None = None) -> Fields:
    """The container that is meant."""
    claim = claimed(request, template(**waiting)) if request else None
    found = fold(template(**primary), template(**waiting), template(**asked), claim)
    container: Fields = found["spec"]["containers"][0]
    return {field: value for field, value in container.items() if field not in ("name", "resources")}


UNCLAIMED = {
    "set image, then set env": (
        {"image": "p:1"},
        {"image": "p:2"},
        {"image": "p:1", "env": [A1]},
        {"image": "p:2", "env": [A1]},
    ),
    "set env, then set another": (
        {"image": "p:1"},
        {"image": "p:1", "env": [A1]},
        {"image": "p:1", "env": [B1]},
        {"image": "p:1", "env": [A1, B1]},
    ),
    "a variable is taken away": (
        {"image": "p:1", "env": [A1, B1]},
        {"image": "p:2", "env": [A2, B1]},
        {"image": "p:1", "env": [B1]},
        {"image": "p:2", "env": [B1]},
    ),
    "the last variable is taken away": (
        {"image": "p:1", "env": [A1]},
        {"image": "p:2", "env": [A1]},
        {"image": "p:1"},
        {"image": "p:2"},
    ),
    "an element is kept whole": (
        {"image": "p:1", "env": [A1]},
        {"image": "p:2"},
        {"image": "p:1", "env": [A2]},
        {"image": "p:2", "env": [A2]},
    ),
    "an empty map is a value": (
        {"image": "p:1", "securityContext": {"runAsUser": 1}},
        {"image": "p:1", "securityContext": {}},
        {"image": "p:2", "securityContext": {"runAsUser": 1}},
        {"image": "p:2", "securityContext": {}},
    ),
    "a map that is emptied stays": (
        {"image": "p:1", "securityContext": {"runAsUser": 1}},
        {"image": "p:1", "securityContext": {"runAsUser": 2}},
        {"image": "p:1", "securityContext": {}},
        {"image": "p:1", "securityContext": {}},
    ),
    "a probe is taken away with what was tuned on it": (
        {"image": "p:1", "livenessProbe": {"periodSeconds": 1}},
        {"image": "p:1", "livenessProbe": {"periodSeconds": 1, "timeoutSeconds": 2}},
        {"image": "p:1"},
        {"image": "p:1"},
    ),
    "one value drives out the other": (
        {"image": "p:1", "env": [A1]},
        {"image": "p:1", "env": [FROM]},
        {"image": "p:1", "env": [A2]},
        {"image": "p:1", "env": [A2]},
    ),
    "one handler drives out the other": (
        {"image": "p:1", "livenessProbe": {"exec": {"command": ["a"]}}},
        {"image": "p:1", "livenessProbe": {"httpGet": {"path": "/"}}},
        {"image": "p:1", "livenessProbe": {"grpc": {"port": 1}}},
        {"image": "p:1", "livenessProbe": {"grpc": {"port": 1}}},
    ),
    "ports are told apart by protocol": (
        {"image": "p:1", "ports": [{"containerPort": 53}]},
        {"image": "p:2", "ports": [{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}]},
        {"image": "p:1", "ports": [{"containerPort": 53, "name": "dns"}]},
        {"image": "p:2", "ports": [{"containerPort": 53, "name": "dns"}, {"containerPort": 53, "protocol": "UDP"}]},
    ),
    "a list in which a key comes twice is one value": (
        {"image": "p:1", "env": [A1, A2]},
        {"image": "p:2", "env": [A1, A2, A3]},
        {"image": "p:1", "env": [A1, B1]},
        {"image": "p:2", "env": [A1, B1]},
    ),
    "a list without a merge key is one value": (
        {"image": "p:1", "args": ["a"]},
        {"image": "p:2", "args": ["b"]},
        {"image": "p:1", "args": ["c"]},
        {"image": "p:2", "args": ["c"]},
    ),
}


@pytest.mark.parametrize("case", UNCLAIMED.values(), ids=UNCLAIMED.keys())
def test_who_keeps_no_books_means_what_he_changed(case: tuple[Fields, Fields, Fields, Fields]) -> None:
    primary, waiting, asked, expected = case
    assert meant(primary, waiting, asked) == expected


def client_side(new: Fields, old: Fields) -> Request:
    """A client-side apply of one manifest after another."""
    return Request("", "UPDATE", _bookkept(new, "p:2"), _bookkept(old, "p:1"), manager="kubectl-client-side-apply")


def _bookkept(fields: Fields, image: str) -> Fields:
    manifest = json.dumps({"spec": {"template": template(**fields)}})
    notes = {"kubectl.kubernetes.io/last-applied-configuration": manifest}
    return {"metadata": {"annotations": notes}, "spec": {"template": template(image)}}


CLAIMED = {
    "the same manifest again, in which a field is gone": (
        {"image": "p:1", "env": [A1, B1]},
        {"image": "p:2", "env": [B1]},
        {"image": "p:2", "env": [A1, B1]},
        ({"image": "p:2", "env": [B1]}, {"image": "p:2", "env": [B1]}),
        {"image": "p:2", "env": [B1]},
    ),
    "what somebody else set in between stays": (
        {"image": "p:1"},
        {"image": "p:2", "env": [A1]},
        {"image": "p:2"},
        ({"image": "p:2"}, {"image": "p:2"}),
        {"image": "p:2", "env": [A1]},
    ),
    "what the manifest states wins over what somebody set": (
        {"image": "p:1"},
        {"image": "p:3"},
        {"image": "p:2"},
        ({"image": "p:2"}, {"image": "p:2"}),
        {"image": "p:2"},
    ),
    "the old manifest again": (
        {"image": "p:1", "env": [A1]},
        {"image": "p:2"},
        {"image": "p:1", "env": [A1]},
        ({"image": "p:1", "env": [A1]}, {"image": "p:2"}),
        {"image": "p:1", "env": [A1]},
    ),
    "a map goes with all that others put under it": (
        {"image": "p:1"},
        {"image": "p:2", "securityContext": {"runAsUser": 1, "runAsGroup": 9}},
        {"image": "p:2"},
        ({"image": "p:2"}, {"image": "p:2", "securityContext": {"runAsUser": 1}}),
        {"image": "p:2"},
    ),
    "a map that is stated stays, even empty": (
        {"image": "p:1", "securityContext": {"runAsUser": 1, "runAsGroup": 1}},
        {"image": "p:2", "securityContext": {"runAsUser": 2}},
        {"image": "p:2", "securityContext": {"runAsGroup": 1}},
        ({"image": "p:2", "securityContext": {}}, {"image": "p:2", "securityContext": {"runAsUser": 2}}),
        {"image": "p:2", "securityContext": {}},
    ),
    "a default means nothing where somebody has set it": (
        {"image": "p:1"},
        {"image": "p:2", "livenessProbe": {"exec": {"command": ["a"]}, "periodSeconds": 7}},
        {"image": "p:2", "livenessProbe": {"exec": {"command": ["a"]}, "periodSeconds": 10}},
        ({"image": "p:2", "livenessProbe": {"exec": {"command": ["a"]}}},) * 2,
        {"image": "p:2", "livenessProbe": {"exec": {"command": ["a"]}, "periodSeconds": 7}},
    ),
    "a part that is stated anew takes nothing from the primary": (
        {"image": "p:1", "livenessProbe": {"exec": {"command": ["a"]}, "periodSeconds": 3, "timeoutSeconds": 1}},
        {"image": "p:2"},
        {"image": "p:3", "livenessProbe": {"exec": {"command": ["b"]}, "periodSeconds": 3, "timeoutSeconds": 1}},
        ({"image": "p:3", "livenessProbe": {"exec": {"command": ["b"]}}}, {"image": "p:2"}),
        {"image": "p:3", "livenessProbe": {"exec": {"command": ["b"]}, "periodSeconds": 10, "timeoutSeconds": 1}},
    ),
}


@pytest.mark.parametrize("case", CLAIMED.values(), ids=CLAIMED.keys())
def test_who_applies_means_his_manifest(case: tuple[Fields, Fields, Fields, tuple[Fields, Fields], Fields]) -> None:
    primary, waiting, asked, manifests, expected = case
    assert meant(primary, waiting, asked, client_side(*manifests)) == expected


def owned(manager: str, operation: str, **fields: Fields) -> Fields:
    """An entry of managedFields that owns fields of the container."""
    container = {'k:{"name":"podinfo"}': {".": {}, "f:name": {}, **{f"f:{k}": v for k, v in fields.items()}}}
    tree = {"f:spec": {"f:template": {"f:spec": {"f:containers": container}}}}
    return {"manager": manager, "operation": operation, "fieldsV1": tree}


def server_side(new: list[Fields], old: list[Fields]) -> Request:
    """A server-side apply by flux, by the entries after and before it."""
    sides = ({"metadata": {"managedFields": side}, "spec": {"template": template()}} for side in (new, old))
    return Request("", "UPDATE", next(sides), next(sides), manager="flux")


ENV_A: Fields = {'k:{"name":"A"}': {".": {}, "f:name": {}, "f:value": {}}}
IMAGE: Fields = {}


def test_server_side_apply_again_removes_what_it_gave_up() -> None:
    primary: Fields = {"image": "p:1", "env": [A1]}
    waiting: Fields = {"image": "p:2"}
    now = [owned("flux", "Apply", image=IMAGE)]
    assert meant(primary, waiting, {"image": "p:2", "env": [A1]}, server_side(now, now)) == waiting


def test_server_side_apply_lets_go_of_what_it_stated_before() -> None:
    waiting = {"image": "p:2", "env": [A1, B1]}
    others = owned("kubectl-set", "Update", env={'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}}})
    request = server_side(
        [owned("flux", "Apply", image=IMAGE), others], [owned("flux", "Apply", image=IMAGE, env=ENV_A), others]
    )
    assert meant({"image": "p:1"}, waiting, {"image": "p:2"}, request) == {"image": "p:2", "env": [B1]}


def test_server_side_apply_removes_nothing_that_somebody_else_owns() -> None:
    waiting = {"image": "p:2", "env": [A1]}
    others = owned("kubectl-set", "Update", env=ENV_A)
    request = server_side(
        [owned("flux", "Apply", image=IMAGE), others], [owned("flux", "Apply", image=IMAGE, env=ENV_A), others]
    )
    assert meant({"image": "p:1"}, waiting, {"image": "p:2"}, request) == waiting


def test_a_second_applier_means_only_its_own_part() -> None:
    tuner = [owned("helm", "Apply", image=IMAGE), owned("flux", "Apply", resources={"f:limits": {"f:cpu": {}}})]
    primary, waiting = template("p:1"), template("p:2")
    asked = template("p:1", resources={"limits": {"cpu": "1"}})
    found = fold(primary, waiting, asked, claimed(server_side(tuner, tuner[:1]), waiting))
    assert found == template("p:2", resources={"limits": {"cpu": "1"}})


def test_a_map_that_is_owned_as_one_is_taken_as_one() -> None:
    def pods(**selector: str) -> Fields:
        return {"spec": {"nodeSelector": selector}}

    entry = {"manager": "flux", "operation": "Apply"}
    fields: Fields = {"f:spec": {"f:template": {"f:spec": {"f:nodeSelector": {}}}}}
    request = server_side([entry | {"fieldsV1": fields}], [entry | {"fieldsV1": fields}])
    assert fold(pods(disk="ssd"), pods(zone="a"), pods(disk="ssd"), claimed(request, template())) == pods(disk="ssd")


def test_what_only_the_primary_has_is_not_given_up_in_parts() -> None:
    primary: Fields = {"image": "p:1", "env": [A1]}
    others = owned("kubectl-set", "Update", env={'k:{"name":"A"}': {"f:value": {}}})
    request = server_side(
        [owned("flux", "Apply", image=IMAGE), others], [owned("flux", "Apply", image=IMAGE, env=ENV_A), others]
    )
    assert meant(primary, {"image": "p:2"}, {"image": "p:2", "env": [A1]}, request) == {"image": "p:2"}

"""The fold: what a writer means, given that he looked at the primary while another template waits.

Each case gives the containers' fields of the primary, of what waits, of the request, and of what is meant.
"""

import pytest

from tests.webhook.folding import A1, A2, A3, B1, Fields, client_side, meant

FROM = {"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}

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

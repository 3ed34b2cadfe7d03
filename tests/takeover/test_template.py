"""Which template serves is read off Flagger's copy, whatever Flagger has changed in it."""

import copy
from typing import Any

import pytest

from detour.takeover.template import is_live, live
from tests.takeover.leftovers import NEWER, flaggers, template
from tests.takeover.taking import seen
from tests.takeover.world import Object

REFERENCES: dict[str, Object] = {
    "a volume": {"volumes": [{"name": "v", "configMap": {"name": "settings"}}]},
    "a Secret's volume": {"volumes": [{"name": "v", "secret": {"secretName": "settings"}}]},
    "a projected volume": {
        "volumes": [
            {
                "name": "v",
                "projected": {"sources": [{"configMap": {"name": "settings"}}, {"secret": {"name": "settings"}}]},
            }
        ]
    },
    "a variable": {
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "env": [
                    {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}},
                    {"name": "B", "valueFrom": {"secretKeyRef": {"name": "settings", "key": "b"}}},
                    {"name": "C", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                ],
            }
        ]
    },
    "all of its variables": {
        "initContainers": [{"name": "first", "image": "web:1", "envFrom": [{"secretRef": {"name": "settings"}}]}]
    },
    "what keeps pods apart": {
        "topologySpreadConstraints": [{"maxSkew": 1, "labelSelector": {"matchLabels": {"app": "web"}}}],
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [
                    {"labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "x"]}]}}
                ],
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"podAffinityTerm": {"labelSelector": {"matchLabels": {"app": "web"}}}}
                ],
            }
        },
    },
}


def as_flagger_copies(value: Any) -> Any:
    """Every name of what it copies, and every value that is the target's name, gets its suffix."""
    if isinstance(value, dict):
        return {key: as_flagger_copies(each) if key not in ("key", "image") else each for key, each in value.items()}
    if isinstance(value, list):
        return [as_flagger_copies(each) for each in value]
    return f"{value}-primary" if value in ("settings", "web") else value


@pytest.mark.parametrize("what", REFERENCES)
def test_what_flagger_renames_gets_its_name_back(what: str) -> None:
    world = flaggers()
    target, copied = world.things["deployments", "web"], world.things["deployments", "web-primary"]
    target["spec"]["template"]["spec"] |= REFERENCES[what]
    pod = as_flagger_copies(copy.deepcopy(target["spec"]["template"]["spec"]))
    for kind in ("containers", "initContainers"):
        for container, own in zip(pod.get(kind, ()), target["spec"]["template"]["spec"].get(kind, ()), strict=True):
            container["name"] = own["name"]
    copied["spec"]["template"]["spec"] = pod
    found = seen(world)
    assert found.target
    assert live(found) == found.target["spec"]["template"]
    assert is_live(found)


def test_a_name_that_the_user_has_chosen_keeps_its_ending() -> None:
    world = flaggers()
    for name in ("web", "web-primary"):
        source = {"configMapRef": {"name": "users-primary"}}
        [container] = world.things["deployments", name]["spec"]["template"]["spec"]["containers"]
        container["envFrom"].append(source)
    assert is_live(seen(world))


def test_a_newer_template_is_not_the_one_that_serves() -> None:
    found = seen(flaggers(newer=NEWER))
    assert not is_live(found)
    assert live(found) == template()


def test_what_flagger_never_copies_makes_no_difference() -> None:
    world = flaggers()
    metadata = world.things["deployments", "web"]["spec"]["template"]["metadata"]
    metadata["labels"]["kustomize.toolkit.fluxcd.io/name"] = "apps"
    metadata["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-11-23T04:00:00Z"}
    assert is_live(seen(world))

"""Flagger in the same cluster: which Canaries are whose. Pure, so that every case is a test.

Flagger 1.44 acts on every Canary that it sees, and knows two limits: its flag `-namespace`, and `spec.suspend` of a
Canary. So what both see is Detour's only if it is marked for Detour *and* suspended for Flagger: never do two
controllers act on one Canary. To Detour, `suspend` of a marked Canary says nothing: it is addressed to Flagger.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

Object = Mapping[str, Any]

TAKE = "detour.dev/take"  # label of a Canary: "true" marks it for Detour
NAME = "flagger"
EVERYWHERE = ""
_NAMESPACE = re.compile(r"--?namespace(?:=(?P<value>.*))?")


def is_flagger(deployment: Object) -> bool:
    """By its labels, those of Flagger's chart or those of its kustomization: a watch of metadata sees no more."""
    labels = deployment["metadata"].get("labels") or {}
    return NAME in (labels.get("app.kubernetes.io/name"), labels.get("app"))


def runs_flagger(deployment: Object) -> bool:
    """By its labels, or by what its containers run, image or command, whatever the Deployment is called."""
    return is_flagger(deployment) or NAME in _programs(deployment)


def _programs(deployment: Object) -> Iterator[str]:
    for container in deployment["spec"]["template"]["spec"].get("containers") or ():
        image = str(container.get("image", "")).partition("@")[0]
        yield PurePosixPath(image).name.partition(":")[0]
        yield from (PurePosixPath(word).name for word in (container.get("command") or ())[:1])


def scope(deployment: Object) -> str | None:
    """The namespace whose Canaries this Flagger sees, EVERYWHERE for all; None while it has no pods, and wants none.

    From its argument `-namespace` (Go's flag package: one dash or two, the value behind `=` or in the next word).
    """
    spec, status = deployment["spec"], deployment.get("status") or {}
    if spec.get("replicas", 1) == 0 and not status.get("replicas"):
        return None
    for container in spec["template"]["spec"]["containers"]:
        words = [*(container.get("command") or ()), *(container.get("args") or ())]
        for word, following in zip(words, [*words[1:], ""], strict=False):
            if found := _NAMESPACE.fullmatch(word):
                value = found["value"]
                return str(following if value is None else value)
    return EVERYWHERE


def is_marked(canary: Object) -> bool:
    """Whether a Canary is marked for Detour."""
    return (canary["metadata"].get("labels") or {}).get(TAKE) == "true"


def left_by_flagger(canary: Object) -> bool:
    """Whether Flagger leaves a Canary alone, to the end: by `revertOnDeletion` it acts on suspended ones, too."""
    spec: Object = canary.get("spec") or {}
    return bool(spec.get("suspend")) and not spec.get("revertOnDeletion")


def missing(canary: Object) -> str:
    """What a Canary that is marked for Detour lacks to be so, as a remedy; "" otherwise."""
    if not is_marked(canary) or left_by_flagger(canary):
        return ""
    return "take spec.revertOnDeletion out" if canary["spec"].get("suspend") else "set spec.suspend: true"

"""Where Flagger runs, and which namespaces it looks at."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.resources import DEPLOYMENTS, PODS

Object = dict[str, Any]

NAME = "flagger"


def controllers(client: Client) -> dict[str, str | None]:
    """Its Deployments that have pods, be they about to end, by `namespace/name`, with the one namespace that each looks
    at, or None for all of them."""
    found = {}
    for deployment in client.list(DEPLOYMENTS).get("items") or ():
        container = controller(deployment)
        if container is None:
            continue
        metadata, labels = deployment["metadata"], deployment["spec"]["selector"].get("matchLabels") or {}
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        if client.list_metadata(PODS, metadata["namespace"], selector).get("items"):
            found[f"{metadata['namespace']}/{metadata['name']}"] = looks_at(container)
    return found


def looking_at(found: Mapping[str, str | None], namespace: str) -> tuple[str, ...]:
    """Those of them that look at a namespace."""
    return tuple(f"Deployment {name}" for name, only in found.items() if only in (None, namespace))


def controller(deployment: Object) -> Object | None:
    """The container of Flagger's controller in a Deployment, by its image or its program; None if there is none."""
    containers = deployment["spec"]["template"]["spec"].get("containers") or ()
    return next((each for each in containers if NAME in _names(each)), None)


def looks_at(container: Object) -> str | None:
    """The namespace of `-namespace`; None where it looks at all."""
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        flag, equals, value = word.partition("=")
        if flag.lstrip("-") == "namespace" and flag.startswith("-"):
            return (value if equals else following) or None
    return None


def _names(container: Object) -> Iterable[str]:
    image = str(container.get("image", "")).partition("@")[0]
    yield PurePosixPath(image).name.partition(":")[0]
    yield from (PurePosixPath(word).name for word in (container.get("command") or ())[:1])

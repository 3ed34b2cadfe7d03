"""What is typed: the commands of the table, to be given to any Deployment."""

import json
import os
import shlex
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cluster.kubectl import Object, Said
from tests.cluster.pair import Command, Place
from tests.cluster.shop import IMAGE

NEW = f"{IMAGE}:6.0.1"
SERVER_SIDE = "apply --server-side"

Change = Callable[[Object], Object]
"""What is changed of a manifest."""


def typed(line: str, *more: str) -> Command:
    """A command as it is typed, with APP for the Deployment's name."""
    words = [*shlex.split(line), *more]
    return lambda place: place(*(word.replace("APP", place.name) for word in words))


def sent(line: str = "apply", tag: str = "6.0.1", change: Change = dict) -> Command:
    """`kubectl <line> -f` of the manifest with this version, and changed in other ways."""
    return lambda place: place.send(change(place.manifest(tag)), line)


def patched(kind: str, patch: object, *more: str) -> Command:
    """`kubectl patch` of this type."""
    return typed(f"patch deployment/APP --type={kind} -p", json.dumps(patch), *more)


def edited(*changes: str) -> Command:
    """`kubectl edit` by somebody whose editor makes these changes, written as sed has them."""
    editor = "sed -i " + " ".join(f"-e '{change}'" for change in changes)
    return lambda place: place("edit", f"deployment/{place.name}", env={**os.environ, "EDITOR": editor})


def kustomized(place: Place) -> Said:
    """`kubectl apply -k` of a directory with a base and the new tag."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "deployment.json").write_text(json.dumps(place.manifest()))
        images = [{"name": IMAGE, "newTag": "6.0.1"}]
        kustomization = {"resources": ["deployment.json"], "images": images}
        Path(directory, "kustomization.yaml").write_text(json.dumps(kustomization))
        return place("apply", "-k", directory)


def read_and_replaced(place: Place) -> Said:
    """`kubectl get -o json`, an editor, `kubectl replace -f`: the live object, with all that stands on it."""
    place.settled()  # or it is refused: somebody else has written meanwhile
    found = place.primary
    found["spec"]["template"]["spec"]["containers"][0]["image"] = NEW
    return place.send(found, "replace")


def from_a_config_map(place: Place) -> Said:
    """`kubectl set env --from`."""
    place("create", "configmap", f"{place.name}-colors", "--from-literal=color=blue", check=False)
    return place("set", "env", f"deployment/{place.name}", f"--from=configmap/{place.name}-colors")


def grown(manifest: Object) -> Object:
    """The manifest with more replicas, a label, an annotation and another strategy."""
    manifest["metadata"] |= {"labels": {"app": "podinfo", "team": "shop"}, "annotations": {"note": "new"}}
    manifest["spec"]["replicas"] = 3
    manifest["spec"]["strategy"]["rollingUpdate"]["maxSurge"] = 2
    return manifest


def container(**fields: Any) -> Object:
    """A pod's spec, as far as its container is concerned."""
    return {"containers": [{"name": "podinfo", **fields}]}


def template(**parts: Any) -> Object:
    """A patch of the template."""
    return {"spec": {"template": parts}}


def with_more(**template: Any) -> Object:
    """A patch of the template, and of all else that `grown` changes."""
    metadata = {"labels": {"team": "shop"}, "annotations": {"note": "new"}}
    spec = {"replicas": 3, "strategy": {"rollingUpdate": {"maxSurge": 2}}, "template": template}
    return {"metadata": metadata, "spec": spec}

"""The manifests as kustomize puts them together, as far as the tests need it: the definitions with their patches."""

from pathlib import Path
from typing import Any

import jsonpatch
import jsonpointer
import yaml

MANIFESTS = Path(__file__).parents[2] / "manifests"


def documents(path: str) -> list[dict[str, Any]]:
    """The objects of one file."""
    return [found for found in yaml.safe_load_all((MANIFESTS / path).read_text()) if found]


def the(kind: str, name: str, path: str) -> dict[str, Any]:
    """The object of this kind and name in a file."""
    (found,) = [o for o in documents(path) if (o["kind"], o["metadata"]["name"]) == (kind, name)]
    return found


def definitions() -> dict[str, dict[str, Any]]:
    """The CustomResourceDefinitions by their kind, patched, and with what one copies from another."""
    (kustomization,) = documents("crds/kustomization.yaml")
    found = {o["metadata"]["name"]: o for path in kustomization["resources"] for o in documents(f"crds/{path}")}
    for patch in kustomization["patches"]:
        operations = yaml.safe_load((MANIFESTS / "crds" / patch["path"]).read_text())
        name = patch["target"]["name"]
        found[name] = jsonpatch.apply_patch(found[name], operations)
    for replacements in kustomization["replacements"]:
        for copied in yaml.safe_load((MANIFESTS / "crds" / replacements["path"]).read_text()):
            _copy(copied, found)
    return {o["spec"]["names"]["kind"]: o for o in found.values()}


def _copy(replacement: dict[str, Any], found: dict[str, dict[str, Any]]) -> None:
    """A replacement of kustomize, of whole fields."""
    source = replacement["source"]
    value = jsonpointer.resolve_pointer(found[source["name"]], _pointer(source["fieldPath"]))
    for target in replacement["targets"]:
        for path in target["fieldPaths"]:
            jsonpointer.set_pointer(found[target["select"]["name"]], _pointer(path), value)


def _pointer(path: str) -> str:
    return "/" + path.replace(".", "/")


def fields(schema: dict[str, Any], path: str = "") -> dict[str, dict[str, Any]]:
    """Every field below a schema by its path: `spec.analysis.metrics[].name`, `…labels{}`."""
    found: dict[str, dict[str, Any]] = {}
    for name, field in schema.get("properties", {}).items():
        below = f"{path}.{name}".lstrip(".")
        found |= {below: field} | fields(field, below)
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(key), dict):
            found |= {path + mark: schema[key]} | fields(schema[key], path + mark)
    return found

"""Reading Kubernetes objects that came from outside, where nothing need have the shape that one expects."""

from typing import Any

from webhook.revision import Object


def mapping(value: Any, *path: str) -> Object:
    """The object at `path`, empty where there is none or where something else stands there."""
    for field in path:
        value = value.get(field) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def elements(value: Any, field: str) -> list[Object]:
    """The objects in the list `field`, none where there is no such list."""
    found = value.get(field) if isinstance(value, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def labels(deployment: Object) -> dict[str, str]:
    """Its labels, empty where there are none."""
    return mapping(deployment, "metadata", "labels")


def annotations(deployment: Object) -> dict[str, str]:
    """Its annotations, empty where there are none."""
    return mapping(deployment, "metadata", "annotations")


def template(deployment: Object) -> Object:
    """Its pod template."""
    return mapping(deployment, "spec", "template")

"""Whether an object in the cluster is already as we want it: then nothing needs to be written."""

from collections.abc import Mapping
from typing import Any

_ATOMIC = ("selector",)
"""With one key more it is another one (core/v1, ServiceSpec.selector)."""


def holds(there: Any, wanted: Any) -> bool:
    """Whether all that is wanted is there; what the API server or others added besides does not matter."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(
            there.get(key) == value if key in _ATOMIC else holds(there.get(key), value) for key, value in wanted.items()
        )
    if isinstance(wanted, list | tuple):
        return (
            isinstance(there, list | tuple)
            and len(there) == len(wanted)
            and all(holds(one, other) for one, other in zip(there, wanted, strict=True))
        )
    return bool(there == wanted)


def find(objects: tuple[Mapping[str, Any], ...], wanted: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The object of the same name, if there is one; `objects` are all of one kind."""
    name = wanted["metadata"]["name"]
    return next((found for found in objects if found["metadata"]["name"] == name), None)

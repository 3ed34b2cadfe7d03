"""What the work at hand is about, for every line of the log that comes of it (`detour.logs`)."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_FIELDS: ContextVar[Mapping[str, str]] = ContextVar("fields", default=_NOTHING)


@contextmanager
def about(namespace: str, name: str) -> Iterator[None]:
    """One look at one application, which gets an id of its own."""
    token = _FIELDS.set({"id": secrets.token_hex(4), "namespace": namespace, "name": name})
    try:
        yield
    finally:
        _FIELDS.reset(token)


def note(**fields: str) -> None:
    """More that is known by now of the look at hand, if there is one; "" says nothing."""
    if known := _FIELDS.get():
        _FIELDS.set({**known, **{key: value for key, value in fields.items() if value}})


def fields() -> Mapping[str, str]:
    """By name, in the order in which they became known."""
    return _FIELDS.get()

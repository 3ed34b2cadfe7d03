"""Namespaces of a test's own, under names that nobody else has: whatever is in them goes with them."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from tests.cluster import aftermath
from tests.cluster.kubectl import send
from tests.cluster.reading import Absent

PATH = "/api/v1/namespaces"


def unique(topic: str) -> str:
    """A name that begins with the topic."""
    return f"{topic}-{secrets.token_hex(3)}"


def create(name: str, labels: Mapping[str, str] | None = None) -> None:
    """A namespace that has its labels from the beginning, so that no Deployment is in it before them."""
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels or {})}}
    send("POST", PATH, manifest)
    aftermath.begins(name)


def delete(name: str) -> None:
    """Nobody waits for the end of it, nor minds if it has gone already."""
    aftermath.ends(name)
    with suppress(Absent):
        send("DELETE", f"{PATH}/{name}")


@contextmanager
def namespace(topic: str, labels: Mapping[str, str] | None = None) -> Iterator[str]:
    """A namespace for as long as it is needed."""
    name = unique(topic)
    create(name, labels)
    try:
        yield name
    finally:
        delete(name)

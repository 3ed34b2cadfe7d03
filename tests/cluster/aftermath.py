"""What became of a test's namespaces, printed beside its failure: by the time that somebody reads it, they are gone."""

from tests.cluster.kubectl import kubectl

COLUMNS = "AT:.lastTimestamp,NEW:.eventTime,KIND:.involvedObject.kind,NAME:.involvedObject.name,SAID:.message"
_open: list[str] = []
LAST = 3
"""Of so many, at most, it is told: some tests open dozens."""


def begins(namespace: str) -> None:
    """It belongs to the test that runs now."""
    _open.append(namespace)


def ends(namespace: str) -> None:
    """It goes; nothing in it is looked at any more."""
    if namespace in _open:
        _open.remove(namespace)


def tell() -> list[tuple[str, str]]:
    """A title and a text for each namespace that is still there: events by time, pods, the Canaries' status."""
    return [(f"what happened in {namespace}", _story(namespace)) for namespace in _open[-LAST:]]


def _story(namespace: str) -> str:
    looks = (
        ("get", "events", "--sort-by=.metadata.creationTimestamp", "-o", f"custom-columns={COLUMNS}"),
        ("get", "pods", "-o", "wide"),
        ("get", "canaries", "-o", "yaml"),
    )
    said = (kubectl("-n", namespace, *look, check=False) for look in looks)
    return "\n".join(f"{found.out}{found.err}" for found in said)

"""A recording as lines that a person can read: what stood where, and what came of it."""

from collections.abc import Iterator, Sequence

from analyzer.canary import DIGEST
from tests.cluster.shop import tag_of
from tests.soak.law import WEIGHT, Judgement
from tests.soak.recording import Version
from webhook import stash
from webhook.revision import digest, short

AROUND = (14, 4)
"""Lines before a breach, and after it."""


def lines(versions: Sequence[Version]) -> Iterator[str]:
    """A line for each version that differs in what matters from the one before of the same object."""
    begun = min((version.heard for version in versions), default=0.0)
    last: dict[tuple[str, str], str] = {}
    for version in versions:
        told = _told(version)
        if last.get((version.kind, version.name)) != told:
            last[version.kind, version.name] = told
            yield f"{version.at:>8} {version.heard - begun:+7.2f} s  {version.kind} {version.name}: {told}"


def around(versions: Sequence[Version], judgement: Judgement) -> Iterator[str]:
    """Each breach with what was stored just before and after."""
    told = list(lines(versions))
    for version, breach in judgement.broken:
        at = next((i for i, line in enumerate(told) if int(line.split()[0]) >= version.at), len(told))
        yield f"BROKEN at {version.at}: {breach}"
        yield from (f"  {line}" for line in told[max(0, at - AROUND[0]) : at + AROUND[1]])


def _told(version: Version) -> str:
    if version.gone:
        return "gone"
    found = version.object
    notes, labels = found["metadata"].get("annotations") or {}, found["metadata"].get("labels") or {}
    if version.kind == "Ingress":
        return f"weight {notes.get(WEIGHT, '-')}"
    if version.kind == "Canary":
        status = found.get("status") or {}
        ending = (status.get("ending") or {}).get("outcome", "-")
        return (
            f"{status.get('phase')} {short(status.get('revision', ''))} weight {status.get('canaryWeight', 0)}, "
            f"ending {ending}"
        )
    template, waiting, before = found["spec"]["template"], stash.diverted(dict(found)), stash.previous(dict(found))
    here = f"{tag_of(template)} {short(digest(template))} x{found['spec'].get('replicas')}"
    if stash.CANARY_OF in labels:
        return f"runs {short(notes.get(DIGEST, ''))} x{found['spec'].get('replicas')}"
    return here + "".join(
        [
            f", waits: {tag_of(waiting.template)} {short(waiting.digest)}" if waiting else "",
            f", previous: {short(before.digest)}" if before else "",
            f", {labels[stash.STATE]}" if stash.STATE in labels else "",
            ", paused" if found["spec"].get("paused") else "",
        ]
    )

"""Whether what waits may run now, and how a revision begins: by itself, or in place of an older one."""

from dataclasses import replace
from datetime import datetime

from analyzer.seen import Primary, Seen
from analyzer.status import Status, seconds_left
from analyzer.wishes import Verb, Wish

PATIENCE = 60.0  # seconds without an available replica: a blip must not open the door


def is_rejected(status: Status, seen: Seen) -> bool:
    """Whether what waits has failed before, and nobody has asked for another try since."""
    primary = seen.primary
    if primary is None or primary.stash not in status.rejected:
        return False
    return asked(status, seen, primary.stash, Verb.RETRY, Verb.PROMOTE) is None


def asked(status: Status, seen: Seen, revision: str | None, *verbs: Verb) -> Wish | None:
    """What somebody wishes for this revision, and has not been heard yet."""
    wish = seen.wish
    unheard = wish is not None and wish.text != status.observed_wish
    return wish if wish and unheard and wish.revision == revision and wish.verb in verbs else None


def not_yet(status: Status, seen: Seen, now: datetime) -> str:
    """Why what waits may not begin now; "" if it may."""
    primary = seen.primary
    assert primary
    if primary.deleting:
        return "the Deployment is being deleted"
    if primary.paused:
        return "the Deployment is paused: the analysis starts when it is resumed"
    if primary.at_once:
        return ""
    if primary.replicas == 0:
        return "no replicas are wanted: the analysis starts when there are some"
    if not primary.ready and not primary.stuck and patience_left(primary, now) > 0:
        return f"waiting for the primary: {primary.progress}"
    urgent = patience_left(primary, now) <= 0 or asked(status, seen, primary.stash, Verb.PROMOTE)
    return "" if urgent else seen.held or ("" if seen.direct else seen.queued)


def patience_left(primary: Primary, now: datetime) -> float:
    """Seconds until a primary that serves nobody gets what waits, unproven as it is: a fix must not be blocked."""
    return seconds_left(primary.down_since, PATIENCE, now)


def begin(status: Status, seen: Seen, now: datetime) -> Status:
    """What waits is on its way, and what was wished for it is heard by that."""
    primary = seen.primary
    assert primary
    assert primary.stash
    begun = status.begin(primary.stash, primary.digest, primary.subject, now)
    others = tuple(known for known in status.rejected if known != primary.stash)
    begun = replace(begun, rejected=others, waived=_waived(seen))
    wish = asked(status, seen, primary.stash, *Verb)
    return hear(begun, wish) if wish else begun


def begins(before: Status, after: Status) -> bool:
    """Whether a revision begins between the two, by itself or in place of an older one: that takes a place."""
    anew = before.ending is not None or not before.phase.in_flight
    return anew and after.phase.in_flight and after.ending is None


def _waived(seen: Seen) -> str:
    """Why what begins now is promoted without an analysis; "" if it is not."""
    if seen.primary and seen.primary.at_once:
        return f"directly, {seen.primary.at_once}"
    return seen.direct


def hear(status: Status, wish: Wish) -> Status:
    """A wish is heard once; one to promote waives the analysis."""
    waived = wish.whose if wish.verb is Verb.PROMOTE else status.waived
    return replace(status, observed_wish=wish.text, waived=waived)

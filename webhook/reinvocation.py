"""A request that the webhook has answered before.

The API server calls twice where both entries of the configuration match, and again where another webhook has changed
the object since.
"""

from datetime import datetime

from webhook import keys as ours
from webhook import stash
from webhook.change import Change
from webhook.decision import DIRECT, Decision, Kind, Settings
from webhook.exemptions import cannot_run_twice, nothing_to_protect
from webhook.fold import fold
from webhook.objects import annotations, labels
from webhook.request import Request
from webhook.revision import same, short
from webhook.stash import Stash, StashError
from webhook.wording import Wording


def answered_before(request: Request, settings: Settings, now: datetime) -> Decision | None:
    """Our own answer to this very request, met again by a second entry, or after another webhook: it stands.

    It shows by template and revision, which no single command but a replacement of all changes together, and the digest
    proves it. What other webhooks have made of the restored template since belongs to what waits, where that is as the
    primary was. Who forges an answer has asked for an update, and is treated so: it waits, under his name.
    """
    new = labels(request.object) | annotations(request.object)
    old = labels(request.old) | annotations(request.old)
    if any(new.get(key) == old.get(key) for key in (stash.TEMPLATE, stash.REVISION)):
        return None
    primary, keys = request.primary, ours.carried(request, settings.analyzer)
    if stash.TEMPLATE not in new and stash.REVISION not in new and request.wanted == primary:
        words = Wording(request.namespace, request.name)
        return Decision(
            Kind.CANCELLED, None, ours.dropping(keys, primary), words.cancelled(old.get(stash.REVISION, ""))
        )
    try:
        waiting = stash.diverted(request.object)
    except StashError:
        return None
    if waiting is None or short(waiting.digest) != new.get(stash.REVISION):
        return None
    meant = Stash(fold(primary, request.wanted, waiting.template, None), waiting.change_cause)
    if same(meant.template, primary):
        return None
    change = Change(request, settings, now, keys, primary, meant.template, None, meant.template, asked=True)
    keys = ours.diverting(keys, meant, meant.digest, ours.signed(keys, request, settings.analyzer), _at_once(change))
    return Decision(Kind.DIVERTED, primary, keys, revision=meant.digest)


def _at_once(change: Change) -> str:
    """Why the analyzer is to promote what is meant at once: found anew, since what stands there may be forged."""
    if not change.settings.enforce:
        return ""
    proven = "it is proven" if change.settings.rollback == DIRECT and change.proven else ""
    return nothing_to_protect(change.request, change.now) or cannot_run_twice(change.request, change.meant) or proven

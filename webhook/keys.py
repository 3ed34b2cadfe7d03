"""Which of our keys stand on the Deployment after a request, whatever came with it.

What a user's request brings counts for nothing: `kubectl rollout undo` copies annotations back out of old
ReplicaSets, `kubectl replace` drops what the file lacks, and anybody may write what he likes. So ours are carried
over from the stored object.
"""

from webhook import stash
from webhook.objects import annotations, labels
from webhook.request import Request
from webhook.revision import Template, digest, short
from webhook.stash import Author

Keys = dict[str, str | None]
"""Labels and annotations by name; None: absent."""


def carried(request: Request, analyzer: str) -> Keys:
    """Our keys as stored, but for what only the analyzer may change. A promotion that merely lies there goes."""
    kept, notes = labels(request.old), annotations(request.old)
    keys: Keys = {stash.REVISION: kept.get(stash.REVISION), stash.STATE: kept.get(stash.STATE)}
    keys |= {name: notes.get(name) for name in stash.ANNOTATIONS}
    keys[stash.PROMOTE] = None
    if request.user == analyzer:
        keys[stash.STATE] = labels(request.object).get(stash.STATE)
        keys[stash.LET_PAST] = annotations(request.object).get(stash.LET_PAST)
    elif kept.get(stash.POLICY) == stash.POLICY_CANARY and stash.POLICY not in labels(request.object):
        keys[stash.POLICY] = stash.POLICY_CANARY
    return keys


def cleared() -> Keys:
    """None of our keys but the policy, which is the user's."""
    return dict.fromkeys((stash.LABELS | stash.ANNOTATIONS) - {stash.POLICY, stash.CANARY_OF})


def diverting(keys: Keys, waiting: stash.Stash, revision: str, author: str | None, at_once: str = "") -> Keys:
    """The keys with another revision that waits; what the analyzer said of the one before does not go for it.

    `revision` is its whole digest, `at_once` why it needs no analysis, empty where it does.
    """
    return keys | {
        stash.TEMPLATE: stash.encode(waiting),
        stash.REVISION: short(revision),
        stash.DIVERTED_BY: author,
        stash.STATE: None,
        stash.AT_ONCE: f"{revision} {at_once}" if at_once else None,
    }


def dropping(keys: Keys, primary: Template) -> Keys:
    """The keys with nothing that waits. A promotion that is under way goes on, and is of the primary's revision."""
    revision = short(digest(primary)) if keys[stash.PREVIOUS] else None
    none = (stash.TEMPLATE, stash.DIVERTED_BY, stash.STATE, stash.AT_ONCE)
    return keys | dict.fromkeys(none) | {stash.REVISION: revision}


def ending(keys: Keys) -> Keys:
    """The keys with nothing in flight: the template was changed past any canary and any promotion."""
    none = (stash.TEMPLATE, stash.PREVIOUS, stash.REVISION, stash.DIVERTED_BY, stash.STATE, stash.AT_ONCE)
    return keys | dict.fromkeys(none)


def signed(keys: Keys, request: Request, analyzer: str) -> str | None:
    """Who brings a revision, and by which field manager.

    Where another webhook makes something else of what the analyzer promotes, it still is its own writer's.
    """
    if request.user == analyzer and keys.get(stash.DIVERTED_BY):
        return keys[stash.DIVERTED_BY]
    return Author(request.user, request.manager).encode()

"""Promotion: the analyzer asks by one annotation, and the webhook swaps the templates as it answers.

So the analyzer never writes a template. A controller that patched it would own its fields, and the user's next
server-side apply would meet conflicts, or leave removed fields behind.
"""

from webhook import keys as ours
from webhook import stash
from webhook.decision import Decision, Kind, Settings, denied
from webhook.keys import Keys
from webhook.objects import annotations, labels
from webhook.request import Request
from webhook.revision import digest, short
from webhook.stash import Stash, StashError


def asked(request: Request, settings: Settings) -> Decision | None:
    """The answer to a changed `detour.dev/promote`; None where this request asks for no promotion."""
    wanted = annotations(request.object).get(stash.PROMOTE)
    if wanted is None or wanted == annotations(request.old).get(stash.PROMOTE):
        return _answered_before(request, settings)
    if not request.manager and request.wanted != request.primary:
        return None  # `kubectl rollout undo` to a ReplicaSet on which it was left: nobody asks, and it is stripped
    if request.user != settings.analyzer:
        return denied(f"{stash.PROMOTE} is the analyzer's alone: it asks when the canary of {request.name} has passed")
    parsed = stash.parse_promote(wanted)
    if parsed is None:
        return denied(f"{stash.PROMOTE} must be go, done or back, a colon and a whole digest", 422, "Invalid")
    return _promoted(request, settings, *parsed)


def _promoted(request: Request, settings: Settings, verb: str, whole: str) -> Decision:
    keys = ours.carried(request, settings.analyzer)
    try:
        return {stash.GO: _go, stash.DONE: _done, stash.BACK: _back}[verb](request, keys, whole)
    except StashError as error:
        return denied(f"{verb} refused: {error}", 409, "Conflict")


def _go(request: Request, keys: Keys, whole: str) -> Decision:
    """The diverted template becomes the primary's, which is kept as the previous one."""
    waiting = stash.diverted(request.old)
    if waiting is None or waiting.digest != whole:
        return _refused("go", whole, f"diverted is {short(waiting.digest) if waiting else 'nothing'}")
    if keys[stash.PREVIOUS]:
        return _refused("go", whole, "another promotion is not done yet")
    replaced = Stash(request.primary, annotations(request.old).get(stash.CHANGE_CAUSE))
    keys |= {stash.PREVIOUS: stash.encode(replaced), stash.TEMPLATE: None, stash.AT_ONCE: None}
    if waiting.change_cause is not None:
        keys[stash.CHANGE_CAUSE] = waiting.change_cause
    return Decision(Kind.PROMOTING, waiting.template, keys, revision=whole)


def _done(request: Request, keys: Keys, whole: str) -> Decision:
    """The primary serves what was promoted: both templates are proven, and what waits by now is next."""
    if digest(request.primary) != whole:
        return _refused("done", whole, "the primary runs another template")
    replaced = stash.previous(request.old)
    if replaced is not None:
        keys |= {stash.PREVIOUS: None, stash.HISTORY: stash.pushed(stash.history(request.old), replaced.digest, whole)}
    if not keys[stash.TEMPLATE]:
        keys |= {stash.REVISION: None, stash.DIVERTED_BY: None, stash.STATE: None}
    return Decision(Kind.PROMOTED, request.primary, keys, revision=whole)


def _back(request: Request, keys: Keys, whole: str) -> Decision:
    """The previous template becomes the primary's again; what failed is diverted again, unless something newer is."""
    replaced = stash.previous(request.old)
    if replaced is None or digest(request.primary) != whole:
        return _refused("back", whole, "it is not being promoted")
    failed = Stash(request.primary, annotations(request.old).get(stash.CHANGE_CAUSE))
    keys |= {stash.PREVIOUS: None, stash.CHANGE_CAUSE: replaced.change_cause}
    if not keys[stash.TEMPLATE]:
        keys |= {stash.TEMPLATE: stash.encode(failed), stash.REVISION: short(whole)}
    return Decision(Kind.BACK, replaced.template, keys, revision=whole)


def _answered_before(request: Request, settings: Settings) -> Decision | None:
    """Our own answer to this very request, met again: it stands.

    A second call shows the request as the first one left it, with its `promote` stripped, and nobody but the analyzer
    may change a template or our annotations in this way.
    """
    if request.user != settings.analyzer or not _has_changed(request):
        return None
    waiting = annotations(request.old).get(stash.TEMPLATE)
    for verb in stash.VERBS:
        try:
            whole = stash.decode(waiting or "").digest if verb == stash.GO else digest(request.primary)
        except StashError:
            continue
        answer = _promoted(request, settings, verb, whole)
        if answer.denial is None and _stands(answer, request):
            return answer
    return None


def _has_changed(request: Request) -> bool:
    new, old = annotations(request.object), annotations(request.old)
    return request.wanted != request.primary or any(new.get(key) != old.get(key) for key in stash.ANNOTATIONS)


def _stands(answer: Decision, request: Request) -> bool:
    here = labels(request.object) | annotations(request.object)
    return request.wanted == answer.template and all(here.get(key) == value for key, value in answer.keys.items())


def _refused(verb: str, whole: str, reason: str) -> Decision:
    return denied(f"{verb} of revision {short(whole)} refused: {reason}", 409, "Conflict")

"""The decision: what becomes of a request to change a Deployment. Pure; reads like the list of rules that it is.

Every request meets the rules from top to bottom, and the first that has something to say decides. The guards come
first; then the request is folded onto what is diverted already (`webhook.fold`), and the rest look at the template
that its writer means.
"""

from collections.abc import Callable
from datetime import datetime

from webhook import keys as ours
from webhook import promotion, stash
from webhook.change import Change, understood
from webhook.decision import DIRECT, Decision, Kind, Settings, denied
from webhook.exemptions import cannot_run_twice, nothing_to_protect
from webhook.keys import Keys
from webhook.limits import within_limits
from webhook.objects import annotations, labels, mapping
from webhook.reinvocation import answered_before
from webhook.request import CREATE, UPDATE, Request
from webhook.revision import canonical, digest, same, without_restart
from webhook.selector import matches
from webhook.stash import Stash
from webhook.wording import Wording

REPLICA_SET = "deployment.kubernetes.io/revision"
"""Annotation with the number of the ReplicaSet that the Deployment runs, by its controller."""


def divert(request: Request, settings: Settings, now: datetime) -> Decision:
    """What the API server shall store in place of what was requested. Never raises on what `review` accepts."""
    decision = (
        _not_for_us(request)
        or answered_before(request, settings, now)
        or _opted_out(request)
        or _taken_on_or_let_go(request, settings)
        or promotion.asked(request, settings)
        or _changed(understood(request, settings, now))
    )
    return within_limits(request, decision)


def _changed(change: Change) -> Decision:
    return next(decision for rule in RULES if (decision := rule(change)) is not None)


def _not_for_us(request: Request) -> Decision | None:
    """A new Deployment, which comes as it is and brings no history; one on its way out; one that Detour made.

    What Detour made is known by its stored label: taking that on is no way out.
    """
    if request.subresource or request.operation not in (CREATE, UPDATE):
        return Decision(Kind.UNTOUCHED)
    if stash.CANARY_OF in labels(request.object if request.operation == CREATE else request.old):
        return Decision(Kind.UNTOUCHED)
    if request.operation == CREATE:
        return Decision(Kind.UNTOUCHED, keys=ours.cleared())
    leaving = any(mapping(side, "metadata").get("deletionTimestamp") for side in (request.object, request.old))
    return Decision(Kind.UNTOUCHED) if leaving else None


def _opted_out(request: Request) -> Decision | None:
    """The policy is `none`. A label that is taken away still counts for the update that takes it."""
    old = labels(request.old)
    if labels(request.object).get(stash.POLICY, old.get(stash.POLICY)) != stash.POLICY_NONE:
        return None
    waited = stash.TEMPLATE in annotations(request.old)
    words = Wording(request.namespace, request.name)
    warning = words.opted_out(str(old.get(stash.REVISION, ""))) if waited else ""
    keys = ours.cleared()
    if old.get(stash.POLICY) != stash.POLICY_NONE:
        keys[stash.LET_PAST] = f"opted out by {request.user}" + _reason(request)
    return Decision(Kind.DIRECT if request.wanted != request.primary else Kind.UNTOUCHED, None, keys, warning)


def _reason(request: Request) -> str:
    """Why, if this very request says so."""
    new, old = (annotations(side).get(stash.CHANGE_CAUSE) for side in (request.object, request.old))
    return f": {new}" if new and new != old else ""


def _taken_on_or_let_go(request: Request, settings: Settings) -> Decision | None:
    """The analyzer puts its own label on, or takes it away, and none of our keys counts beyond that.

    What stood there before was never checked by anybody; what waited has nobody to look after it when its Canary goes.
    """
    old, new = labels(request.old).get(stash.POLICY), labels(request.object).get(stash.POLICY)
    alone = same(request.wanted, request.primary)
    if request.user != settings.analyzer or {old, new} != {None, stash.POLICY_CANARY} or not alone:
        return None
    return Decision(Kind.CANCELLED if new is None else Kind.UNTOUCHED, keys=ours.cleared())


def _selector_mismatch(change: Change) -> Decision | None:
    """The canary's labels are rewritten, which would hide what the API server refuses; so refuse it in its words."""
    selector = mapping(change.request.object, "spec").get("selector")
    found = mapping(change.meant, "metadata", "labels")
    if change.meant == change.primary or matches(selector, found):
        return None
    where, complaint = "spec.template.metadata.labels", "`selector` does not match template `labels`"
    sentence = (
        f'Deployment.apps "{change.request.name}" is invalid: {where}: Invalid value: {canonical(found)}: {complaint}'
    )
    return denied(sentence, 422, "Invalid")


def _gone_back(change: Change) -> Decision | None:
    """The primary's own template is wanted: nothing waits any more."""
    if not same(change.meant, change.primary):
        return None
    if change.waiting is None:
        guarded = change.words.guarded() if stash.POLICY in change.keys else ""
        return Decision(Kind.UNTOUCHED, change.primary, change.keys, guarded)
    return _cancelled(change, change.words.cancelled(change.waiting.digest))


def _undone(change: Change) -> Decision | None:
    """`kubectl rollout undo` during a canary: it steps back from the newest revision, which is the canary's.

    It is known by what it sends: no field manager, and all annotations replaced by those of an old ReplicaSet, but for
    those that kubectl keeps (k8s.io/kubectl/pkg/polymorphichelpers/rollback.go). The Deployment's revision is one.
    """
    if change.waiting is None or change.rejected or change.request.manager:
        return None
    new, old = annotations(change.request.object), annotations(change.request.old)
    if new.get(stash.TEMPLATE) == old.get(stash.TEMPLATE):
        return None
    kept = REPLICA_SET in new and new[REPLICA_SET] == old.get(REPLICA_SET)
    if change.wanted == change.primary or not (kept or digest(change.wanted) in stash.history(change.request.old)):
        return None
    return _cancelled(change, change.words.undone(change.waiting.digest))


def _restarted(change: Change) -> Decision | None:
    """A restart runs what is proven once more. It comes before the next rule, since digests leave its stamp out."""
    if change.wanted == change.primary or change.settings.restart != DIRECT:
        return None
    if without_restart(change.wanted) != without_restart(change.primary):
        return None
    keys = change.keys
    if change.waiting is not None:
        keys = keys | {stash.TEMPLATE: stash.encode(Stash(change.meant, change.waiting.change_cause))}
    return Decision(Kind.RESTARTED, change.wanted, keys, change.words.restarted(), digest(change.primary))


def _waiting_already(change: Change) -> Decision | None:
    """The same template again, from anybody: not a byte changes, but for a change-cause that is said afterwards."""
    if change.waiting is None or (change.meant != change.waiting.template and change.revision != change.waiting.digest):
        return None
    revision, keys = change.waiting.digest, change.keys
    if change.change_cause != change.waiting.change_cause:
        keys = keys | {stash.TEMPLATE: stash.encode(Stash(change.waiting.template, change.change_cause))}
        keys = _cause_kept(change, keys)
    if not change.asked:  # a label or an annotation, of which there is nothing to say
        return Decision(Kind.UNCHANGED, change.primary, keys, revision=revision)
    warning = change.words.rejected(revision) if change.rejected else change.words.unchanged(revision)
    return Decision(Kind.UNCHANGED, change.primary, _cause_kept(change, keys), warning, revision)


def _unprotected(change: Change) -> Decision | None:
    """No traffic depends on the primary."""
    reason = nothing_to_protect(change.request, change.now)
    return _direct(change, Kind.DIRECT, reason, change.words.direct(reason)) if reason else None


def _unfit(change: Change) -> Decision | None:
    """A second copy would do harm, or is not the user's to make."""
    reason = cannot_run_twice(change.request, change.meant)
    return _direct(change, Kind.DIRECT, reason, change.words.unfit(reason)) if reason else None


def _proven(change: Change) -> Decision | None:
    """Back to a revision that passed here before."""
    if change.settings.rollback != DIRECT or not change.proven:
        return None
    return _direct(change, Kind.PROVEN, "it is proven", change.words.proven(change.revision))


def _diverted(change: Change, at_once: str = "") -> Decision:
    """The rule that Detour is for: the primary keeps its template, and the new one waits."""
    revision, superseded = change.revision, change.waiting.digest if change.waiting else ""
    words = change.words
    warning = words.at_once(revision, at_once) if at_once else words.diverted(revision, superseded)
    waiting = Stash(change.meant, change.change_cause)
    author = ours.signed(change.keys, change.request, change.settings.analyzer)
    keys = ours.diverting(change.keys, waiting, revision, author, at_once)
    if change.request.dry_run:  # shown in place, so that tools see the change and the API server validates it
        return Decision(Kind.DIVERTED, change.meant, change.keys, warning, revision)
    return Decision(Kind.DIVERTED, change.primary, _cause_kept(change, keys), warning, revision)


RULES: tuple[Callable[[Change], Decision | None], ...] = (
    _selector_mismatch,
    _gone_back,
    _undone,
    _restarted,
    _waiting_already,
    _unprotected,
    _unfit,
    _proven,
    _diverted,
)


def _cancelled(change: Change, warning: str) -> Decision:
    keys = _cause_kept(change, ours.dropping(change.keys, change.primary))
    return Decision(Kind.CANCELLED, change.primary, keys, warning, digest(change.primary))


def _direct(change: Change, kind: Kind, reason: str, warning: str) -> Decision:
    if change.settings.enforce:
        return _diverted(change, reason)
    keys = ours.ending(change.keys)
    if kind is Kind.DIRECT and not change.request.dry_run:
        keys[stash.LET_PAST] = f"changed directly by {change.request.user}: {reason}"
    return Decision(kind, change.meant, keys, warning, change.revision)


def _cause_kept(change: Change, keys: Keys) -> Keys:
    """The change-cause on the Deployment is the running revision's."""
    return keys | {stash.CHANGE_CAUSE: annotations(change.request.old).get(stash.CHANGE_CAUSE)}

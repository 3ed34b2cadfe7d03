"""What `promote`, `approve`, `abort` and `retry` have in common: which revision is meant, saying so on the Canary, and
being heard.

They act on the Canary, under the person's own permissions; the API server checks the name that is signed with
(manifests/policies), and only the analyzer acts on the Deployment.
"""

import secrets
import time
from contextlib import suppress
from functools import partial

from analyzer.kube.client import Object
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.resources import CANARIES, Resource
from analyzer.status import Outcome, Status
from analyzer.stored import from_object
from analyzer.wishes import ASK, ASKED_BY, REASON, Verb, annotations_for, wish_of
from detour.application import FORBIDDEN, Application, Name, find
from detour.person import Place, Problem, patiently
from detour.terminal import say
from webhook.revision import short

SELF = Resource("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False)
HEARD_WITHIN = 10.0  # seconds
LOOK_EVERY = 0.3
CONSEQUENCES = {
    Verb.PROMOTE: "is promoted without the rest of its analysis",
    Verb.APPROVE: "goes past the gate that it waits at",
    Verb.ABORT: "is given up: its weight goes to 0, then its canary goes; the primary stays as it is",
    Verb.RETRY: "runs again, from the beginning",
}


def wish(place: Place, name: Name, verb: Verb, reason: str) -> None:
    """Ask for it, wait shortly until the analyzer has heard it, and say what happens next. Raises Problem."""
    found = find(place, name)
    _, canary = found.managed()
    waiting = found.waiting
    revision = meant(found, verb, found.status, waiting.digest if waiting else "")
    annotations = annotations_for(verb, revision, secrets.token_hex(4), whoami(place), " ".join(reason.split()))
    where, called = canary["metadata"]["namespace"], canary["metadata"]["name"]
    try:
        place.client.merge(CANARIES, where, called, {"metadata": {"annotations": annotations}})
    except ApiError as error:
        raise Problem(_remedied(error, place, verb)) from error
    status = _heard(place, called, str(annotations[ASK]))
    follow = f"kubectl detour wait {found.name} -n {where}"
    if status.observed_wish == annotations[ASK]:
        _clear(place, called, annotations)
        say(f"{found.name}: revision {short(revision)} {CONSEQUENCES[verb]}; follow it: {follow}")
        return
    why = status.problem or "is it running? kubectl -n detour get pods"
    say(f"{found.name}: it is written down, and the analyzer has not heard it yet ({why}); follow it: {follow}")


def meant(application: Application, verb: Verb, status: Status, waiting: str) -> str:
    """The whole digest of the revision that a person means: what is on its way, else what waits.

    Raises Problem where there is none, or where it is not to be had of it.
    """
    name, ending = application.name, status.ending if status.phase.in_flight else None
    on_its_way = status.revision if status.phase.in_flight and ending is None else ""
    revision = on_its_way or waiting
    if not revision and ending:
        raise Problem(f"nothing to {verb}: {name} is on its way out already: {ending.message}")
    if not revision:
        raise Problem(f"nothing to {verb}: no revision of {name} waits or runs as a canary")
    this = f"revision {short(revision)} of {name}"
    failing = ending is not None and ending.outcome in (Outcome.FAILED, Outcome.ABORTED)
    rejected = not on_its_way and (revision in status.rejected or (failing and revision == status.revision))
    if verb is Verb.RETRY and not rejected:
        raise Problem(f"nothing to retry: {this} was not rejected, it {'runs' if on_its_way else 'waits'}")
    if verb is Verb.APPROVE and not (status.gate and revision in (on_its_way, status.waits)):
        raise Problem(f"nothing to approve: {this} waits at no gate")
    if verb is Verb.ABORT and rejected:
        raise Problem(f"nothing to abort: {this} was rejected already")
    if verb is Verb.PROMOTE and on_its_way and not status.phase.analysing:
        raise Problem(f"nothing to promote: {this} is being promoted already")
    return revision


def whoami(place: Place) -> str:
    """The user name that the API server knows this person by (authentication.k8s.io/v1, SelfSubjectReview)."""
    review = {"apiVersion": SELF.api_version, "kind": SELF.kind, "metadata": {}}
    return str(place.client.create(SELF, review)["status"]["userInfo"]["username"])


def _heard(place: Place, canary: str, text: str) -> Status:
    """The status as soon as it says that the wish was heard, or as it is when patience is over."""
    deadline = time.monotonic() + HEARD_WITHIN

    def look() -> Object:
        return place.client.get(CANARIES, place.namespace, canary)

    while True:
        status = from_object(patiently(look, deadline, partial(say, problem=True)))
        if status.observed_wish == text or time.monotonic() > deadline:
            return status
        time.sleep(LOOK_EVERY)


def _clear(place: Place, canary: str, annotations: Object) -> None:
    """What was heard goes, unless somebody has wished something else meanwhile: a copy of this Canary, or a backup,
    is then like any other. Who wished it stands in the history.
    """
    written = [key for key in (ASK, ASKED_BY, REASON) if annotations[key]]
    test = {"op": "test", "path": _pointer(ASK), "value": annotations[ASK]}
    with suppress(ApiError, Unreachable):
        removals = [{"op": "remove", "path": _pointer(key)} for key in written]
        place.client.patch(CANARIES, place.namespace, canary, [test, *removals])


def _pointer(key: str) -> str:
    return f"/metadata/annotations/{key.replace('/', '~1')}"


def _remedied(error: ApiError, place: Place, verb: Verb) -> str:
    """The API server's own sentence; a policy's says by itself what helps."""
    if error.status != FORBIDDEN or "ValidatingAdmissionPolicy" in str(error):
        return str(error)
    role = f"admin, or edit and detour-{verb}" if verb in (Verb.PROMOTE, Verb.APPROVE) else "edit"
    return f"{error}; ask for the ClusterRole {role} in namespace {place.namespace}"


def unheard(canary: Object | None, status: Status, revision: str) -> bool:
    """Whether somebody wishes something for this revision that the analyzer has not heard yet."""
    found = wish_of(canary) if canary else None
    return found is not None and found.text != status.observed_wish and found.revision == revision

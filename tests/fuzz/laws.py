"""What must hold for the answer to whatever was sent."""

import base64
from dataclasses import dataclass
from typing import Any

import jsonpatch
import orjson

from tests.fuzz.seeds import SECRET
from tests.webhook.model import ANALYZER
from webhook import stash
from webhook.decision import Kind
from webhook.objects import annotations, labels, mapping
from webhook.revision import Object, same, short
from webhook.wording import LONGEST

REFUSALS = {400, 413, 429}
DENIALS = {403, 409, 413, 422}
OURS = stash.LABELS | stash.ANNOTATIONS
CARRIED = (stash.HISTORY, stash.STATE, stash.PREVIOUS)
"""Of what is ours, what no user's request changes but by ending what is in flight."""

DIRECTLY = {Kind.RESTARTED, Kind.DIRECT, Kind.PROVEN}
BY_THE_ANALYZER = {Kind.PROMOTING, Kind.PROMOTED, Kind.BACK}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: an HTTP status and a body."""

    status: int
    body: bytes


def broken(sent: bytes, answer: Answer) -> str:
    """The law that an answer breaks; empty where it breaks none."""
    try:
        said = orjson.loads(answer.body)
        if answer.status != 200:
            return _refusal(answer, said)
        request = orjson.loads(sent)["request"]
        return _envelope(request, said) or _response(request, said["response"])
    except Exception as error:  # a law that cannot be judged is broken, too
        return f"the answer cannot be judged: {error!r}"


def _refusal(answer: Answer, said: Any) -> str:
    if answer.status not in REFUSALS or list(said) != ["error"]:
        return f"refused by status {answer.status}"
    return "a refusal repeats what was sent" if SECRET in said["error"] else ""


def _envelope(request: Object, said: Object) -> str:
    response = said["response"]
    if (said["apiVersion"], said["kind"]) != ("admission.k8s.io/v1", "AdmissionReview"):
        return "the answer is no AdmissionReview"
    if response["uid"] != request["uid"] or not isinstance(response["allowed"], bool):
        return "the answer is not to this request"
    if any(len(warning) > LONGEST for warning in response.get("warnings", [])):
        return "a warning is too long"
    if response["allowed"] == ("status" in response) or (not response["allowed"] and "patch" in response):
        return "it is allowed and denied at once"
    if not response["allowed"] and response["status"]["code"] not in DENIALS:
        return f"it is denied by status {response['status']['code']}"
    return ""


def _response(request: Object, response: Object) -> str:
    if not response["allowed"]:
        return ""
    operations = orjson.loads(base64.b64decode(response.get("patch", "W10="), validate=True))
    if ("patch" in response) != (response.get("patchType") == "JSONPatch") or ("patch" in response and not operations):
        return "a patch of no kind, or an empty one"
    if strange := [each["path"] for each in operations if not _is_ours(each["path"])]:
        return f"it changes {strange}"
    new = jsonpatch.apply_patch(orjson.loads(orjson.dumps(request.get("object"))), operations, in_place=True)
    if request["operation"] not in ("CREATE", "UPDATE") or request.get("subResource"):
        return "what is none of our business is changed" if operations else ""
    kind = Kind(response["auditAnnotations"]["decision"])
    if kind is Kind.UNTOUCHED and _is_let_be(request):
        return "what is none of our business is changed" if operations else ""
    if request["operation"] == "CREATE":
        return "a new Deployment brings keys of ours" if _ours(new).keys() - {stash.POLICY} else ""
    return _template(request, response, kind, new) or _keys(request, kind, new)


def _is_ours(path: str) -> bool:
    if path in ("/spec/template", "/metadata/labels", "/metadata/annotations", "/metadata/managedFields"):
        return True
    key = path.rpartition("/")[2].replace("~1", "/")
    return key in OURS or key == stash.CHANGE_CAUSE


def _is_let_be(request: Object) -> bool:
    """A canary, or what is being deleted."""
    old, new = request.get("oldObject") or {}, request["object"]
    if request["operation"] == "CREATE":
        return stash.CANARY_OF in labels(new)
    return stash.CANARY_OF in labels(old) or any(
        mapping(side, "metadata").get("deletionTimestamp") for side in (old, new)
    )


def _template(request: Object, response: Object, kind: Kind, new: Object) -> str:
    """The primary keeps its template, or somebody is told why not."""
    primary, runs = request["oldObject"]["spec"]["template"], new["spec"]["template"]
    user = request["userInfo"].get("username", "")
    if kind in BY_THE_ANALYZER:
        return "" if user == ANALYZER else "somebody else promotes"
    if runs == primary or same(runs, primary):
        return ""
    if request.get("dryRun") is True and kind is Kind.DIVERTED:
        return ""
    if labels(request["object"]).get(stash.POLICY, labels(request["oldObject"]).get(stash.POLICY)) == stash.POLICY_NONE:
        return ""
    if kind not in DIRECTLY:
        return f"the primary changes, though it is {kind}"
    return "" if response.get("warnings") else f"the primary changes without a word, by {kind}"


def _keys(request: Object, kind: Kind, new: Object) -> str:
    """What of ours stands there never is what the request brought."""
    old, here, user = _ours(request["oldObject"]), _ours(new), request["userInfo"].get("username", "")
    if stash.PROMOTE in here and user != ANALYZER:
        return "a promotion is left lying there"
    if user == ANALYZER:
        return ""
    for key in CARRIED:
        if key in here and here[key] != old.get(key):
            return f"{key} was brought along"
    if here.get(stash.LET_PAST) not in (None, old.get(stash.LET_PAST)) and f" by {user}" not in here[stash.LET_PAST]:
        return "somebody was let past in another's name"
    waits = here.get(stash.TEMPLATE)
    if waits is not None and waits != old.get(stash.TEMPLATE):
        if not _proves_itself(waits, here.get(stash.REVISION)):
            return "what waits does not prove itself"
        if kind is Kind.DIVERTED and orjson.loads(here[stash.DIVERTED_BY])["user"] != user:
            return "what waits is in another's name"
    return ""


def _proves_itself(waits: str, revision: str | None) -> bool:
    """Where it is a template at all: what is none was one neither in the request, which no API server sends."""
    try:
        return short(stash.decode(waits).digest) == revision
    except stash.StashError as error:
        return "stored template must be one" in str(error)


def _ours(deployment: Object) -> dict[str, str]:
    """A label's key among the annotations is nobody's, and says nothing."""
    kinds = ((labels(deployment), stash.LABELS), (annotations(deployment), stash.ANNOTATIONS))
    return {key: value for entries, keys in kinds for key, value in entries.items() if key in keys}

"""The contract between webhook and analyzer: what is written on a Deployment, and how to read it.

The webhook writes these keys in the same etcd write as the user's update, so nothing is ever lost between two
writes; the analyzer reads them and asks for promotion through one of them. Both import this module and nothing
else of one another.
"""

import base64
import binascii
import gzip
import io
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import orjson

from webhook.revision import Object, Template, canonical, digest

POLICY = "detour.dev/policy"  # label; the user's, or `canary` by the analyzer on the target of a Canary
TEMPLATE = "detour.dev/template"  # annotation; present means: something is diverted
PREVIOUS = "detour.dev/previous"  # annotation; present means: a promotion is under way
REVISION = "detour.dev/revision"  # label; ten digits, for selecting and showing only
DIVERTED_BY = "detour.dev/diverted-by"  # annotation
AT_ONCE = "detour.dev/at-once"  # annotation; whole digest of what waits, and why it needs no analysis (`enforce`)
LET_PAST = (
    "detour.dev/let-past"  # annotation; what was let past Detour, and by whom; the analyzer reports and strips it
)
STATE = "detour.dev/state"  # label, by the analyzer
HISTORY = "detour.dev/history"  # annotation; whole digests of proven templates, the oldest first
PROMOTE = "detour.dev/promote"  # annotation; the analyzer asks, the webhook strips it as it acts
CANARY_OF = "detour.dev/canary-of"  # label on what Detour creates
LABELS = frozenset({POLICY, REVISION, STATE, CANARY_OF})
ANNOTATIONS = frozenset({TEMPLATE, PREVIOUS, DIVERTED_BY, HISTORY, PROMOTE, AT_ONCE, LET_PAST})
CHANGE_CAUSE = "kubernetes.io/change-cause"  # the user's annotation, which belongs to the template it came with

POLICY_NONE = "none"
POLICY_CANARY = "canary"
STATE_ANALYSING, STATE_PROMOTING, STATE_REJECTED = "analysing", "promoting", "rejected"
STATE_PENDING = "pending"  # kept by an installation that was removed, for the next one

GO, DONE, BACK = "go", "done", "back"
VERBS = (GO, DONE, BACK)

HISTORY_LENGTH = 20
COMPRESS_ABOVE = 64 * 1024  # bytes of JSON
_LARGEST = 1536 * 1024  # bytes of JSON; etcd stores no larger object, so no template that ever lived is
_MOST_PARTS = 100_000  # objects and lists; a template has hundreds
_DIGEST = re.compile(r"[0-9a-f]{64}")


class StashError(ValueError):
    """What stands in one of our annotations is not what the webhook writes."""


@dataclass(frozen=True)
class Stash:
    """A pod template that waits, or waits to be gone back to.

    `change_cause` is the `kubernetes.io/change-cause` that came with it; None: it came with none, and whatever
    stands on the Deployment stays.
    """

    template: Template
    change_cause: str | None = None

    @cached_property
    def digest(self) -> str:
        """The whole digest of the template."""
        return digest(self.template)


@dataclass(frozen=True, slots=True)
class Author:
    """Whose update a revision is: the user's name and the field manager, which is empty for clients that send none."""

    user: str
    manager: str = ""

    def encode(self) -> str:
        """As it stands in the annotation."""
        return canonical({"user": self.user, "manager": self.manager})


def diverted(deployment: Object) -> Stash | None:
    """The template that is diverted, None where nothing is. Raises StashError when it cannot be read."""
    text = _metadata(deployment, "annotations").get(TEMPLATE)
    return None if text is None else decode(text)


def previous(deployment: Object) -> Stash | None:
    """The template that a promotion is replacing, None outside one. Raises StashError when it cannot be read."""
    text = _metadata(deployment, "annotations").get(PREVIOUS)
    return None if text is None else decode(text)


def diverted_by(deployment: Object) -> Author | None:
    """Whose update is diverted; None where nothing is, or where the annotation cannot be read."""
    text = _metadata(deployment, "annotations").get(DIVERTED_BY)
    try:
        value = orjson.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("user"), str):
        return None
    return Author(value["user"], str(value.get("manager", "")))


def at_once(deployment: Object, whole: str) -> str:
    """Why the diverted template of this whole digest is to be promoted without an analysis; empty where it is not."""
    meant, _, reason = str(_metadata(deployment, "annotations").get(AT_ONCE, "")).partition(" ")
    return reason if meant == whole else ""


def let_past(deployment: Object) -> str:
    """What was let past Detour, and by whom; empty where nothing was since it was last reported."""
    return str(_metadata(deployment, "annotations").get(LET_PAST, ""))


def state(deployment: Object) -> str:
    """What the analyzer says of the diverted revision; empty where it has not yet said anything."""
    return str(_metadata(deployment, "labels").get(STATE, ""))


def encode(stash: Stash) -> str:
    """A stash as the text of an annotation: compact JSON, gzip and base64 of it above 64 KiB.

    Equal stashes give equal text, or the same manifest applied again would write.
    """
    value: Object = {"template": stash.template}
    if stash.change_cause is not None:
        value["changeCause"] = stash.change_cause
    text = canonical(value)
    if len(text) <= COMPRESS_ABOVE:
        return text
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def decode(text: str) -> Stash:
    """The opposite of `encode`. Raises StashError saying what is wrong."""
    try:
        raw = text.encode("utf-8", "surrogatepass") if text.startswith("{") else _unpacked(text)
        if raw.count(b"{") + raw.count(b"[") > _MOST_PARTS:
            raise ValueError(f"more than {_MOST_PARTS} parts")
        value = orjson.loads(raw)
    except (ValueError, RecursionError) as error:
        raise StashError(f"a stored template cannot be read: {error}") from error
    if not isinstance(value, dict) or not isinstance(value.get("template"), dict):
        raise StashError("a stored template must be a JSON object with an object `template`")
    cause = value.get("changeCause")
    if not isinstance(cause, str | None):
        raise StashError("a stored template's `changeCause` must be a string")
    if not _is_template(value["template"]):
        raise StashError("a stored template must be one: its `spec` an object, its containers a list of objects")
    return Stash(value["template"], cause)


def _is_template(template: Template) -> bool:
    """Whether those who read it may rely on its shape. Anybody may have written it."""
    spec, metadata = template.get("spec"), template.get("metadata", {})
    if not isinstance(spec, dict) or not isinstance(metadata, dict):
        return False
    lists = (spec.get(name) or [] for name in ("containers", "initContainers", "volumes"))
    return all(isinstance(found, list) and all(isinstance(one, dict) for one in found) for found in lists)


def promote_request(verb: str, whole: str) -> str:
    """The value of the annotation by which the analyzer asks: `go`, `done` or `back`, for one whole digest."""
    if verb not in VERBS or not _DIGEST.fullmatch(whole):
        raise ValueError(f"a promotion is asked for by {', '.join(VERBS)} and a whole digest, not {verb}:{whole}")
    return f"{verb}:{whole}"


def parse_promote(text: str) -> tuple[str, str] | None:
    """Verb and whole digest of a promotion that is asked for; None where the text is no such request."""
    verb, _, whole = text.partition(":")
    return (verb, whole) if verb in VERBS and _DIGEST.fullmatch(whole) else None


def history(deployment: Object) -> tuple[str, ...]:
    """Whole digests of the templates that were proven here, the oldest first."""
    text = _metadata(deployment, "annotations").get(HISTORY, "")
    return tuple(entry for entry in str(text).split(",") if _DIGEST.fullmatch(entry))


def pushed(entries: Iterable[str], *proven: str) -> str:
    """The history with more proven digests at its end, as the text of the annotation; the oldest fall out."""
    kept = [entry for entry in entries if entry not in proven]
    return ",".join([*kept, *dict.fromkeys(proven)][-HISTORY_LENGTH:])


def _unpacked(text: str) -> bytes:
    try:
        packed = base64.b64decode(text, validate=True)
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as stream:
            raw = stream.read(_LARGEST + 1)
    except (binascii.Error, ValueError, OSError, EOFError, zlib.error) as error:
        raise ValueError(f"neither JSON nor gzip in base64 ({error})") from error
    if len(raw) > _LARGEST:
        raise ValueError(f"larger than {_LARGEST} bytes")
    return raw


def _metadata(deployment: Object, kind: str) -> Object:
    """Labels or annotations; empty where there are none."""
    found = deployment.get("metadata", {}).get(kind)
    return found if isinstance(found, dict) else {}

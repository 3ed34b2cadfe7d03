"""One broken review after the other, each made again from its number alone.

A mutation knows what a review is: it takes nodes of the tree away, doubles them, puts something else in their place,
and writes what somebody would who wants our annotations to lie. A part of them is broken as bytes, too.
"""

import base64
import gzip
import json
import marshal
from collections.abc import Callable
from contextlib import suppress
from random import Random
from typing import Any

from tests.webhook.model import ANALYZER
from webhook import stash
from webhook.revision import RESTARTED_AT, Object, canonical, digest, short

Mutation = Callable[[Random, Object], None]

BOMB = base64.b64encode(gzip.compress(b'{"template":' + b" " * 20_000_000 + b'{"spec":{}}}', mtime=0)).decode()
MANY = base64.b64encode(gzip.compress(b'{"template":{"spec":{"x":[' + b"{}," * 200_000 + b"0]}}}", mtime=0)).decode()


DEEP = "deeper than anything can be copied"
"""Stands for it until all is written."""


def _nested(depth: int) -> Any:
    found: Any = 1
    for level in range(depth):
        found = {"a": found} if level % 2 else [found]
    return found


JUNK: tuple[Any, ...] = (
    None, True, False, 0, -1, 0.1, 1e308, 2**31, 2**63, 2**64, 10**400, float("nan"), float("inf"),
    "", "0", "x" * 10_000, "\x00", "\u2603", "\U0001f4a9", "\u202e\u0301", "\ud800", "a/b~c", "default", "none",
    [], {}, [[]], [None], {"": ""}, {"name": None}, [{"name": "podinfo"}] * 2, {"\x00": {"\u2603": []}},
    list(range(300)), {str(number): {} for number in range(300)}, _nested(30), _nested(100), DEEP,
)  # fmt: skip
TEXTS = (
    "kubectl-set",
    "kubectl-label",
    "kubectl-client-side-apply",
    "kubectl-replace",
    "flux",
    "helm",
    "",
    "detour-bypass",
)
OPERATIONS = ("CREATE", "UPDATE", "DELETE", "CONNECT", "update", "")


def made(seed: str, number: int, seeds: list[bytes]) -> bytes:
    """The input of this number: a review, broken in one to six ways."""
    random = Random(f"{seed}-{number}")
    found = json.loads(random.choice(seeds))
    for _ in range(random.choice((0, 1, 1, 2, 2, 3, 6))):
        with suppress(RecursionError):  # it is as deep as it can be
            random.choice(MUTATIONS)(random, found)
    try:
        body = json.dumps(found, ensure_ascii=random.random() < 0.8).encode("utf-8", "surrogatepass")
    except (RecursionError, ValueError):
        body = random.choice(seeds)
    body = body.replace(json.dumps(DEEP).encode(), b'{"a":[' * 5000 + b"]}" * 5000)
    if random.random() < 0.25:
        for _ in range(random.choice((1, 1, 2, 8))):
            body = _broken(random, body)
    return body


def _copied(value: Any) -> Any:
    """A copy of its own; several times as fast as `copy.deepcopy`."""
    return marshal.loads(marshal.dumps(value))


def _somewhere(random: Random, found: Object) -> tuple[Any, Any]:
    """A container and a key in it: some way down from the review, or from a part of its request."""
    request = found.get("request")
    parts = [part for part in request.values() if isinstance(part, dict)] if isinstance(request, dict) else []
    parent: Any = random.choice(parts) if parts and random.random() < 0.8 else found
    if not parent:
        return found, "request"
    while True:
        key = random.choice(list(parent)) if isinstance(parent, dict) else random.randrange(len(parent))
        if not isinstance(parent[key], dict | list) or not parent[key] or random.random() < 0.15:
            return parent, key
        parent = parent[key]


def _delete(random: Random, found: Object) -> None:
    parent, key = _somewhere(random, found)
    if isinstance(parent, dict):
        parent.pop(key, None)
    else:
        del parent[key]


def _replace(random: Random, found: Object) -> None:
    parent, key = _somewhere(random, found)
    parent[key] = _copied(random.choice(JUNK))


def _retype(random: Random, found: Object) -> None:
    parent, key = _somewhere(random, found)
    value = parent.get(key) if isinstance(parent, dict) else parent[key]
    ways: tuple[Callable[[Any], Any], ...] = (str, json.dumps, lambda v: [v], lambda v: {"x": v}, bool)
    parent[key] = random.choice(ways)(value)


def _double(random: Random, found: Object) -> None:
    parent, key = _somewhere(random, found)
    if isinstance(parent, list):
        parent.insert(random.randrange(len(parent) + 1), _copied(parent[key]))
    else:
        parent[f"{key}{random.choice(('', 's', '/', '~1', chr(0)))}"] = _copied(parent.get(key))


def _move(random: Random, found: Object) -> None:
    """What stands in one place stands in another, too."""
    (source, at), (target, where) = _somewhere(random, found), _somewhere(random, found)
    target[where] = _copied(source.get(at) if isinstance(source, dict) else source[at])


def _swap(_: Random, found: Object) -> None:
    request = found.get("request")
    if isinstance(request, dict):
        request["object"], request["oldObject"] = request.get("oldObject"), request.get("object")


def _ask(random: Random, found: Object) -> None:
    """Another user, operation, manager or subresource."""
    request = found.get("request")
    if isinstance(request, dict):
        user = {"username": random.choice((ANALYZER, "ann", "", None, f"{ANALYZER} "))}
        options = {"fieldManager": random.choice(TEXTS)}
        name, value = random.choice(
            [("userInfo", user), ("options", options), ("operation", random.choice(OPERATIONS)), ("dryRun", True),
             ("subResource", random.choice(("", "scale", "status"))), ("name", "n" * random.choice((1, 63, 253)))]
        )  # fmt: skip
        request[name] = value


def _forge(random: Random, found: Object) -> None:
    """One of our own keys, on one side or on both, with what somebody might write there."""
    request = found.get("request")
    sides = [request.get(side) for side in ("object", "oldObject")] if isinstance(request, dict) else []
    written = _forgery(random, sides)
    key = random.choice(sorted(stash.ANNOTATIONS | stash.LABELS | {stash.CHANGE_CAUSE}))
    kind = "labels" if key in stash.LABELS else "annotations"
    for side in random.choice((sides, sides[:1], sides[1:])):
        metadata = side.get("metadata") if isinstance(side, dict) else None
        if isinstance(metadata, dict):
            entries = metadata.get(kind)
            metadata[kind] = {**(entries if isinstance(entries, dict) else {}), key: written}


def _forgery(random: Random, sides: list[Any]) -> Any:
    templates = [side["spec"]["template"] for side in sides if isinstance(side, dict) and _has_template(side)]
    template = _copied(random.choice(templates)) if templates else {"spec": {}}
    try:
        packed = base64.b64encode(gzip.compress(canonical({"template": template}).encode(), mtime=0)).decode()
        text, whole = stash.encode(stash.Stash(template)), digest(template)
    except (TypeError, ValueError, RecursionError):
        packed, text, whole = "AAAA", "{}", "0" * 64
    return random.choice(
        [text, text[: random.randrange(len(text))], packed, packed[: random.randrange(len(packed))], BOMB, MANY,
         whole, short(whole), f"{whole} because", f"{whole},{'0' * 64}", *(f"{verb}:{whole}" for verb in stash.VERBS),
         "rejected", "promoting", "canary", "none", '{"user":"eve","manager":""}', "[" * 5000, random.choice(JUNK)]
    )  # fmt: skip


def _has_template(side: Object) -> bool:
    spec = side.get("spec")
    return isinstance(spec, dict) and isinstance(spec.get("template"), dict)


def _exempt(random: Random, found: Object) -> None:
    """What makes an update go directly, on one side or on both."""
    request = found.get("request")
    for name in random.choice((("object",), ("oldObject",), ("object", "oldObject"))):
        side = request.get(name) if isinstance(request, dict) else None
        if isinstance(side, dict) and _has_template(side) and isinstance(side.get("metadata"), dict):
            spec, pod = side["spec"], side["spec"]["template"].get("spec")
            random.choice(
                (
                    lambda spec=spec: spec.__setitem__("replicas", 0),
                    lambda spec=spec: spec.__setitem__("strategy", {"type": "Recreate"}),
                    lambda pod=pod: pod.__setitem__("hostNetwork", True) if isinstance(pod, dict) else None,
                    lambda side=side: side["metadata"].__setitem__("labels", {}),
                    lambda side=side: side["metadata"].__setitem__(
                        "ownerReferences", [{"controller": True, "name": "o"}]
                    ),
                    lambda side=side: side["metadata"].__setitem__("deletionTimestamp", "2026-11-23T00:00:00Z"),
                )
            )()


def _restart(random: Random, found: Object) -> None:
    request = found.get("request")
    side = request.get("object") if isinstance(request, dict) else None
    if isinstance(side, dict) and _has_template(side):
        side["spec"]["template"]["metadata"] = {"annotations": {RESTARTED_AT: random.choice(("now", "", 7, None))}}


MUTATIONS: tuple[Mutation, ...] = (
    _delete, _delete, _replace, _replace, _retype, _double, _move, _swap,
    _ask, _ask, _forge, _forge, _forge, _exempt, _restart,
)  # fmt: skip

SPLINTERS = (
    b"{", b"}", b"[", b"]", b'"', b",", b":", b"\\", b"\\u0000", b"\\ud800", b"\xff", b"\xc0\x80", b"\xef\xbb\xbf",
    b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"null", b"\x00", b'"uid":7,', b'{"a":' * 2000,
)  # fmt: skip


def _broken(random: Random, body: bytes) -> bytes:
    """The bytes with some lost, changed, doubled, or put between them."""
    at = random.randrange(len(body) + 1)
    end = min(len(body), at + random.choice((1, 1, 2, 8, 64, 1024)))
    return random.choice(
        (
            body[:at] + body[end:],
            body[:at] + body[at:end] * 2 + body[end:],
            body[:at] + random.choice(SPLINTERS) + body[at:],
            body[:at] + random.randbytes(end - at) + body[end:],
            body[:at],
        )
    )

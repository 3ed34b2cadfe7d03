"""The request made again on the diverted template.

Clients compute what they send against the live Deployment, which still is the primary. What they mean is the
Deployment as it would be without Detour, where the diverted template would be live. So their request is made again
on that one, leaf by leaf: what differs from the primary is taken over, what the writer claims counts as it stands in
the request, and every other leaf stays as diverted.

*The twin law*: the fold always equals the template of a twin Deployment, in a cluster without Detour, that received
the same commands.
"""

from enum import Enum
from typing import Any, Final, TypeAlias

from webhook.claims import Claim
from webhook.defaults import FREE_MAPS, default
from webhook.mergekeys import CONTAINERS, MERGE_KEYS, Key, keyed, rivals
from webhook.revision import Object, Template


class _Absence(Enum):
    """Not the same as null, which is a value."""

    ABSENT = 0


ABSENT: Final = _Absence.ABSENT

Sides: TypeAlias = tuple[Any, Any, Any]
"""The same part of the primary, of the stash and of the request."""

Elements: TypeAlias = dict[Key, Object]
"""A list by merge key."""


def fold(primary: Template, stash: Template, request: Template, claim: Claim | None) -> Template:
    """The template that the writer of `request` means, given that it was computed on `primary` and not on `stash`.

    `claim` is what the writer claims of the template (`webhook.claims.claimed`). Pure; shares parts with its arguments.
    """
    folded = _fold((primary, stash, request), claim, "")
    return folded if isinstance(folded, dict) else {}


def _fold(sides: Sides, claim: Claim | None, name: str) -> Any:
    """One part of the template; `name` is the field that it stands in, for an element the field of its list."""
    primary, stash, request = sides
    if stash == primary or (claim is not None and claim.whole):
        return request
    if claim is None:
        if request == primary:
            return stash
        if request is ABSENT and isinstance(primary, dict) and name not in FREE_MAPS:
            return ABSENT
    elif claim.stated:
        if request is ABSENT:
            return ABSENT
        if stash is ABSENT:
            return _stated_anew(primary, request, claim, name)
        if primary is ABSENT:
            sides = (request, stash, request)  # what the writer did not state here is a default: it means nothing
    elif stash is ABSENT:
        return _fold(sides, None, name)
    return _fold_parts(sides, claim, name)


def _fold_parts(sides: Sides, claim: Claim | None, name: str) -> Any:
    if all(side is ABSENT or isinstance(side, dict) for side in sides):
        primary, stash, request = ({} if side is ABSENT else side for side in sides)
        folded = _fold_map(primary, stash, request, claim, name)
        stated = claim is not None and claim.stated and name not in FREE_MAPS
        return folded if folded or stated or {} in sides[1:] else ABSENT  # `emptyDir: {}` is a value
    primary, stash, request = ({} if side is ABSENT else keyed(name, side) for side in sides)
    if primary is None or stash is None or request is None:
        return sides[2]  # one value: it differs from the primary's, or it is claimed
    return _fold_list(primary, stash, request, claim, name)


def _fold_map(primary: Object, stash: Object, request: Object, claim: Claim | None, name: str) -> Object:
    folded: Object = {}
    for key in stash | request:
        sides = primary.get(key, ABSENT), stash.get(key, ABSENT), request.get(key, ABSENT)
        part = _fold(sides, _beneath(claim, key), key)
        if part is not ABSENT:
            folded[key] = part
    for group in rivals(name, folded):
        present = group & folded.keys()
        if len(present) > 1 and present & request.keys():
            folded = {key: part for key, part in folded.items() if key not in present or key in request}
    return folded


def _fold_list(primary: Elements, stash: Elements, request: Elements, claim: Claim | None, name: str) -> Any:
    folded: Elements = {}
    for key in stash | request:
        sides = primary.get(key, ABSENT), stash.get(key, ABSENT), request.get(key, ABSENT)
        beneath = _beneath(claim, key)
        if name in CONTAINERS and key in primary and key not in stash and not (beneath and beneath.stated):
            continue  # what waits has it no longer; kubectl would not have found it, nor does a part of it make one
        element = _fold(sides, beneath, name)
        if element is ABSENT:
            continue
        if key in request:  # an element lives by its merge key
            element = {field: request[key][field] for field in MERGE_KEYS[name] if field in request[key]} | element
        if keyed(name, [element]):
            folded[key] = element
    return [folded[key] for key in _order(folded, stash, request, claim)] or ABSENT


def _order(folded: Elements, stash: Elements, request: Elements, claim: Claim | None) -> list[Key]:
    """The order that the API server would have given the list.

    What the writer states stands in its order, and what others put there stays before what it stood before
    (`mergeSortedSlice` in k8s.io/apimachinery/pkg/util/strategicpatch). What is new and nobody states comes last.
    """
    claims = claim.children if claim else {}
    stated = [key for key in request if key in folded and key in claims]
    kept = [key for key in stash if key in folded and key not in stated]
    new = [key for key in request if key in folded and key not in claims and key not in stash]
    place = {key: index for index, key in enumerate(stash)}
    merged: list[Key] = []
    while stated and kept:
        stays = stated[0] in place and place[kept[0]] < place[stated[0]]
        merged.append((kept if stays else stated).pop(0))
    return merged + stated + kept + new


def _stated_anew(primary: Any, request: Any, claim: Claim | None, name: str) -> Any:
    """A part that the diverted template lacks and that the writer states.

    The request's part with its defaults, but without what only stands there because the primary had it.
    """
    if claim is None:
        return request
    if isinstance(request, dict) and isinstance(primary, dict):
        parts = {
            key: _stated_anew(primary.get(key, ABSENT), part, claim.children.get(key), key)
            if key in claim.children or key not in primary
            else default(name, request, key)
            for key, part in request.items()
        }
        return {key: part for key, part in parts.items() if part is not None}
    theirs, ours = keyed(name, primary), keyed(name, request)
    if theirs is None or ours is None:
        return request
    return [
        _stated_anew(theirs.get(key, ABSENT), element, claim.children.get(key), name)
        for key, element in ours.items()
        if key in claim.children or key not in theirs
    ]


def _beneath(claim: Claim | None, key: Key) -> Claim | None:
    return claim.children.get(key) if claim is not None else None

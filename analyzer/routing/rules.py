"""A canary in the rules of a user's HTTPRoute, and out of them again: two pure functions, one undoes the other.

The route is the user's. He, or a tool of his, may write it at any moment, so no copy of it is kept that could be out of
date: what is ours in it is known by the canary's Services, which nobody else refers to, and how it was before follows
from how it is. Weights are proportions. Those of a rule with a canary in it are a hundred times what they were, so that
a percent of each is a whole number; where somebody has changed them since, the proportions are kept.
(Gateway API v1, HTTPRouteRule: `backendRefs`, `filters`.)
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analyzer.routing.cookies import NO_COOKIES, Cookies, baked, unbaked, with_list

Object = Mapping[str, Any]
Rule = dict[str, Any]

WHOLE = 100
HEAVIEST = 1_000_000  # Gateway API v1, BackendRef.weight
MIRROR = "RequestMirror"


@dataclass(frozen=True, slots=True)
class Canaries:
    """The canary's Services by the names of the primary's, all of them in the namespace of the route."""

    namespace: str
    names: Mapping[str, str]

    def of(self, ref: Object) -> str | None:
        """The canary's Service for a reference to one of the primary's."""
        return self.names.get(ref["name"]) if self._is_service(ref) else None

    def primary_of(self, ref: Object) -> str | None:
        """The primary's Service for a reference to one of the canary's."""
        if not self._is_service(ref):
            return None
        return next((primary for primary, canary in self.names.items() if canary == ref["name"]), None)

    def _is_service(self, ref: Object) -> bool:
        kind = ref.get("group") or "", ref.get("kind") or "Service"
        return kind == ("", "Service") and (ref.get("namespace") or self.namespace) == self.namespace


def shared(
    rules: Iterable[Object], canaries: Canaries, weight: int, mirror: int = 0, cookies: Cookies = NO_COOKIES
) -> list[Rule]:
    """The rules with `weight` percent of the primary's share for the canary, and copies of `mirror` percent of it."""
    return [_shared(rule, canaries, weight, mirror, cookies) for rule in rules]


def alone(rules: Iterable[Object], canaries: Canaries) -> list[Rule]:
    """The rules without the canary: what they were, or what somebody has made of them since."""
    return [_alone(rule, canaries) for rule in rules]


def refers(rule: Object, canaries: Canaries) -> bool:
    """Whether a rule sends requests to the primary."""
    return any(canaries.of(ref) for ref in rule.get("backendRefs") or ())


def weights(rules: Iterable[Object], canaries: Canaries) -> set[int | None]:
    """The percentages of the primary's share that go to the canary, in each rule; None where it is no whole number.

    A rule that sends the primary nothing says nothing.
    """
    found: set[int | None] = set()
    for rule in rules:
        refs = rule.get("backendRefs") or ()
        ours = sum(_weight(ref) for ref in refs if canaries.primary_of(ref))
        both = ours + sum(_weight(ref) for ref in refs if canaries.of(ref))
        if both:
            percent, rest = divmod(ours * WHOLE, both)
            found.add(None if rest else percent)
    return found


def _shared(rule: Object, canaries: Canaries, weight: int, mirror: int, cookies: Cookies) -> Rule:
    if not refers(rule, canaries):
        return dict(rule)
    refs: list[Rule] = []
    for ref in rule["backendRefs"]:
        whole, canary = _weight(ref), canaries.of(ref)
        if canary is None:
            refs.append({**ref, "weight": whole * WHOLE})
        else:
            refs.append({**baked(ref, cookies.primary, cookies.terms), "weight": whole * (WHOLE - weight)})
            refs.append({**baked(ref, cookies.canary, cookies.terms), "name": canary, "weight": whole * weight})
    result = {**rule, "backendRefs": refs}
    if mirror:
        result["filters"] = [*(rule.get("filters") or ()), *_mirrors(rule["backendRefs"], canaries, mirror)]
    return result


def _mirrors(refs: Iterable[Object], canaries: Canaries, percent: int) -> Iterator[Rule]:
    """One for each of the canary's Services; `percent` only where it is not all, since fewer routers know it."""
    there: set[tuple[str, object]] = set()
    for ref in refs:
        canary = canaries.of(ref)
        if canary and (canary, ref.get("port")) not in there:
            there.add((canary, ref.get("port")))
            backend = {key: ref[key] for key in ("group", "kind", "namespace", "port") if key in ref} | {"name": canary}
            share = {} if percent == WHOLE else {"percent": percent}
            yield {"type": MIRROR, "requestMirror": {"backendRef": backend, **share}}


def _alone(rule: Object, canaries: Canaries) -> Rule:
    result = dict(rule)
    if filters := rule.get("filters"):
        kept = [each for each in filters if not _is_our_mirror(each, canaries)]
        result = with_list(result, "filters", kept)
    refs = rule.get("backendRefs") or ()
    ours = any(canaries.primary_of(ref) for ref in refs)
    if ours or refers(rule, canaries):
        merged = _merged([unbaked(ref) if _concerns(ref, canaries) else dict(ref) for ref in refs], canaries)
        result["backendRefs"] = _divided(merged) if ours else merged
    return result


def _merged(refs: Sequence[Rule], canaries: Canaries) -> list[Rule]:
    """Each of the canary's goes back into the primary's beside it; without one it becomes that, or nobody answered."""
    places = {place: (ref["name"], ref.get("port")) for place, ref in enumerate(refs) if canaries.of(ref)}
    merged = [dict(ref) for ref in refs]
    gone = set()
    for place, ref in enumerate(refs):
        primary = canaries.primary_of(ref)
        if primary is None:
            continue
        beside = [each for each, what in places.items() if what == (primary, ref.get("port"))]
        if beside:
            nearest = max((each for each in beside if each < place), default=beside[0])
            merged[nearest]["weight"] = _weight(merged[nearest]) + _weight(ref)
            gone.add(place)
        else:
            merged[place]["name"] = primary
    return [ref for place, ref in enumerate(merged) if place not in gone]


def _divided(refs: list[Rule]) -> list[Rule]:
    if any(_weight(ref) % WHOLE for ref in refs):
        return refs  # somebody has changed them: their proportions say what he wants
    return [{**ref, "weight": _weight(ref) // WHOLE} for ref in refs]


def _is_our_mirror(each: Object, canaries: Canaries) -> bool:
    return each["type"] == MIRROR and canaries.primary_of(each["requestMirror"]["backendRef"]) is not None


def _concerns(ref: Object, canaries: Canaries) -> bool:
    return bool(canaries.of(ref) or canaries.primary_of(ref))


def _weight(ref: Object) -> int:
    """1 where none is stated (Gateway API v1, BackendRef.weight)."""
    return int(ref.get("weight", 1))

"""How a Canary wants its traffic shifted (Canary.spec.analysis), read once and checked into a Strategy.

Flagger's rules for which strategy it is; but what it silently leaves out where fields do not fit together is refused.
"""

from collections.abc import Mapping
from typing import Any

from analyzer.fields import SpecError, whole
from analyzer.joining import MOST
from analyzer.strategy import ALL, Strategy
from analyzer.traffic import Affinity, Header, How, Match

UNROUTED = "kubernetes"  # the provider without any routes
ITERATIONS = 10  # of provider kubernetes, where a Canary states weights (Flagger's default)
FOREIGN = {
    "sourceLabels": ("only a service mesh knows which pod a request is from", "match headers"),
    "queryParams": ("this version of Detour matches headers alone", "match one of them"),
}

_AT = "spec.analysis"


def parse_strategy(analysis: Mapping[str, Any], provider: str = "") -> Strategy:
    """The strategy of an analysis. Raises SpecError.

    With provider `kubernetes` it is Blue/Green, whatever weights are stated, as with Flagger; unless `replicaRatio`,
    which Flagger does not have, has the canary's pods join the Services.
    """
    iterations = whole(analysis, "iterations", 0, f"{_AT}.iterations")
    by_replicas = bool(analysis.get("replicaRatio"))
    if provider == UNROUTED:
        return _by_replicas(analysis) if by_replicas else Strategy(iterations=iterations or ITERATIONS)
    if by_replicas:
        problem = "traffic is split by routes here, whatever the number of pods"
        raise SpecError(f"{_AT}.replicaRatio", problem, f"take it out, or set spec.provider to {UNROUTED}")
    matches = tuple(_match(stated, number) for number, stated in enumerate(analysis.get("match") or ()))
    strategy = Strategy(
        steps=() if iterations else _steps(analysis),
        iterations=iterations,
        matches=matches,
        mirror=_mirror(analysis),
        promotion_step=_percentage(analysis, "stepWeightPromotion"),
        affinity=_affinity(analysis.get("sessionAffinity")),
    )
    _refuse_what_does_not_fit(strategy)
    return strategy


def _by_replicas(analysis: Mapping[str, Any]) -> Strategy:
    """Weights by the number of pods. The primary's stay, so that the canary never has all of the requests."""
    steps = _steps({"maxWeight": MOST, **analysis})
    if steps[-1] > MOST:
        field = "stepWeights" if analysis.get("stepWeights") else "maxWeight"
        raise SpecError(f"{_AT}.{field}", f"{steps[-1]} percent would take too many pods", f"set {MOST} at most")
    return Strategy(steps, promotion_step=_percentage(analysis, "stepWeightPromotion"), by_replicas=True)


def _refuse_what_does_not_fit(strategy: Strategy) -> None:
    if strategy.mirror and strategy.matches:
        raise SpecError(f"{_AT}.mirror", "requests that match go to the canary themselves", "take it out, or match")
    if strategy.affinity and strategy.iterations:
        problem = "it keeps clients on the side that weights gave them, and iterations have no weights"
        raise SpecError(f"{_AT}.sessionAffinity", problem, "take it out, or set stepWeight instead of iterations")


def _steps(analysis: Mapping[str, Any]) -> tuple[int, ...]:
    """`stepWeights`, or those of `stepWeight`, never above `maxWeight` (Flagger's last one may be)."""
    if stated := analysis.get("stepWeights"):
        field, remedy = f"{_AT}.stepWeights", "list percentages from 1 to 100, each above the one before"
        if not all(isinstance(step, int) and 1 <= step <= ALL for step in stated):
            raise SpecError(field, f"{stated} are no percentages", remedy)
        if sorted(set(stated)) != stated:
            raise SpecError(field, f"{stated} do not rise", remedy)
        return tuple(stated)
    step = whole(analysis, "stepWeight", 0, f"{_AT}.stepWeight")
    if not 1 <= step <= ALL:
        raise SpecError(f"{_AT}.stepWeight", f"{step} is no step", "set a percentage from 1 to 100")
    last = _percentage(analysis, "maxWeight") or ALL  # Flagger's 0
    return (*range(step, last, step), last)


def _percentage(values: Mapping[str, Any], key: str) -> int:
    found = whole(values, key, 0, f"{_AT}.{key}")
    if found > ALL:
        raise SpecError(f"{_AT}.{key}", f"{found} is no percentage", "set 1 to 100")
    return found


def _mirror(analysis: Mapping[str, Any]) -> int:
    """`mirrorWeight`, all requests by default, where `mirror` asks for it at all."""
    return (_percentage(analysis, "mirrorWeight") or ALL) if analysis.get("mirror") else 0


def _match(stated: Mapping[str, Any], number: int) -> Match:
    """An Istio HTTPMatchRequest, of which Detour knows the headers."""
    at = f"{_AT}.match[{number}]"
    for key, (problem, remedy) in FOREIGN.items():
        if stated.get(key):
            raise SpecError(f"{at}.{key}", problem, remedy)
    headers = stated.get("headers") or {}
    if not headers:
        raise SpecError(at, "it names no header, so that every request would match", "name one in headers")
    return Match(tuple(_header(name, value or {}, f"{at}.headers[{name}]") for name, value in sorted(headers.items())))


def _header(name: str, stated: Mapping[str, Any], field: str) -> Header:
    known = [(how, stated[how.value]) for how in How if how.value in stated]
    if len(known) != 1 or len(stated) != 1 or not isinstance(known[0][1], str) or not known[0][1]:
        raise SpecError(field, "it does not say in one way how the value has to be", f"set one of {', '.join(How)}")
    how, value = known[0]
    return Header(name, how, value)


def _affinity(stated: Mapping[str, Any] | None) -> Affinity | None:
    if not stated:
        return None
    at = f"{_AT}.sessionAffinity"
    if not (cookie := stated.get("cookieName")):
        raise SpecError(f"{at}.cookieName", "it is empty", "name the cookie")
    if stated.get("primaryCookieName") == cookie:
        raise SpecError(f"{at}.primaryCookieName", f"{cookie!r} is the canary's cookie", "give it another name")
    return Affinity(
        cookie=str(cookie),
        primary_cookie=str(stated.get("primaryCookieName") or ""),
        max_age=whole(stated, "maxAge", 86400, f"{at}.maxAge") or 86400,
        domain=str(stated.get("domain") or ""),
        path=str(stated.get("path") or ""),
        http_only=bool(stated.get("httpOnly")),
        secure=bool(stated.get("secure")),
        same_site=str(stated.get("sameSite") or ""),
        partitioned=bool(stated.get("partitioned")),
    )

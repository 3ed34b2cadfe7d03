"""The rules by which requests with certain headers go to one side, whatever the weights: for a route of our own.

They are the user's rules that lead to the primary, each of whose matches has the headers besides: by the precedence of
Gateway API v1 (HTTPRouteRule.matches) of equal paths that with more headers is taken, across all routes of a host.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from analyzer.routing.rules import Canaries, Rule, refers
from analyzer.traffic import Header, How, Match

Object = Mapping[str, Any]
Redirect = Callable[[Object], Rule]

ANY: Object = {"path": {"type": "PathPrefix", "value": "/"}}  # what the API server puts where no match is stated
MOST_MATCHES, MOST_RULES, MOST_IN_ALL, MOST_HEADERS = 64, 16, 128, 16  # of a rule; of a route; of a match
NOT_COPIED = ("name", "matches", "backendRefs")


def picked(rules: Iterable[Object], canaries: Canaries, matches: Sequence[Match], redirect: Redirect) -> list[Rule]:
    """For each rule that leads to the primary one that takes what matches, with its references as `redirect` says."""
    return [
        {key: value for key, value in rule.items() if key not in NOT_COPIED}
        | {"matches": [_both(one, other) for one in _matches(rule) for other in matches]}
        | {"backendRefs": [redirect(ref) for ref in rule["backendRefs"]]}
        for rule in rules
        if refers(rule, canaries)
    ]


def clash(rules: Iterable[Object], canaries: Canaries, matches: Sequence[Match]) -> str:
    """A header that both a rule and one of `matches` look at: a match has each once. "" if there is none."""
    wanted = {header.name.lower() for match in matches for header in match.headers}
    for rule in rules:
        for match in _matches(rule) if refers(rule, canaries) else ():
            for header in match.get("headers") or ():
                if header["name"].lower() in wanted:
                    return str(header["name"])
    return ""


def too_many(rules: Sequence[Object]) -> bool:
    """Whether the API server would refuse a route with so much in it."""
    counts = [len(rule["matches"]) for rule in rules]
    headers = [len(match.get("headers") or ()) for rule in rules for match in rule["matches"]]
    return (
        len(rules) > MOST_RULES
        or max(counts, default=0) > MOST_MATCHES
        or sum(counts) > MOST_IN_ALL
        or max(headers, default=0) > MOST_HEADERS
    )


def pattern(header: Header) -> str:
    """A regular expression for the whole value of a header, anchored, since some routers look for it anywhere."""
    text = header.value if header.how is How.REGEX else re.escape(header.value)
    before, after = (".*" if header.how is how else "" for how in (How.SUFFIX, How.PREFIX))
    return f"^(?:{before}{text}{after})$"


def _both(users: Object, ours: Match) -> Rule:
    return {**users, "headers": [*(users.get("headers") or ()), *map(_header, ours.headers)]}


def _header(header: Header) -> dict[str, str]:
    if header.how is How.EXACT:
        return {"name": header.name, "type": "Exact", "value": header.value}
    return {"name": header.name, "type": "RegularExpression", "value": pattern(header)}


def _matches(rule: Object) -> Sequence[Object]:
    return rule.get("matches") or (ANY,)

"""The rules of the canary's own route: what has certain headers goes to one side."""

import re
from typing import Any

import pytest
from hypothesis import given

from analyzer.routing.cookies import carrying
from analyzer.routing.matching import clash, pattern, picked, too_many
from analyzer.routing.rules import Canaries
from analyzer.traffic import Header, How, Match
from tests.analyzer.routes import backend, rule, rules

Object = dict[str, Any]

OURS = Canaries("shop", {"web": "web-canary"})
INSIDER = Match((Header("x-user", How.EXACT, "insider"),))
BETA = Match((Header("x-beta", How.REGEX, "yes|1"), Header("x-user", How.PREFIX, "qa.")))


def to_canary(ref: Any) -> Object:
    return {**ref, "name": OURS.of(ref) or ref["name"]}


def of(*users: Object, matches: tuple[Match, ...] = (INSIDER,)) -> list[Object]:
    return picked(users, OURS, matches, to_canary)


def test_each_match_of_the_user_has_the_headers_besides() -> None:
    (one,) = of(rule(path="/shop"), rule(backend("db"), path="/db"))
    path = {"path": {"type": "PathPrefix", "value": "/shop"}}
    assert one["matches"] == [path | {"headers": [{"name": "x-user", "type": "Exact", "value": "insider"}]}]
    assert one["backendRefs"] == [backend("web-canary")]


def test_any_of_several_is_enough_and_all_headers_of_one_are_needed() -> None:
    (one,) = of(rule(), matches=(INSIDER, BETA))
    assert [len(match["headers"]) for match in one["matches"]] == [1, 2]
    assert one["matches"][1]["headers"] == [
        {"name": "x-beta", "type": "RegularExpression", "value": "^(?:yes|1)$"},
        {"name": "x-user", "type": "RegularExpression", "value": r"^(?:qa\..*)$"},
    ]


def test_a_rule_without_a_match_takes_everything() -> None:
    everything = rule()
    del everything["matches"]
    assert of(everything)[0]["matches"][0]["path"] == {"type": "PathPrefix", "value": "/"}


def test_what_a_rule_does_besides_it_does_for_the_canary_too() -> None:
    (one,) = of(rule(timeouts={"request": "5s"}, filters=[{"type": "ExtensionRef"}], name="front"))
    assert (one["timeouts"], one["filters"]) == ({"request": "5s"}, [{"type": "ExtensionRef"}])
    assert "name" not in one, "a name is a rule's own"


@given(rules())
def test_only_requests_that_went_to_the_primary_are_taken(users: list[Object]) -> None:
    leading = [one for one in users if any(OURS.of(ref) for ref in one.get("backendRefs", ()))]
    assert len(of(*users)) == len(leading)
    assert all(not OURS.of(ref) for one in of(*users) for ref in one["backendRefs"])


def test_a_header_that_a_rule_looks_at_already_cannot_be_looked_at_twice() -> None:
    tenant = rule()
    tenant["matches"][0]["headers"] = [{"name": "X-User", "value": "a"}]
    assert clash([tenant], OURS, (INSIDER,)) == "X-User"
    assert clash([tenant, rule(backend("db"))], OURS, (Match((Header("x", How.EXACT, "y"),)),)) == ""


def test_more_than_the_api_server_takes_is_known_before() -> None:
    many = rule()
    many["matches"] = [{"path": {"type": "Exact", "value": f"/{number}"}} for number in range(40)]
    assert not too_many(of(many))
    assert too_many(of(many, matches=(INSIDER, BETA)))
    assert too_many(of(*[rule()] * 17))


@pytest.mark.parametrize(
    ("how", "value", "yes", "no"),
    [
        (How.PREFIX, "a.b", "a.bc", "xa.b"),
        (How.SUFFIX, "a.b", "xa.b", "a.bx"),
        (How.REGEX, "a|b", "b", "ab"),
        (How.EXACT, "a+b", "a+b", "aab"),
    ],
)
def test_a_pattern_is_for_the_whole_value(how: How, value: str, yes: str, no: str) -> None:
    expression = pattern(Header("x", how, value))
    assert re.search(expression, yes)
    assert not re.search(expression, no)


def test_a_cookie_is_found_among_others_and_no_other_cookie_is_taken_for_it() -> None:
    expression = pattern(carrying("side=detour-5f3a"))
    for found in ("side=detour-5f3a", "a=b; side=detour-5f3a", "side=detour-5f3a; a=b", "a=b;side=detour-5f3a;c=d"):
        assert re.search(expression, found), found
    for other in ("inside=detour-5f3a", "side=detour-5f3ab", "side=detour-77", "a=side=detour-5f3a"):
        assert not re.search(expression, other), other

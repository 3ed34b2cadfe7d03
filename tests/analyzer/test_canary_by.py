"""Requests chosen by a header or a cookie, in the words of canary annotations."""

import re
from typing import Any

import pytest

from analyzer.discovery import Surroundings
from analyzer.routing import Router, canary_by
from analyzer.routing.nginx import PREFIX, Nginx
from analyzer.strategy import Strategy
from analyzer.traffic import Affinity, Header, How, Match, Traffic
from tests.analyzer.objects import deployment, ingress, service

Object = dict[str, Any]

ROUTER: Router = Nginx()
AROUND = Surroundings(services=(service(),), ingresses=(ingress("web", ("a.example", "/", "web")),))


def header(value: str, how: How = How.EXACT, name: str = "x-user") -> Match:
    return Match((Header(name, how, value),))


def cookie(value: str, how: How = How.EXACT) -> Match:
    return header(value, how, "Cookie")


def chosen(*matches: Match, weight: int = 0) -> Object:
    (only,) = ROUTER.objects(deployment(), AROUND, Traffic(weight, matches))
    annotations = only["metadata"]["annotations"]
    return {key.removeprefix(f"{PREFIX}/"): value for key, value in annotations.items() if key.startswith(PREFIX)}


def test_a_header_by_its_value() -> None:
    assert chosen(header("insider")) == {
        "canary": "true",
        "canary-weight": "0",
        "canary-by-header": "x-user",
        "canary-by-header-value": "insider",
    }


def test_a_cookie_by_its_name() -> None:
    assert chosen(cookie("canary"))["canary-by-cookie"] == "canary"
    assert chosen(cookie("canary=always"))["canary-by-cookie"] == "canary"


def test_a_header_or_a_cookie_beside_a_weight() -> None:
    found = chosen(header("insider"), cookie("canary"), weight=20)
    assert (found["canary-weight"], found["canary-by-header"], found["canary-by-cookie"]) == ("20", "x-user", "canary")


def test_several_values_of_one_header_are_one_pattern() -> None:
    found = chosen(header("a.b"), header("qa-", How.PREFIX), header("[0-9]+", How.REGEX))
    assert "canary-by-header-value" not in found
    pattern = found["canary-by-header-pattern"]
    assert all(re.search(pattern, value) for value in ("a.b", "qa-7", "42"))
    assert not any(re.search(pattern, value) for value in ("aXb", "not-qa-7", "x42"))


def test_a_pattern_for_cookies_looks_at_their_header() -> None:
    found = chosen(cookie("^(.*?;)?(canary=always)(;.*)?$", How.REGEX))
    assert found["canary-by-header"] == "Cookie"
    assert re.search(found["canary-by-header-pattern"], "a=b;canary=always;c=d")


@pytest.mark.parametrize(
    ("matches", "problem"),
    [
        (
            (Match((Header("a", How.EXACT, "b"), Header("c", How.EXACT, "d"))),),
            "cannot require several headers at once",
        ),
        ((header("a"), header("b", name="x-other")), "know one header, not x-other and x-user"),
        ((cookie("a"), cookie("b")), "know one cookie, not a and b"),
        ((cookie("a=b"),), "go by a cookie whose value is always"),
        ((header("a"), header("b", name="X-User"), cookie("a")), ""),
    ],
)
def test_what_annotations_cannot_say_is_refused(matches: tuple[Match, ...], problem: str) -> None:
    assert canary_by.problem(matches).startswith(problem)
    said = ROUTER.unable(Strategy(iterations=5, matches=matches), AROUND, deployment())
    assert bool(said) == bool(problem)


@pytest.mark.parametrize(
    ("strategy", "field"),
    [(Strategy((50,), mirror=100), "mirror"), (Strategy((50,), affinity=Affinity("side")), "sessionAffinity")],
)
def test_copies_and_cookies_are_beyond_annotations(strategy: Strategy, field: str) -> None:
    said = ROUTER.unable(strategy, AROUND, deployment())
    assert said
    assert f"spec.analysis.{field}" in said
    assert ROUTER.unable(strategy, Surroundings(services=(service(),)), deployment()) is None


@pytest.mark.parametrize(
    ("matches", "weight", "read"),
    [((header("a"),), 0, 100), ((cookie("a"),), 0, 100), ((header("a"),), 20, 20), ((), 0, 0)],
)
def test_what_goes_by_a_header_alone_counts_as_everything(matches: tuple[Match, ...], weight: int, read: int) -> None:
    objects = ROUTER.objects(deployment(), AROUND, Traffic(weight, matches))
    assert ROUTER.weight_of(objects, "web") == read

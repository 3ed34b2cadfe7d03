"""The strategy that a Canary states: read as Flagger reads it, and refused by field where it does not fit together."""

from typing import Any

import pytest

from analyzer.analysis import parse_strategy
from analyzer.fields import SpecError
from analyzer.strategy import Strategy
from analyzer.traffic import Affinity, Header, How, Match

MATCH = [{"headers": {"x-user": {"exact": "insider"}, "cookie": {"regex": "^(.*?;)?(canary=always)(;.*)?$"}}}]


def test_a_step_weight_is_a_row_of_weights_that_ends_at_the_greatest() -> None:
    assert parse_strategy({"stepWeight": 20, "maxWeight": 50}).steps == (20, 40, 50)


def test_iterations_with_a_match_are_an_ab_test() -> None:
    strategy = parse_strategy({"iterations": 10, "match": MATCH})
    headers = (Header("cookie", How.REGEX, "^(.*?;)?(canary=always)(;.*)?$"), Header("x-user", How.EXACT, "insider"))
    assert strategy == Strategy(iterations=10, matches=(Match(headers),))
    assert strategy.is_ab_test


def test_iterations_alone_are_blue_green() -> None:
    assert parse_strategy({"iterations": 5}).is_blue_green


def test_without_routes_it_is_blue_green_whatever_weights_are_stated() -> None:
    assert parse_strategy({"stepWeight": 10, "match": MATCH}, "kubernetes") == Strategy(iterations=10)
    assert parse_strategy({"iterations": 3}, "kubernetes") == Strategy(iterations=3)


def test_without_routes_weights_may_be_those_of_the_pods() -> None:
    strategy = parse_strategy({"stepWeight": 40, "replicaRatio": True}, "kubernetes")
    assert (strategy.steps, strategy.by_replicas, strategy.needs_routes) == ((40, 80, 90), True, False)


@pytest.mark.parametrize(("stated", "percent"), [({}, 100), ({"mirrorWeight": 30}, 30), ({"mirrorWeight": 0}, 100)])
def test_a_mirror_copies_everything_by_default(stated: dict[str, Any], percent: int) -> None:
    assert parse_strategy({"stepWeight": 10, "mirror": True, **stated}).mirror == percent
    assert parse_strategy({"stepWeight": 10, **stated}).mirror == 0


def test_affinity_lasts_for_a_day_by_default() -> None:
    strategy = parse_strategy({"stepWeight": 10, "sessionAffinity": {"cookieName": "side", "httpOnly": True}})
    assert strategy.affinity == Affinity("side", max_age=86400, http_only=True)


@pytest.mark.parametrize(
    ("analysis", "field"),
    [
        ({}, "stepWeight"),
        ({"stepWeight": 10, "stepWeightPromotion": 101}, "stepWeightPromotion"),
        ({"stepWeight": 10, "maxWeight": 120}, "maxWeight"),
        ({"stepWeights": [10, 5]}, "stepWeights"),
        ({"iterations": -1}, "iterations"),
        ({"iterations": 1, "match": [{}]}, "match[0]"),
        ({"iterations": 1, "match": [{"headers": {"a": {}}}]}, "match[0].headers[a]"),
        ({"iterations": 1, "match": [{"headers": {"a": {"exact": "b", "regex": "c"}}}]}, "match[0].headers[a]"),
        ({"iterations": 1, "match": [{"sourceLabels": {"app": "a"}}]}, "match[0].sourceLabels"),
        ({"iterations": 1, "match": [{"queryParams": {"a": {"exact": "b"}}}]}, "match[0].queryParams"),
        ({"iterations": 1, "match": MATCH, "mirror": True}, "mirror"),
        ({"iterations": 1, "sessionAffinity": {"cookieName": "side"}}, "sessionAffinity"),
        ({"stepWeight": 10, "replicaRatio": True}, "replicaRatio"),
        ({"stepWeight": 1, "sessionAffinity": {"maxAge": 5}}, "sessionAffinity.cookieName"),
        (
            {"stepWeight": 1, "sessionAffinity": {"cookieName": "a", "primaryCookieName": "a"}},
            "sessionAffinity.primaryCookieName",
        ),
    ],
)
def test_what_cannot_be_carried_out_is_refused_by_its_field(analysis: dict[str, Any], field: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_strategy(analysis)
    assert refused.value.field == f"spec.analysis.{field}"

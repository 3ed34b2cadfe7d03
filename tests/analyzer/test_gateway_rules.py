"""A canary in the rules of a user's route, and out of them again."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from analyzer.routing.cookies import NO_COOKIES, Cookies, cookies_of
from analyzer.routing.rules import HEAVIEST, Canaries, alone, shared, weights
from analyzer.traffic import Affinity
from tests.analyzer.routes import backend, rule, rules

Object = dict[str, Any]

OURS = Canaries("shop", {"web": "web-canary", "web-admin": "web-admin-canary"})
OTHERS = Canaries("shop", {"db": "db-canary"})
PERCENT = st.integers(0, 100)
COOKIES = st.sampled_from((NO_COOKIES, cookies_of(Affinity("side", "stay", http_only=True, same_site="Lax"), 20, "r1")))


def names(one: Object) -> list[tuple[str, int]]:
    return [(ref["name"], ref["weight"]) for ref in one["backendRefs"]]


@given(rules(), PERCENT, PERCENT, COOKIES)
def test_a_route_is_afterwards_what_it_was(users: list[Object], weight: int, mirror: int, cookies: Cookies) -> None:
    assert alone(shared(users, OURS, weight, mirror, cookies), OURS) == users


@given(rules(), PERCENT, PERCENT, PERCENT)
def test_from_any_share_to_another_is_as_from_none(users: list[Object], before: int, mirror: int, after: int) -> None:
    known = shared(users, OURS, before, mirror)
    assert shared(alone(known, OURS), OURS, after) == shared(users, OURS, after)


@given(rules())
def test_without_a_canary_nothing_is_changed(users: list[Object]) -> None:
    assert alone(users, OURS) == users


@given(rules(), PERCENT, PERCENT, st.booleans())
def test_two_canaries_in_one_route_go_in_any_order(users: list[Object], one: int, two: int, first: bool) -> None:
    both = shared(shared(users, OURS, one), OTHERS, two)
    order = (OURS, OTHERS) if first else (OTHERS, OURS)
    assert alone(alone(both, order[0]), order[1]) == users
    assert weights(both, OURS) in ({one}, {one, 0}, {0}, set())


@given(rules(), PERCENT)
def test_every_rule_says_the_weight_or_that_it_has_no_requests(users: list[Object], weight: int) -> None:
    assert weights(shared(users, OURS, weight), OURS) <= {weight, 0}


@given(rules(), PERCENT, st.data())
def test_what_somebody_writes_in_between_stays(users: list[Object], weight: int, data: st.DataObject) -> None:
    """Whatever he does to the references: nothing of the canary is left, and no rule that had backends is without."""
    known = shared(users, OURS, weight)
    for one in known:
        if refs := one.get("backendRefs"):
            kept = data.draw(st.lists(st.sampled_from(range(len(refs))), unique=True, min_size=1))
            one["backendRefs"] = [refs[place] | {"weight": data.draw(st.integers(0, 9000))} for place in kept]
            one["timeouts"] = {"request": "9s"}
    after = alone(known, OURS)
    assert not any(canary in json.dumps(after) for canary in OURS.names.values())
    assert all(
        bool(one.get("backendRefs")) == bool(before.get("backendRefs"))
        for one, before in zip(after, known, strict=True)
    )
    assert all(one["timeouts"] == {"request": "9s"} for one in after if one.get("backendRefs"))


def test_the_canary_gets_its_percentage_of_the_primarys_share_and_nothing_of_anybody_elses() -> None:
    (one,) = shared([rule(backend(weight=3), backend("db", 1))], OURS, 20)
    assert names(one) == [("web", 240), ("web-canary", 60), ("db", 100)]


def test_a_rule_that_does_not_lead_to_the_primary_is_left_alone() -> None:
    other = rule(backend("db", 7))
    assert shared([other], OURS, 20, 100) == [other]


def test_the_canary_is_reached_as_the_primary_is() -> None:
    signed = [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x", "value": "y"}]}}]
    (one,) = shared([rule(backend(port=8080, filters=signed))], OURS, 20)
    assert one["backendRefs"][1] == backend("web-canary", 20, 8080, filters=signed)


def test_a_service_of_another_namespace_is_not_the_primarys() -> None:
    other = rule(backend(namespace="elsewhere"))
    assert shared([other], OURS, 20) == [other]
    (one,) = shared([rule(backend(namespace="shop"))], OURS, 20)
    assert one["backendRefs"][1]["namespace"] == "shop"


def test_changed_weights_keep_their_proportions() -> None:
    (one,) = shared([rule(backend(weight=1), backend("db", 1))], OURS, 20)
    one["backendRefs"][2]["weight"] = 50  # by hand: a third of the requests
    assert names(alone([one], OURS)[0]) == [("web", 100), ("db", 50)]


def test_where_somebody_took_the_primary_out_the_canarys_place_becomes_the_primarys() -> None:
    (one,) = shared([rule()], OURS, 20)
    del one["backendRefs"][0]
    assert names(alone([one], OURS)[0]) == [("web", 20)]


def test_a_mirror_is_ours_by_its_service_and_the_users_own_stays() -> None:
    own = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "shadow", "port": 80}}}
    (one,) = shared([rule(filters=[own])], OURS, 0, 100)
    mirrored = {"group": "", "kind": "Service", "port": 80, "name": "web-canary"}
    assert one["filters"] == [own, {"type": "RequestMirror", "requestMirror": {"backendRef": mirrored}}]
    (half,) = shared([rule()], OURS, 0, 50)
    assert half["filters"][0]["requestMirror"]["percent"] == 50
    assert "filters" not in alone([half], OURS)[0]


def test_answers_say_by_a_cookie_of_the_revision_which_side_they_are_from() -> None:
    cookies = cookies_of(Affinity("side", "stay", max_age=60, secure=True), 20, "5f3a")
    primary, canary = shared([rule()], OURS, 20, 0, cookies)[0]["backendRefs"]
    for ref, value in ((primary, "stay=detour-5f3a-20"), (canary, "side=detour-5f3a")):
        (modifier,) = ref["filters"]
        added = [{"name": "Set-Cookie", "value": f"{value}; Max-Age=60; Secure"}]
        assert modifier == {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": added}}


def test_without_a_share_no_cookie_is_set() -> None:
    assert cookies_of(Affinity("side", "stay"), 0, "5f3a") == NO_COOKIES


def test_weights_as_large_as_a_percentage_leaves_room_for() -> None:
    (one,) = shared([rule(backend(weight=HEAVIEST // 100))], OURS, 1)
    assert max(weight for _, weight in names(one)) < HEAVIEST

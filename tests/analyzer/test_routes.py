"""A user's route is changed and given back: nothing of ours is left in it, be it in the API server's books."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.discovery import Surroundings
from analyzer.kube.errors import Conflict
from analyzer.routes import give_back, rewrite, surplus
from analyzer.routing.gateway import Gateway
from analyzer.routing.mark import Mark, is_marked
from analyzer.traffic import Traffic
from tests.analyzer.books import Books, Died, has_rules
from tests.analyzer.objects import deployment, service
from tests.analyzer.routes import backend, http_route, rule

Object = dict[str, Any]

PRIMARY = deployment()
MANIFEST = http_route("web", rule(backend(weight=3), backend("db", 1)), rule(backend("db"), path="/db"))


def with_route(manifest: Object = MANIFEST) -> Books:
    api = Books()
    api.apply_as("helm", deepcopy(manifest))
    return api


def shift(api: Books, weight: int) -> None:
    """What an analyzer does that sees the route as it is."""
    found = api.stored["web"]
    around = Surroundings(services=(service(),), http_routes=(found,))
    (wanted,) = Gateway().objects(PRIMARY, around, Traffic(weight))
    same = found["spec"]["rules"] == wanted["spec"]["rules"] and Mark.on(found) == Mark.on(wanted)
    if not same:
        rewrite(api, found, wanted["spec"]["rules"], Mark.on(wanted))


def leave(api: Books) -> None:
    if is_marked(api.stored["web"]):
        give_back(api, api.stored["web"], "web")


def share(api: Books) -> int | None:
    return Gateway().weight_of([api.stored["web"]], "web")


def as_the_user_left_it(api: Books, manifest: Object = MANIFEST) -> bool:
    found = api.stored["web"]
    managers = [entry["manager"] for entry in found["metadata"]["managedFields"] if has_rules(entry)]
    return found["spec"] == manifest["spec"] and not is_marked(found) and managers == ["helm"]


def test_a_share_is_put_into_the_route_and_taken_out_again() -> None:
    api = with_route()
    shift(api, 0)
    assert api.stored["web"]["spec"] == MANIFEST["spec"], "without a share it is as it was written"
    assert share(api) == 0
    shift(api, 20)
    assert share(api) == 20
    leave(api)
    assert as_the_user_left_it(api)
    assert share(api) is None


def test_the_users_next_apply_meets_no_conflict_with_us() -> None:
    api = with_route()
    shift(api, 20)
    api.apply_as("helm", deepcopy(MANIFEST))
    assert share(api) == 0, "his apply has taken the share away"
    shift(api, 20)
    changed = http_route("web", rule(backend(weight=9), timeouts={"request": "5s"}))
    api.apply_as("helm", deepcopy(changed))
    shift(api, 50)
    assert share(api) == 50
    leave(api)
    assert as_the_user_left_it(api, changed)


def test_a_hand_edit_stays_and_the_share_goes_on() -> None:
    api = with_route()
    shift(api, 20)
    api.stored["web"]["spec"]["rules"][0]["timeouts"] = {"request": "7s"}
    shift(api, 40)
    leave(api)
    rules = api.stored["web"]["spec"]["rules"]
    assert rules[0] == {**MANIFEST["spec"]["rules"][0], "timeouts": {"request": "7s"}}


@settings(max_examples=200)
@given(st.lists(st.sampled_from((0, 10, 50, 100)), min_size=1, max_size=4), st.integers(1, 12), st.booleans())
def test_whoever_dies_at_any_write_is_followed_by_one_that_puts_everything_right(
    steps: list[int], lives: int, reapplied: bool
) -> None:
    api = with_route()
    api.lives = lives
    try:
        for weight in steps:
            shift(api, weight)
        leave(api)
    except Died:
        api.lives = None
        if reapplied:
            with suppress(Conflict):  # between the two writes of a change, which is for milliseconds
                api.apply_as("helm", deepcopy(MANIFEST))
        shift(api, steps[-1])
        assert share(api) == steps[-1]
        api.apply_as("helm", deepcopy(MANIFEST))
        shift(api, steps[-1])
        leave(api)
    assert as_the_user_left_it(api)


def test_a_route_that_has_changed_since_it_was_seen_is_left_for_the_next_look() -> None:
    api = with_route()
    seen = deepcopy(api.stored["web"])
    api.apply_as("helm", http_route("web"))
    with pytest.raises(Conflict):
        rewrite(api, seen, [], Mark())
    assert api.writes == 0


def test_two_canaries_share_a_route_and_each_takes_out_its_own() -> None:
    api = with_route()
    shift(api, 20)
    mark = Mark.on(api.stored["web"]).put("db", {"db": "db-canary"})
    rewrite(api, api.stored["web"], api.stored["web"]["spec"]["rules"], mark)
    leave(api)
    assert Mark.on(api.stored["web"]).canaries == {"db": {"db": "db-canary"}}
    give_back(api, api.stored["web"], "db")
    assert as_the_user_left_it(api)


@pytest.mark.parametrize("text", ["{", "[]", '{"canaries": 3}', '{"canaries": {"web": 3}}', "null", '"x"'])
def test_a_mark_that_somebody_has_edited_is_no_reason_to_stop(text: str) -> None:
    assert Mark.on(http_route(annotations={"detour.dev/split": text})).canaries == {}


def test_what_chose_requests_for_a_canary_and_no_longer_should_is_seen_however_it_came_there() -> None:
    at_rest = {"a.io/canary": "true", "a.io/canary-weight": "0", "a.io/rewrite-target": "/"}
    chosen = {**at_rest, "a.io/canary-by-header": "x-user", "a.io/canary-by-cookie": "always", "others.io/note": "1"}
    there, wanted = ({"metadata": {"annotations": each}} for each in (chosen, at_rest))
    assert surplus(there, wanted) == ["a.io/canary-by-header", "a.io/canary-by-cookie"]
    assert surplus(wanted, there) == surplus(None, there) == []

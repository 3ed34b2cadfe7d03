"""A user's route is changed and given back: nothing of ours is left in it, be it in the API server's books."""

from contextlib import suppress
from copy import deepcopy
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.cluster import Cluster
from analyzer.discovery import Surroundings
from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict
from analyzer.kube.resources import HTTP_ROUTES
from analyzer.kube.watch import Watch
from analyzer.routes import Routes, give_back, rewrite, surplus
from analyzer.routing import Router
from analyzer.routing.gateway import Gateway
from analyzer.routing.mark import Mark, is_marked
from analyzer.routing.nginx import Nginx
from analyzer.traffic import Header, How, Match, Traffic
from tests.analyzer.books import Books, Died, has_rules
from tests.analyzer.objects import deployment, ingress, service
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
    """It sees of a route only that it is marked with the primary's name."""
    if Mark.on(api.stored["web"]).of("web"):
        give_back(api, api.stored["web"], "web")


def share(api: Books) -> int | None:
    return Gateway().weight_of([api.stored["web"]], "web")


def as_the_user_left_it(api: Books, manifest: Object = MANIFEST) -> bool:
    found = api.stored["web"]
    managers = [entry["manager"] for entry in found["metadata"]["managedFields"] if has_rules(entry)]
    return found["spec"] == manifest["spec"] and not is_marked(found) and managers == ["helm"]


class Then(Enum):
    """What comes after a death: somebody applies the route again, the rollout goes on, or it ends."""

    REAPPLIED, GOES_ON, LEFT = range(3)


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
@given(st.lists(st.sampled_from((0, 10, 50, 100)), min_size=1, max_size=4), st.integers(1, 12), st.sampled_from(Then))
def test_whoever_dies_at_any_write_is_followed_by_one_that_puts_everything_right(
    steps: list[int], lives: int, then: Then
) -> None:
    api = with_route()
    api.lives = lives
    try:
        for weight in steps:
            shift(api, weight)
        leave(api)
    except Died:
        api.lives = None
        if then is Then.REAPPLIED:
            with suppress(Conflict):  # between the two writes of a change, which is for milliseconds
                api.apply_as("helm", deepcopy(MANIFEST))
        if then is not Then.LEFT:
            shift(api, steps[-1])
            assert share(api) == steps[-1]
        if then is Then.REAPPLIED:
            api.apply_as("helm", deepcopy(MANIFEST))
            shift(api, steps[-1])
        leave(api)
    assert as_the_user_left_it(api)


def test_a_route_that_was_exported_in_mid_canary_and_applied_without_its_mark_is_taken_up_again() -> None:
    api = with_route()
    shift(api, 20)
    del api.stored["web"]["metadata"]["annotations"]
    assert share(api) is None, "so it is put right"
    shift(api, 20)
    assert share(api) == 20
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


def there(*routes: Object) -> Routes:
    """Routes of a cluster that has these."""
    cluster = Cluster.follow(Client(None), lambda _: None, "detour")
    cluster.http_routes._watch = Watch(Client(None), HTTP_ROUTES, lambda _: None)
    for number, route in enumerate(routes, start=1):
        watch = next(each for each in cluster.routes if each.resource.kind == route["kind"])
        watch.learn({**route, "metadata": {**route["metadata"], "resourceVersion": str(number)}})
    return Routes(cluster)


def wanted(router: Router, traffic: Traffic) -> tuple[Object, ...]:
    around = Surroundings((service(),), (ingress("web", ("a.example", "/", "web")),), http_routes=(http_route(),))
    return router.objects(PRIMARY, around, traffic)


INSIDERS = (Match((Header("x-user", How.EXACT, "insider"),)),)
KEY = ("shop", "web")


@pytest.mark.parametrize("router", [Nginx(), Gateway()])
def test_what_is_there_is_enough_and_less_or_more_is_not(router: Router) -> None:
    chosen = wanted(router, Traffic(0, INSIDERS))
    plain = wanted(router, Traffic())
    assert there(*chosen).are(KEY, chosen)
    assert there(*plain).are(KEY, plain)
    assert not there(*plain).are(KEY, chosen)
    assert not there(*chosen).are(KEY, plain), "who was chosen by a header would go on being so"
    assert not there().are(KEY, plain)


def test_what_others_add_to_a_route_of_ours_is_theirs() -> None:
    (only,) = wanted(Nginx(), Traffic(20))
    noted = deepcopy(only)
    noted["metadata"]["annotations"]["example.com/seen"] = "true"
    noted["status"] = {"loadBalancer": {}}
    assert there(noted).are(KEY, (only,))


def test_a_route_of_ours_that_does_more_than_is_wanted_is_put_right() -> None:
    users, own = wanted(Gateway(), Traffic(0, INSIDERS))
    slow = deepcopy(own)
    slow["spec"]["rules"][0]["timeouts"] = {"request": "5s"}
    assert not there(users, slow).are(KEY, (users, own))


@pytest.mark.parametrize("text", ["{", "[]", '{"canaries": 3}', '{"canaries": {"web": 3}}', "null", '"x"'])
def test_a_mark_that_somebody_has_edited_is_no_reason_to_stop(text: str) -> None:
    assert Mark.on(http_route(annotations={"detour.dev/split": text})).canaries == {}


def test_what_chose_requests_for_a_canary_and_no_longer_should_is_seen_however_it_came_there() -> None:
    at_rest = {"a.io/canary": "true", "a.io/canary-weight": "0", "a.io/rewrite-target": "/"}
    chosen = {**at_rest, "a.io/canary-by-header": "x-user", "a.io/canary-by-cookie": "always", "others.io/note": "1"}
    there, wanted = ({"metadata": {"annotations": each}} for each in (chosen, at_rest))
    assert surplus(there, wanted) == ["a.io/canary-by-header", "a.io/canary-by-cookie"]
    assert surplus(wanted, there) == surplus(None, there) == []

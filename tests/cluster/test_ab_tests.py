"""A/B tests by an Ingress: who sends the header or has the cookie meets the canary, and nobody else does."""

from tests.cluster.kubectl import eventually
from tests.cluster.shop import CALM, OpenShop, Shop
from tests.cluster.test_http_routes import until_met, version
from tests.cluster.users import Users

EITHER = [{"headers": {"x-user": {"exact": "insider"}}}, {"headers": {"cookie": {"exact": "beta"}}}]


def meets_the_canary(shop: Shop, **headers: str) -> None:
    eventually(lambda: version(shop, **headers) == "6.0.1", f"{headers} meets the canary", 60)
    assert {version(shop, **headers) for _ in range(10)} == {"6.0.1"}


def test_a_header_or_a_cookie_is_enough_and_others_notice_nothing(open_shop: OpenShop) -> None:
    analysis = {"interval": "6s", "threshold": 2, "iterations": 2, "match": EITHER}
    shop = open_shop(spec={"analysis": analysis})
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        meets_the_canary(shop, **{"x-user": "insider"})
        meets_the_canary(shop, Cookie="a=b; beta=always")
        assert version(shop, Cookie="beta=no") == "6.0.0"
        assert "6.0.1" not in users.answered
        shop.until("Succeeded")
        shop.until_gone()
    assert users.failed == []


def test_they_choose_beside_a_share(open_shop: OpenShop) -> None:
    several = [{"headers": {"x-user": {"exact": "insider"}}}, {"headers": {"x-user": {"prefix": "qa-"}}}]
    shop = open_shop(analysis={**CALM, "stepWeight": 10, "match": several})
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        shop.until_weight(10)
        meets_the_canary(shop, **{"x-user": "qa-7"})
        meets_the_canary(shop, **{"x-user": "insider"})
        until_met(users, "6.0.1", 0.1)
    assert users.failed == []


def test_what_annotations_cannot_say_is_refused(open_shop: OpenShop) -> None:
    both = [{"headers": {"x-user": {"exact": "a"}, "x-team": {"exact": "b"}}}]
    shop = open_shop(analysis={**CALM, "match": both})
    shop.set_image("6.0.1")
    shop.says("canary annotations cannot require several headers at once")
    shop.specify(analysis={**shop.canary()["spec"]["analysis"], "match": EITHER})
    meets_the_canary(shop, **{"x-user": "insider"})

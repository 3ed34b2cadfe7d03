"""HTTPRoutes of the Gateway API: shares on the wire, and the user's route as he wrote it at every ending."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import urllib3

from analyzer.routing.mark import SPLIT
from tests.cluster.home import kill_leader
from tests.cluster.kubectl import Object, eventually
from tests.cluster.namespaces import unique
from tests.cluster.shop import CALM, QUICK, OpenShop, Shop, opened
from tests.cluster.users import INGRESS, Users

GATEWAY = {"name": "traefik", "namespace": "ingress"}
ANSWERS = 100
NEAR = 0.06  # of these; Traefik shares them out in turn, and what is under way counts with either


class Gateway(Shop):
    """A shop behind a Gateway, where others have an Ingress."""

    def ingress(self, **rule: Any) -> Object:
        """Its HTTPRoute."""
        backend = {"name": "podinfo", "port": 9898}
        rules = [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [backend], **rule}]
        return {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {"name": "podinfo"},
            "spec": {"parentRefs": [GATEWAY], "hostnames": [self.host], "rules": rules},
        }

    @property
    def route(self) -> Object:
        return self.get("httproute", "podinfo", "--show-managed-fields")

    @property
    def shares(self) -> list[tuple[str, int]]:
        """The references of its only rule."""
        (rule,) = self.route["spec"]["rules"]
        return [(ref["name"], ref["weight"]) for ref in rule["backendRefs"]]

    def leftovers(self) -> list[str]:
        found = self.get("deployments,services,httproutes", "-l", "detour.dev/canary-of")["items"]
        marked = [SPLIT] if SPLIT in self.route["metadata"].get("annotations", {}) else []
        return [f"{one['kind']} {one['metadata']['name']}" for one in found] + marked

    def until_share(self, weight: int) -> None:
        """Wait until the status says so, and the route, and Traefik has heard of it."""
        self.until_weight(weight)
        wanted = [("podinfo", 100 - weight), ("podinfo-canary", weight)]
        eventually(lambda: self.shares == wanted, f"a share of {weight} %", 10, lambda: self.shares)
        time.sleep(1)

    def apply_as_a_tool(self, route: Object) -> None:
        """Server-side, and without force: a conflict would be an error."""
        self("apply", "--server-side", "--field-manager=tool", "-f", "-", stdin=json.dumps(route))


@pytest.fixture
def open_gateway() -> Iterator[OpenShop]:
    """Makes shops behind the Gateway; their namespaces are deleted at the end."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(opened(Gateway(unique("gateway"), **options)))


def ask(shop: Shop, **headers: str) -> urllib3.BaseHTTPResponse:
    answer = urllib3.request("GET", f"{INGRESS}/version", headers={"Host": shop.host, **headers}, timeout=10.0)
    assert answer.status == 200
    return answer


def version(shop: Shop, **headers: str) -> str:
    return str(ask(shop, **headers).json()["version"])


def until_met(users: Users, tag: str, share: float) -> None:
    """Wait until the version gets this share of so many answers in a row.

    A lesser share may be seen first: Traefik begins its turn with the heavier side again whenever it reads a change of
    any route, and the tests beside this one change theirs all the time.
    """
    seen: list[float] = []

    def met() -> bool:
        before = users.answered.copy()
        eventually(lambda: (users.answered - before).total() >= ANSWERS, "users are answered", 60, lambda: users.failed)
        new = users.answered - before
        seen.append(new[tag] / new.total())
        return abs(seen[-1] - share) < NEAR

    eventually(met, f"{tag} gets {share:.0%} of the answers", 60, lambda: seen)


def test_shares_are_on_the_wire_and_the_route_is_afterwards_what_it_was(open_gateway: OpenShop) -> None:
    shop = open_gateway(analysis={"interval": "20s", "metrics": [], "stepWeight": 20, "maxWeight": 40})
    assert isinstance(shop, Gateway)
    before = shop.route["spec"]
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        for weight in (20, 40):
            shop.until_share(weight)
            until_met(users, "6.0.1", weight / 100)
        shop.until("Succeeded")
        shop.until_gone()
    assert users.failed == []
    assert shop.route["spec"] == before


def test_what_a_tool_applies_in_mid_canary_stays_and_meets_no_conflict(open_gateway: OpenShop) -> None:
    shop = open_gateway(analysis=CALM)
    assert isinstance(shop, Gateway)
    shop("delete", "httproute", "podinfo")
    shop.apply_as_a_tool(shop.ingress())
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        shop.until_share(25)
        shop.apply_as_a_tool(shop.ingress())
        shop.until_share(25)
        shop.apply_as_a_tool(shop.ingress(timeouts={"request": "7s"}))
        shop.until_share(25)
        shop("delete", "canary/podinfo")
        shop.until_gone()
    assert users.failed == []
    (rule,) = shop.route["spec"]["rules"]
    assert (rule["timeouts"], shop.shares) == ({"request": "7s"}, [("podinfo", 1)])
    managers = [entry["manager"] for entry in shop.route["metadata"]["managedFields"] if "f:spec" in entry["fieldsV1"]]
    assert managers == ["tool"]
    shop.apply_as_a_tool(shop.ingress(timeouts={"request": "8s"}))


def test_a_route_edited_by_hand_keeps_the_edit_and_the_share(open_gateway: OpenShop) -> None:
    shop = open_gateway(analysis=CALM)
    assert isinstance(shop, Gateway)
    shop.set_image("6.0.1")
    shop.until_share(25)
    add = [{"op": "add", "path": "/spec/rules/0/timeouts", "value": {"request": "7s"}}]
    add += [{"op": "remove", "path": "/spec/rules/0/backendRefs/1"}]
    shop("patch", "httproute/podinfo", "--type=json", "-p", json.dumps(add))
    eventually(lambda: len(shop.shares) == 2, "the share again", 10, lambda: shop.shares)
    shop("delete", "canary/podinfo")
    shop.until_gone()
    (rule,) = shop.route["spec"]["rules"]
    assert rule["timeouts"] == {"request": "7s"}
    assert [name for name, _ in shop.shares] == ["podinfo"]


def test_an_ab_test_takes_its_insiders_alone_and_leaves_the_users_rules_alone(open_gateway: OpenShop) -> None:
    match = [{"headers": {"x-user": {"exact": "insider"}}}, {"headers": {"cookie": {"regex": "(.*; )?beta=on(;.*)?"}}}]
    analysis = {"interval": "6s", "threshold": 2, "iterations": 2, "match": match}
    shop = open_gateway(spec={"analysis": analysis})
    assert isinstance(shop, Gateway)
    generation = shop.route["metadata"]["generation"]
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        eventually(lambda: version(shop, **{"x-user": "insider"}) == "6.0.1", "insiders meet the canary", 60)
        assert version(shop, Cookie="a=b; beta=on") == "6.0.1"
        assert version(shop, Cookie="alphabeta=on") == "6.0.0"
        assert version(shop) == "6.0.0"
        assert "6.0.1" not in users.answered
        assert shop.route["metadata"]["generation"] == generation
        shop.until("Succeeded")
        shop.until_gone()
    assert users.failed == []


def test_headers_choose_beside_a_share(open_gateway: OpenShop) -> None:
    match = [{"headers": {"x-user": {"prefix": "in"}}}]
    shop = open_gateway(analysis={**CALM, "stepWeight": 10, "match": match})
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        shop.until_weight(10)
        eventually(lambda: version(shop, **{"x-user": "insider"}) == "6.0.1", "insiders meet the canary", 20)
        assert all(version(shop, **{"x-user": "insider"}) == "6.0.1" for _ in range(10))
        until_met(users, "6.0.1", 0.1)


def test_a_client_stays_on_the_side_that_it_met(open_gateway: OpenShop) -> None:
    affinity = {"cookieName": "side", "primaryCookieName": "stay", "maxAge": 60}
    shop = open_gateway(analysis={**CALM, "stepWeight": 50, "sessionAffinity": affinity})
    shop.set_image("6.0.1")
    shop.until_weight(50)
    met: dict[str, str] = {}

    def both() -> bool:
        answer = ask(shop)
        cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        if cookie:
            met[str(answer.json()["version"])] = cookie
        return len(met) == 2

    eventually(both, "both sides have said by a cookie who they are", 20, lambda: met)
    assert met["6.0.1"].startswith("side=detour-")
    assert met["6.0.0"].startswith("stay=detour-")
    for tag, cookie in met.items():
        assert {version(shop, Cookie=f"a=b; {cookie}") for _ in range(10)} == {tag}
    assert {version(shop, Cookie="side=detour-0123456789") for _ in range(10)} == {"6.0.0", "6.0.1"}


def test_what_the_gateway_cannot_do_is_refused_by_its_name(open_gateway: OpenShop) -> None:
    shop = open_gateway(analysis={**QUICK, "stepWeight": 50, "mirror": True})
    assert isinstance(shop, Gateway)
    before = shop.route["spec"]
    shop.set_image("6.0.1")
    shop.says("GatewayClass traefik does not support HTTPRouteRequestMirror")
    shop.tells("HTTPRoute podinfo cannot do what spec.analysis.mirror asks for")
    assert shop.route["spec"] == before
    assert version(shop) == "6.0.0"
    shop.specify(analysis={**shop.canary()["spec"]["analysis"], "mirror": False})
    shop.until("Succeeded")


def test_the_gateways_own_numbers_judge_a_canary(open_gateway: OpenShop) -> None:
    metrics = [{"name": "request-success-rate", "interval": "4s", "thresholdRange": {"min": 99}}]
    analysis = {"interval": "4s", "threshold": 2, "stepWeight": 50, "metrics": metrics}
    shop = open_gateway(analysis=analysis, spec={"metricsServer": "http://prometheus.monitoring:9090"})
    assert isinstance(shop, Gateway)
    before = shop.route["spec"]
    with Users(shop.host) as users:
        shop.set_image("errors")
        shop.until("Failed")
        assert "request-success-rate" in shop.message or "success rate" in shop.message
        shop.until_gone()
        assert shop.route["spec"] == before
        shop.set_image("6.0.1")
        shop.until("Succeeded")
    assert users.failed == []


@pytest.mark.alone
def test_an_analyzer_that_dies_is_followed_by_one_that_gives_the_route_back(open_gateway: OpenShop) -> None:
    shop = open_gateway(analysis={"interval": "3s", "metrics": [], "stepWeight": 50, "maxWeight": 50})
    assert isinstance(shop, Gateway)
    before = shop.route["spec"]
    with Users(shop.host) as users:
        shop.set_image("6.0.1")
        shop.until_weight(50)
        kill_leader()
        shop.until("Succeeded", 120)
        shop.until_gone()
    assert users.failed == []
    assert shop.route["spec"] == before

"""Which requests a canary gets a share of: those for the hosts and paths of its own application, and no others."""

from collections import Counter
from datetime import UTC, datetime
from ssl import create_default_context
from typing import Any

import pytest
import urllib3

from certs.authority import issue_ca, issue_serving
from tests.cluster.kubectl import Object, eventually
from tests.cluster.namespaces import namespace
from tests.cluster.post import HTTPS_PORT
from tests.cluster.shop import QUICK, OpenShop, Shop
from tests.cluster.users import plainly

HALF = {"interval": "10m", "stepWeight": 50, "metrics": []}  # half of the requests, for as long as one likes to look
PRIMARY, CANARY, NEIGHBOUR = "6.0.0", "6.0.1", "6.0.2"
SHARED = {PRIMARY, CANARY}
NGINX = "nginx.ingress.kubernetes.io"

Port = int | str
Route = tuple[str, str, str, Port]
"""Host, path, Service and its port, by number or by name."""


def ingress(name: str, *routes: Route, annotations: Object | None = None, **spec: Any) -> Object:
    """An Ingress with these routes, one rule a host."""
    rules: dict[str, list[Object]] = {}
    for host, path, service, port in routes:
        rules.setdefault(host, []).append({"path": path, "pathType": "Prefix", "backend": backend(service, port)})
    hosts = [{"host": host, "http": {"paths": paths}} for host, paths in rules.items()]
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}
    return {**kind, "metadata": {"name": name, "annotations": annotations or {}}, "spec": {"rules": hosts, **spec}}


def backend(service: str, port: Port = 9898) -> Object:
    return {"service": {"name": service, "port": {"number" if isinstance(port, int) else "name": port}}}


def neighbour(shop: Shop) -> tuple[Object, Object]:
    """Another application in the same namespace: its Deployment and its Service."""
    deployment, service = shop.deployment(NEIGHBOUR), shop.service()
    labels = {"app": "neighbour"}
    deployment["spec"] |= {"replicas": 1, "selector": {"matchLabels": labels}}
    deployment["spec"]["template"]["metadata"]["labels"] = labels
    service["spec"]["selector"] = labels
    for each in (deployment, service):
        each["metadata"] = {"name": "neighbour"}
    return deployment, service


def answers(host: str, path: str = "/", pool: urllib3.HTTPConnectionPool | None = None, times: int = 12) -> set[str]:
    """The versions that answer. Everything but a 200 is an answer of its own."""
    found: Counter[str] = Counter()
    pool = pool or plainly()
    for _ in range(times):
        said = pool.request("GET", path, headers={"Host": host}, retries=False, redirect=False)
        found[str(said.json()["version"]) if said.status == 200 else f"{said.status}"] += 1
    pool.close()
    return set(found)


def test_only_the_routes_of_the_application_are_shared_with_its_canary(open_shop: OpenShop) -> None:
    """Two hosts and three paths in one Ingress with TLS, one of them somebody else's; another Ingress for a third host,
    by another port, with its class in the older way, and somebody else's default backend."""
    shop = open_shop(analysis=HALF)
    first, second, third = (f"{name}.{shop.host}" for name in ("one", "two", "three"))
    authority = issue_ca(datetime.now(UTC))
    pair = issue_serving(authority, [first, second], datetime.now(UTC))
    certificate = {"tls.crt": pair.certificate.decode(), "tls.key": pair.key.decode()}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls", "metadata": {"name": "tls"}}
    front = ingress(
        "front",
        (first, "/", "podinfo", 9898),
        (first, "/api/info", "neighbour", 9898),
        (second, "/version", "podinfo", "http"),
        tls=[{"hosts": [first, second], "secretName": "tls"}],
    )
    side = ingress(
        "side",
        (third, "/version", "podinfo", "http"),
        annotations={"kubernetes.io/ingress.class": "nginx"},
        defaultBackend=backend("neighbour"),
    )
    shop("delete", "ingress", "podinfo")
    shop.apply({**secret, "stringData": certificate}, *neighbour(shop), front, side)
    shop("rollout", "status", "deployment/neighbour", "--timeout=60s")
    shop.set_image(CANARY)
    shop.until_weight(50)

    def securely(host: str) -> urllib3.HTTPConnectionPool:
        trust = create_default_context(cadata=authority.certificate.decode())
        return urllib3.HTTPSConnectionPool(
            "127.0.0.1", HTTPS_PORT, ssl_context=trust, server_hostname=host, assert_hostname=host
        )

    eventually(lambda: answers(third, "/version") == SHARED, "the canary answers", 20)
    assert answers(third, "/") == {NEIGHBOUR}
    assert answers(first, "/", securely(first)) == SHARED
    assert answers(second, "/version", securely(second)) == SHARED
    assert answers(first, "/api/info", securely(first)) == {NEIGHBOUR}
    made = shop("get", "ingress", "-l", "detour.dev/canary-of", "-o", "jsonpath={.items[*].metadata.name}").out.split()
    assert sorted(made) == ["front.podinfo-canary", "side.podinfo-canary"]


def test_two_applications_of_one_ingress_have_their_canaries_at_the_same_time(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=HALF)
    theirs = shop.canary()
    theirs["metadata"]["name"] = theirs["spec"]["targetRef"]["name"] = "neighbour"
    both = ingress("both", (shop.host, "/", "podinfo", 9898), (shop.host, "/api/info", "neighbour", "http"))
    shop("delete", "ingress", "podinfo")
    shop.apply(*neighbour(shop), both)
    shop("rollout", "status", "deployment/neighbour", "--timeout=60s")
    shop.apply(theirs)
    shop("wait", "canary/neighbour", "--for=condition=guarded", "--timeout=30s")
    shop("set", "env", "deployment/neighbour", "COLOR=blue")
    shop.set_image(CANARY)
    shop.until_weight(50)
    shop("wait", "canary/neighbour", "--for=jsonpath={.status.canaryWeight}=50", "--timeout=30s")
    eventually(lambda: answers(shop.host) == SHARED, "the canary answers", 20, lambda: answers(shop.host))
    assert answers(shop.host, "/api/info") == {NEIGHBOUR}
    assert {"both.podinfo-canary", "both.neighbour-canary"} <= names(shop, "ingress")
    assert not shop.status.get("message")


def names(shop: Shop, kind: str) -> set[str]:
    return {found["metadata"]["name"] for found in shop.get(kind)["items"]}


def test_routes_follow_the_ingresses_that_come_change_and_go_in_mid_canary(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=HALF)
    other = f"other.{shop.host}"
    shop.apply(*neighbour(shop))
    shop("rollout", "status", "deployment/neighbour", "--timeout=60s")
    shop.set_image(CANARY)
    shop.until_weight(50)

    shop.apply(ingress("more", (other, "/", "podinfo", 9898)))
    eventually(lambda: answers(other) == SHARED, "the canary answers the new host", 40, lambda: answers(other))

    shop.apply(ingress("more", (other, "/version", "podinfo", 9898), (other, "/", "neighbour", 9898)))
    eventually(lambda: answers(other) == {NEIGHBOUR}, "/ is the neighbour's now", 40, lambda: answers(other))
    eventually(lambda: answers(other, "/version") == SHARED, "/version is shared", 40)

    shop("delete", "ingress", "more")
    shop.apply(ingress("theirs", (other, "/", "neighbour", 9898), (other, "/version", "neighbour", 9898)))
    eventually(lambda: "more.podinfo-canary" not in names(shop, "ingress"), "its canary goes with it", 10)
    eventually(lambda: answers(other, "/version") == {NEIGHBOUR}, "all of it is the neighbour's", 40)
    assert answers(shop.host) == SHARED
    assert shop.status["canaryWeight"] == 50


def test_a_host_that_somebody_else_takes_over_in_mid_canary_is_his_alone(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=HALF, spec={"progressDeadlineSeconds": 300})
    shop.apply(*neighbour(shop))
    shop("rollout", "status", "deployment/neighbour", "--timeout=60s")
    shop.set_image(CANARY)
    shop.until_weight(50)
    shop("delete", "ingress", "podinfo")
    shop.apply(ingress("theirs", (shop.host, "/", "neighbour", 9898)))
    eventually(lambda: answers(shop.host) == {NEIGHBOUR}, "he is not split", 40, lambda: answers(shop.host))
    said = "no Ingress sends requests to Service podinfo"
    eventually(lambda: said in shop.status.get("message", ""), "it is said", 20, lambda: shop.status)
    shop("delete", "ingress", "theirs")
    shop.apply(shop.ingress())
    eventually(lambda: answers(shop.host) == SHARED, "the canary has its share again", 40, lambda: answers(shop.host))


def test_a_path_that_is_contested_in_mid_canary_is_split_again_once_that_is_settled(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=HALF, spec={"progressDeadlineSeconds": 300})
    shop.apply(*neighbour(shop))
    shop.set_image(CANARY)
    shop.until_weight(50)
    eventually(lambda: answers(shop.host) == SHARED, "the canary answers", 20, lambda: answers(shop.host))
    shop.apply(ingress("theirs", (shop.host, "/", "neighbour", 9898)))
    eventually(lambda: CANARY not in answers(shop.host), "nobody is split", 20, lambda: answers(shop.host))
    said = f"Ingress theirs sends {shop.host}/ to another backend"
    eventually(lambda: said in shop.status.get("message", ""), "it is said", 20, lambda: shop.status)
    shop("delete", "ingress", "theirs")
    eventually(lambda: answers(shop.host) == SHARED, "the canary has its share again", 40, lambda: answers(shop.host))


def by_hand(host: str) -> Object:
    marks = {f"{NGINX}/canary": "true", f"{NGINX}/canary-by-header": "x-beta"}
    return ingress("by-hand", (host, "/", "neighbour", 9898), annotations=marks)


REFUSED = {
    "a second backend in another Ingress": (
        lambda host: ingress("theirs", (host, "/", "neighbour", 9898)),
        "Ingress theirs sends {host}/ to another backend",
    ),
    "somebody's own canary": (by_hand, "Ingress by-hand is a canary of {host}/ already, and there can be only one"),
    "a default backend alone": (
        lambda host: ingress("podinfo", (host, "/", "neighbour", 9898), defaultBackend=backend("podinfo")),
        "Ingress podinfo reaches Service podinfo by its default backend alone",
    ),
    "TLS that is passed through": (
        lambda host: ingress("podinfo", (host, "/", "podinfo", 9898), annotations={f"{NGINX}/ssl-passthrough": "true"}),
        "Ingress podinfo passes TLS through",
    ),
    "a class that nobody serves": (
        lambda host: ingress("podinfo", (host, "/", "podinfo", 9898), ingressClassName="nobody"),
        "Ingress podinfo is of class nobody, which does not exist",
    ),
    "no Ingress at all": (
        lambda host: ingress("podinfo", (host, "/", "neighbour", 9898)),
        "no Ingress sends requests to Service podinfo",
    ),
}


@pytest.mark.parametrize(("obstacle", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_split_is_refused_with_a_reason(obstacle: Any, said: str, open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, analysis=QUICK)
    shop.apply(obstacle(shop.host))
    shop.set_image(CANARY)
    is_refused(shop, said.format(host=shop.host))


def test_under_a_policy_what_nobody_splits_goes_directly_and_the_reason_is_told(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, policy="default")
    shop.apply(ingress("podinfo", (shop.host, "/", "podinfo", 9898), ingressClassName="nobody"))
    shop.set_image(CANARY)
    eventually(lambda: shop.live_image == CANARY, "it is promoted", 30, lambda: shop.status)
    why = "directly, since Ingress podinfo is of class nobody, which does not exist"
    shop.tells(why)
    assert not shop.exists("deployment", "podinfo-canary")


def is_refused(shop: Shop, said: str) -> None:
    eventually(lambda: said in shop.status.get("message", ""), f"it says: {said}", 20, lambda: shop.status)
    assert not shop.exists("deployment", "podinfo-canary")


def test_a_host_and_path_of_another_namespace_is_refused_until_that_one_gives_way(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(replicas=1, analysis=QUICK)
    with namespace("elsewhere") as elsewhere:
        other = Shop(elsewhere)
        other.apply(ingress("theirs", (shop.host, "/", "podinfo", 9898)))
        shop.set_image(CANARY)
        is_refused(shop, f"Ingress theirs of namespace {elsewhere} sends {shop.host}/ to another backend")
        other("delete", "ingress", "theirs")
        shop.until("Succeeded")

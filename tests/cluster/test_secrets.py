"""Secrets stay where their owner has put them, and a canary is no way around a password."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator

import pytest
import urllib3

from tests.cluster.home import HOME, inside, log_of
from tests.cluster.kubectl import Object, eventually, get
from tests.cluster.namespaces import unique
from tests.cluster.person import Person
from tests.cluster.shop import Shop, opened
from tests.cluster.users import INGRESS
from webhook.stash import CANARY_OF

PREFIX = "nginx.ingress.kubernetes.io"
MARK, PASSWORD = "d0-n0t-t3ll", "open sesame"
GATE: Object = {"name": "suite", "type": "rollout", "timeout": "2s"}


SENDING = """
import http.client, ssl
peer = http.client.HTTPSConnection("127.0.0.1", 8443, context=ssl._create_unverified_context(), timeout=5)
peer.request("POST", "/divert", {body!r}.encode(), {{"Content-Type": "application/json"}})
answer = peer.getresponse()
print(answer.status, answer.read())
"""


@pytest.fixture(scope="module")
def guarded() -> Iterator[Shop]:
    """Its Ingress asks for a password; half of the requests go to a canary; secrets of all kinds are around."""
    shop = Shop(unique("guarded"), replicas=1, analysis={"interval": "30s", "stepWeight": 50})
    with opened(shop):
        users = "ann:{SHA}" + base64.b64encode(hashlib.sha1(PASSWORD.encode()).digest()).decode()
        shop.apply(secret("users", auth=users), secret("creds", token=marked("secret")))
        role = ("--verb=get", "--resource=secrets", "--resource-name=creds")
        shop("create", "role", "detour-secret-reader", *role)
        account = f"--serviceaccount={HOME}:detour-analyzer"
        shop("create", "rolebinding", "detour-secret-reader", "--role=detour-secret-reader", account)
        template = shop.template()
        template["spec"]["provider"] |= {"secretRef": {"name": "creds"}, "headers": {"X-Own": [marked("header")]}}
        template["spec"]["query"] = "vector(100)"
        asking = {f"{PREFIX}/auth-type": "basic", f"{PREFIX}/auth-secret": "users", f"{PREFIX}/auth-realm": "shop"}
        ingress = shop.ingress()
        ingress["metadata"]["annotations"] = asking
        shop.apply(template, ingress)
        answer = shop.apply(shop.deployment("6.0.1", env=[{"name": "TOKEN", "value": marked("env")}]))
        assert answer.warnings
        assert MARK not in answer.err
        shop.until_weight(50)
        yield shop


def marked(where: str) -> str:
    """A secret that says where it was from, should it be found elsewhere."""
    return f"{MARK}-{where}"


def secret(name: str, **values: str) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": values}


def test_the_canary_opens_no_way_around_the_password_of_its_ingress(guarded: Shop) -> None:
    """Its Ingress does not copy it: what asks is the user's Ingress, for both (analyzer/routing/nginx.py)."""
    (copy,) = guarded.get("ingresses", "-l", CANARY_OF)["items"]
    assert not [key for key in copy["metadata"]["annotations"] if "auth" in key]
    known = {"Host": guarded.host, **urllib3.make_headers(basic_auth=f"ann:{PASSWORD}")}
    pool = urllib3.connection_from_url(INGRESS)
    eventually(lambda: ask(pool, known) == (200, "6.0.1"), "the canary answers who knows the password", 20)
    answers = [ask(pool, {"Host": guarded.host}) for _ in range(40)]
    assert {status for status, _ in answers} == {401}
    assert {version for _, version in (ask(pool, known) for _ in range(40))} == {"6.0.0", "6.0.1"}


def ask(pool: urllib3.HTTPConnectionPool, headers: dict[str, str]) -> tuple[int, str]:
    response = pool.request("GET", "/version", headers=headers, retries=False)
    return response.status, str(json.loads(response.data)["version"]) if response.status == 200 else ""


def test_secrets_are_in_no_log_no_event_no_status_and_no_answer(guarded: Shop) -> None:
    """Only where their owner has put them: the Secret, the Canary's spec, and the pod template, which waits on the
    Deployment (and on its ReplicaSets, as every annotation does)."""
    urls = (
        f"http://ann:{marked('userinfo')}@169.254.169.254/?token={marked('gate')}",
        f"http://nobody.invalid/?token={marked('gate')}",
    )
    gates = [{**GATE, "type": "pre-rollout", "name": f"suite-{number}", "url": url} for number, url in enumerate(urls)]
    guarded.specify(analysis={"webhooks": gates})
    guarded.tells("suite-0 cannot be called: 169.254.169.254", "Canary")
    request = {"uid": "1", "object": marked("review"), "name": marked("review"), "kind": {"kind": marked("review")}}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    for body in (json.dumps(review), json.dumps(review)[:-5], marked("review"), json.dumps({**review, "kind": MARK})):
        answer = inside("webhook", SENDING.format(body=body))
        assert answer.startswith(("200", "400")), answer
        assert MARK not in answer
    logs = [log_of(container) for container in ("webhook", "analyzer")]
    assert all(logs)
    canary = guarded.get("canary", "podinfo")
    events = [get("-n", where, "events") for where in (guarded.namespace, HOME)]
    shown = Person(guarded)("status", "podinfo", "-o", "json")
    told = (*logs, json.dumps(canary["status"]), json.dumps(events), shown.out, shown.err)
    assert not [re.findall(f".*{MARK}.*", text) for text in told if MARK in text]
    primary = json.dumps(guarded.primary)
    assert {place for place in ("env", "secret", "header", "gate") if marked(place) in primary} == {"env"}
    assert not guarded.get("controllerrevisions")["items"]

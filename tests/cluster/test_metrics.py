"""How metrics are measured: with whose credentials, for how long, and what is said when they cannot be.

What a provider refuses is no evidence against the canary, so it halts, says why, and goes on once that is mended.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from certs.authority import issue_ca, issue_serving
from tests.cluster.kubectl import Object, Said, eventually
from tests.cluster.policies import WritePolicy
from tests.cluster.shop import OpenShop, Shop
from tests.cluster.users import Users

# Answers like Prometheus: /open to anybody, /token and /basic only to whom has the Secret, /silent to nobody.
# The same with a certificate of its own making on 9443.
GUARDED_PROMETHEUS = """
import base64, http.server, ssl, threading, time
ASKS = {"/open": None, "/token": "Bearer let-me-in", "/basic": "Basic " + base64.b64encode(b"shop:s3cret").decode()}
ANSWER = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"100"]}]}}'
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.partition("/api/v1/query")[0]
        if path == "/silent":
            time.sleep(60)
        welcome = path in ASKS and self.headers.get("Authorization") == ASKS[path]
        self.send_response(200 if welcome else 401)
        self.end_headers()
        self.wfile.write(ANSWER if welcome else b"{}")
plain, secure = (http.server.ThreadingHTTPServer(("", port), Handler) for port in (9090, 9443))
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
secure.socket = context.wrap_socket(secure.socket, server_side=True)
threading.Thread(target=plain.serve_forever).start()
secure.serve_forever()
"""

TOKEN = {"token": "let-me-in"}
BASIC = {"username": "shop", "password": "s3cret"}


@pytest.fixture
def guarded(open_shop: OpenShop) -> Iterator[Shop]:
    """A shop with a provider of its own, which asks for credentials."""
    shop = open_shop(replicas=1, analysis={"interval": "1s"})
    pair = issue_serving(issue_ca(datetime.now(UTC)), ["provider.example"], datetime.now(UTC))
    certificate = {"tls.crt": pair.certificate.decode(), "tls.key": pair.key.decode()}
    container = {
        "name": "provider",
        "image": "detour.dev/detour:dev",
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-c", GUARDED_PROMETHEUS],
        "readinessProbe": {"tcpSocket": {"port": 9443}, "periodSeconds": 1},
        "volumeMounts": [{"name": "tls", "mountPath": "/tls"}],
    }
    volumes = [{"name": "tls", "secret": {"secretName": "provider-tls"}}]
    shop.apply(
        secret("provider-tls", certificate),
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "provider", "labels": {"app": "provider"}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [container], "volumes": volumes},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "provider"},
            "spec": {
                "selector": {"app": "provider"},
                "ports": [{"name": "plain", "port": 9090}, {"name": "secure", "port": 9443}],
            },
        },
    )
    shop("wait", "pod/provider", "--for=condition=ready", "--timeout=60s")
    yield shop
    shop("delete", "pod", "provider", "--wait=false")


def secret(name: str, data: dict[str, str]) -> Object:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def allow_secrets(shop: Shop) -> Said:
    """As manifests/rbac/users.yaml tells the owner of a namespace."""
    to_analyzer = ("--clusterrole=detour-secret-reader", "--serviceaccount=detour:detour-analyzer")
    return shop("create", "rolebinding", "detour-secret-reader", *to_analyzer)


def ask(shop: Shop, **metrics: Object) -> None:
    """Have the Canary measure these metrics, each by the settings of its provider; the path is the metric's name."""
    templates = []
    for name, provider in metrics.items():
        template = shop.template()
        template["metadata"]["name"] = name
        address = f"http://provider.{shop.namespace}:9090/{name}"
        template["spec"] = {"query": "vector(100)", "provider": {"type": "prometheus", "address": address, **provider}}
        templates.append(template)
    shop.apply(*templates)
    measured = [metric(name) for name in metrics]
    shop.specify(analysis={"metrics": measured})


def metric(name: str) -> Object:
    return {"name": name, "templateRef": {"name": name}, "interval": "5s", "thresholdRange": {"min": 99}}


def test_a_provider_gets_the_credentials_of_its_secret_and_its_certificate_is_taken_if_told_so(guarded: Shop) -> None:
    guarded.apply(secret("token", TOKEN), secret("basic", BASIC))
    allow_secrets(guarded)
    unverified = {"address": f"https://provider.{guarded.namespace}:9443/open", "insecureSkipVerify": True}
    ask(guarded, token={"secretRef": {"name": "token"}}, basic={"secretRef": {"name": "basic"}}, unverified=unverified)
    guarded.set_image("6.0.1")
    guarded.until("Succeeded")
    passed = [f"{name} 100.00 >= 99" for name in ("token", "basic", "unverified")]
    assert guarded.status["history"][-1]["checks"] == passed


def test_what_keeps_a_metric_from_being_measured_is_said_and_not_held_against_the_canary(guarded: Shop) -> None:
    allow_secrets(guarded)
    guarded.apply(secret("wrong", {"token": "guessed"}))
    ask(
        guarded,
        token={"secretRef": {"name": "wrong"}},
        verified={"address": f"https://provider.{guarded.namespace}:9443/open"},
        silent={},
    )
    guarded.set_image("6.0.1")
    eventually(lambda: guarded.status.get("verdict"), "a first verdict", 60, lambda: guarded.status)
    refused, unknown, silent = guarded.status["verdict"]
    assert "refuses us (401)" in refused
    assert "certificate verify failed" in unknown
    assert "no answer in time" in silent
    assert (guarded.phase, guarded.status["failedChecks"]) == ("Progressing", 0)
    assert guarded.live_image == "6.0.0"


def test_a_missing_secret_is_named_before_anything_runs(guarded: Shop) -> None:
    allow_secrets(guarded)
    ask(guarded, token={"secretRef": {"name": "token"}})
    guarded.set_image("6.0.1")
    said = "Secret token is not in the template's namespace; create it"
    guarded.says(said)
    assert guarded.leftovers() == []
    guarded.apply(secret("token", TOKEN))
    guarded.until("Succeeded")


def test_a_secret_that_the_analyzer_may_not_read_is_named_and_it_goes_on_once_it_may(guarded: Shop) -> None:
    guarded.apply(secret("token", TOKEN))
    ask(guarded, token={"secretRef": {"name": "token"}})
    guarded.set_image("6.0.1")
    guarded.says('secrets "token" is forbidden')
    allow_secrets(guarded)
    guarded.until("Succeeded")


def test_a_missing_metric_template_is_named_and_it_goes_on_once_it_is_there(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, analysis={"interval": "1s"})
    shop.specify(analysis={"metrics": [metric("conversions")]})
    shop.set_image("6.0.1")
    said = f"there is no MetricTemplate conversions in namespace {shop.namespace}; create it"
    shop.says(said)
    halt = f"Halt podinfo.{shop.namespace} advancement "
    eventually(
        lambda: any(text.startswith(halt) and said in text for text in shop.events("Deployment")),
        "an event says so",
        10,
    )
    assert not shop.exists("deployment", "podinfo-canary")
    assert shop.status["failedChecks"] == 0
    template = shop.template()
    template["metadata"]["name"] = "conversions"
    template["spec"]["query"] = "vector(100)"
    shop.apply(template)
    shop.until("Succeeded")


def test_a_step_does_not_count_before_there_were_enough_requests(
    open_shop: OpenShop, write_policy: WritePolicy
) -> None:
    shop = open_shop(policy=write_policy(minRequests=3))
    shop.set_image("6.0.1")
    shop.says("success rate is not judged: fewer than 3 requests in its interval")
    assert (shop.status["canaryWeight"], shop.status.get("failedChecks", 0)) == (10, 0)
    with Users(shop.host) as users:
        shop.until("Succeeded")
    assert users.failed == []

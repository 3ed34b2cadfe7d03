"""Doors that are closed: what each part may do, and whom nobody can have act for him where he may not himself.

What the manifests say is in tests/manifests; here it is what the API server, the kernel and the Ingress controller do.
"""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import urllib3

from tests.cluster.kubectl import Object, eventually, get, kubectl
from tests.cluster.namespaces import namespace, unique
from tests.cluster.person import Person, hire
from tests.cluster.podless import podless
from tests.cluster.shop import OpenShop, Shop, opened
from tests.cluster.users import INGRESS
from tests.manifests.test_rights import ANALYZER, ANALYZER_AT_HOME, ITS_CA, Rights
from webhook.stash import CANARY_OF

MANIFESTS = Path(__file__).parents[2] / "manifests"
HOME = "detour"
ACCOUNT = f"system:serviceaccount:{HOME}:detour-analyzer"


def may(account: str, where: str) -> Rights:
    """What an account may do in a namespace, by the API server's own answer, in the words of tests/manifests."""
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": where}}
    said = kubectl("create", "--validate=false", "-o=json", f"--as={account}", "-f", "-", stdin=json.dumps(review))
    found: dict[tuple[str, str, str | None], set[str]] = {}
    for rule in json.loads(said.out)["status"]["resourceRules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                for name in rule.get("resourceNames") or [None]:
                    found.setdefault((group, resource, name), set()).update(rule["verbs"])
    return {key: tuple(sorted(verbs)) for key, verbs in found.items()}


@pytest.mark.parametrize(("where", "more"), [("default", {}), ("kube-system", {}), (HOME, ANALYZER_AT_HOME | ITS_CA)])
def test_the_analyzer_may_do_what_is_on_the_list_and_nothing_else(where: str, more: Rights) -> None:
    everybody = may(f"system:serviceaccount:{HOME}:default", where)
    found = {key: verbs for key, verbs in may(ACCOUNT, where).items() if key not in everybody}
    assert found == {key: tuple(sorted(verbs)) for key, verbs in {**ANALYZER, **more}.items()}
    assert not {group for group, _, _ in everybody} - {"authentication.k8s.io", "authorization.k8s.io"}


@pytest.mark.parametrize("container", ["webhook", "analyzer"])
def test_a_running_container_has_no_privileges_and_cannot_write_where_programs_are(container: str) -> None:
    program = "import os;print(open('/proc/self/status').read());print(os.getuid(),os.access('/', os.W_OK))"
    told = inside(container, program)
    status = dict(line.split(":\t", 1) for line in told.splitlines() if ":\t" in line)
    assert [int(status[key], 16) for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")] == [0] * 5
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")
    assert told.splitlines()[-1] == "65532 False"
    wrote = inside(container, "open('/usr/x','w')", check=False)
    assert "Read-only file system" in wrote or "Permission denied" in wrote


def test_the_webhook_has_no_token_and_only_reads_the_certificate() -> None:
    """Looked for in all that its container mounts, not where it should be."""
    search = (
        "import os;found=[]\n"
        "for root in ('/run','/var/run','/tmp','/dev/shm','/etc'):\n"
        "  for folder,_,names in os.walk(root):\n"
        "    for name in names:\n"
        "      try: text=open(os.path.join(folder,name),'rb').read(100000)\n"
        "      except OSError: continue\n"
        "      if text.count(b'.')==2 and text.startswith(b'eyJ') or b'PRIVATE KEY' in text: found.append(name)\n"
        "print(*found, sep=',');print(os.access('/run/detour/tls', os.W_OK))\n"
    )
    webhook, _ = inside("webhook", search).split()
    assert "token" not in webhook
    assert "token" in inside("analyzer", search), "the search finds one where there is one"
    assert inside("webhook", search).split()[-1] == "False"


def inside(container: str, program: str, *, check: bool = True) -> str:
    command = ("exec", "deployment/detour", "-c", container, "--", "python3", "-c", program)
    said = kubectl("-n", HOME, *command, check=check)
    return said.out + said.err


def test_the_network_policies_are_in_force_or_would_be() -> None:
    """The API server takes them; the sandbox's network does not enforce any."""
    assert get("-n", HOME, "networkpolicy", "detour")["spec"]["ingress"]
    kubectl("-n", "default", "apply", "--dry-run=server", "-f", str(MANIFESTS / "loadtester/loadtester.yaml"))


@pytest.fixture(scope="module")
def stranger() -> Iterator[str]:
    """A namespace of somebody else, with a template and a ConfigMap that are none of other people's business."""
    with namespace("stranger") as name:
        template = Shop(name).template()
        template["spec"]["provider"]["headers"] = {"Authorization": ["Bearer t0p-secret"]}
        settings = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}
        Shop(name).apply(template, settings)
        yield name


def waits_saying(shop: Shop, said: str) -> None:
    eventually(lambda: said in str(shop.status.get("message")), said, 20, lambda: shop.status)
    assert shop.live_image == "6.0.0"


def test_no_canary_uses_a_template_or_a_secret_of_another_namespace(open_shop: OpenShop, stranger: str) -> None:
    """Not by saying so, which only the operator allows, and not by a name that leads there."""
    shop = open_shop(replicas=1)
    refer(shop, {"name": "success-rate", "namespace": stranger})
    shop.set_image("6.0.1")
    waits_saying(
        shop,
        f"spec.analysis.metrics[success-rate].templateRef.namespace: namespace {stranger} is not this one, and does "
        f"not share its templates; make a template of your own in namespace {shop.namespace}, or have the analyzer "
        f"started with --allow-references-to={stranger}",
    )
    refer(shop, {"name": "nothing", "namespace": HOME})
    waits_saying(shop, "there is no MetricTemplate nothing in namespace detour")
    template = shop.template()
    template["spec"]["provider"]["secretRef"] = {"name": f"../../{HOME}/secrets/detour-ca"}
    shop.apply(template)
    refer(shop, {"name": "success-rate"})
    waits_saying(shop, f"Secret ../../{HOME}/secrets/detour-ca is not in the template's namespace")
    shop("delete", "canary/podinfo", "--wait=false")


def refer(shop: Shop, reference: Object) -> None:
    metric = {"name": "success-rate", "interval": "1m", "thresholdRange": {"min": 99}, "templateRef": reference}
    analyse(shop, metrics=[metric])


def analyse(shop: Shop, **analysis: object) -> None:
    shop("patch", "canary/podinfo", "--type=merge", "-p", json.dumps({"spec": {"analysis": analysis}}))


def test_a_volume_whose_name_leads_elsewhere_has_nothing_of_others_held(stranger: str, tmp_path: Path) -> None:
    volume = {"name": "v", "configMap": {"name": f"../../{stranger}/configmaps/settings"}}
    with podless(pod={"volumes": [volume]}) as shop:
        shop.create()
        editor = hire(shop, tmp_path, "editor", "edit")
        editor.kubectl("patch", "deployment/podinfo", "--type=json", "-p", json.dumps(CHANGED))
        shop.tells("is gone already")
        assert shop.waiting
    assert "finalizers" not in get("-n", stranger, "configmap", "settings")["metadata"]


CHANGED = [
    {"op": "remove", "path": "/spec/template/spec/volumes"},
    {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "x:1"},
]


def test_an_editor_of_one_namespace_may_do_nothing_more_in_another_through_the_roles_that_come_along(
    tmp_path: Path,
) -> None:
    with podless() as shop:
        editor = hire(shop, tmp_path, "editor", "edit")
        for verb, kind in (("create", "canaries"), ("patch", "metrictemplates"), ("promote", "canaries.detour.dev")):
            assert editor.kubectl("-n", "default", "auth", "can-i", verb, kind).out.strip() == "no"
        for verb, kind in (("create", "canaries"), ("patch", "metrictemplates")):
            assert editor.kubectl("auth", "can-i", verb, kind).out.strip() == "yes"
        for kind in ("canarypolicies", "clusterroles", "validatingadmissionpolicies"):
            assert editor.kubectl("auth", "can-i", "create", kind).out.strip() == "no"


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
    analyse(guarded, webhooks=[{**GATE, "name": f"suite-{number}", "url": url} for number, url in enumerate(urls)])
    guarded.tells("suite-0 cannot be called: 169.254.169.254", "Canary")
    request = {"uid": "1", "object": marked("review"), "name": marked("review"), "kind": {"kind": marked("review")}}
    review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
    for body in (json.dumps(review), json.dumps(review)[:-5], marked("review"), json.dumps({**review, "kind": MARK})):
        answer = inside("webhook", SENDING.format(body=body))
        assert answer.startswith(("200", "400")), answer
        assert MARK not in answer
    logs = [kubectl("-n", HOME, "logs", "deployment/detour", "-c", name).out for name in ("webhook", "analyzer")]
    assert all(logs)
    canary = guarded.get("canary", "podinfo")
    events = [get("-n", where, "events") for where in (guarded.namespace, HOME)]
    shown = Person(guarded)("status", "podinfo", "-o", "json")
    told = (*logs, json.dumps(canary["status"]), json.dumps(events), shown.out, shown.err)
    assert not [re.findall(f".*{MARK}.*", text) for text in told if MARK in text]
    primary = json.dumps(guarded.primary)
    assert {place for place in ("env", "secret", "header", "gate") if marked(place) in primary} == {"env"}
    assert not guarded.get("controllerrevisions")["items"]


@pytest.mark.parametrize(
    ("where", "command", "refused"),
    [
        ("ingress", "delete deployment traefik", "what bears the label"),
        ("ingress", "delete service traefik", "what bears the label"),
        ("ingress", "create deployment evil --image=x", "what bears the label"),
        ("ingress", "create service clusterip evil --tcp=80", "what bears the label"),
        ("ingress", "create ingress evil --rule=a.example/=evil:80", "what bears the label"),
        ("ingress", "label service traefik detour.dev/canary-of=me", "what bears the label"),
        ("kube-system", "label deployment coredns a=b", "no canaries in kube-system"),
        (HOME, "label deployment detour a=b", "nor in its own namespace"),
        ("ingress", "label deployment traefik detour.dev/state=analysing", ""),
    ],
)
def test_the_analyzers_rights_end_where_canaries_do(where: str, command: str, refused: str) -> None:
    said = kubectl("-n", where, *command.split(), "--dry-run=server", f"--as={ACCOUNT}", check=False)
    assert refused in said.err
    assert bool(said.code) is bool(refused), said.err

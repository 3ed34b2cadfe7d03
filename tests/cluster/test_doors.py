"""Doors that are closed: what each part may do, by the API server's and the kernel's own answer.

What the manifests say is in tests/manifests; whom nobody can have act for him where he may not is in test_deputies.py.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.home import HOME, inside
from tests.cluster.kubectl import Object, get, kubectl
from tests.cluster.namespaces import namespace
from tests.manifests.test_rights import ANALYZER, ANALYZER_AT_HOME, ITS_CA, Rights

MANIFESTS = Path(__file__).parents[2] / "manifests"
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


def test_it_makes_no_autoscaler_but_a_canarys() -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "traefik"}
    body = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"}}
    made = ("create", "--dry-run=server", f"--as={ACCOUNT}", "-n", "ingress", "-f", "-")
    given = json.dumps(body | {"spec": {"scaleTargetRef": target, "maxReplicas": 2}})
    assert "what bears the label" in kubectl(*made, stdin=given, check=False).err


@pytest.fixture(scope="module")
def route() -> Iterator[tuple[str, ...]]:
    """How kubectl is told of a user's HTTPRoute, for a change that is not stored."""
    rule = {"backendRefs": [{"name": "web", "port": 80}]}
    spec = {"parentRefs": [{"name": "gate"}], "hostnames": ["web.example.com"], "rules": [rule]}
    metadata = {"name": "web", "labels": {"app": "web"}}
    body = {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": metadata, "spec": spec}
    with namespace("doors") as where:
        kubectl("-n", where, "create", "-f", "-", stdin=json.dumps(body))
        yield "-n", where, f"--as={ACCOUNT}", "--dry-run=server"


@pytest.mark.parametrize(
    ("field", "refused"),
    [
        ({"spec": {"rules": [{"backendRefs": [{"name": "web", "port": 80, "weight": 50}]}]}}, False),
        ({"metadata": {"annotations": {"detour.dev/split": "{}"}}}, False),
        ({"spec": {"hostnames": ["bank.example.com"]}}, True),
        ({"spec": {"parentRefs": [{"name": "another"}]}}, True),
        ({"metadata": {"labels": {"detour.dev/canary-of": "web"}}}, True),
    ],
)
def test_of_a_users_http_route_it_changes_the_rules_alone(route: tuple[str, ...], field: Object, refused: bool) -> None:
    said = kubectl(*route, "patch", "httproute", "web", "--type=merge", "-p", json.dumps(field), check=False)
    assert bool(said.code) is refused, said.err
    assert not refused or "the rules of HTTPRoutes alone" in said.err


def test_a_users_http_route_is_not_deleted_by_it(route: tuple[str, ...]) -> None:
    assert "what bears the label" in kubectl(*route, "delete", "httproute", "web", check=False).err


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


def test_the_network_policies_are_in_force_or_would_be() -> None:
    """The API server takes them; the sandbox's network does not enforce any."""
    assert get("-n", HOME, "networkpolicy", "detour")["spec"]["ingress"]
    kubectl("-n", "default", "apply", "--dry-run=server", "-f", str(MANIFESTS / "loadtester/loadtester.yaml"))

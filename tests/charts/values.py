"""Every value of the charts: one that is given, where to look for what it does, and what has to be found there."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.charts.rendering import Key, Object, objects, template

Rendered = Mapping[Key, Object]
Look = Callable[[Rendered], Any]

RELEASES = {"detour": "detour", "loadtester": "flagger-loadtester"}


def spec(found: Rendered) -> Object:
    """That of the chart's own Deployment."""
    (one,) = [one for (kind, name), one in found.items() if kind == "Deployment" and name in RELEASES.values()]
    return dict(one["spec"])


def in_pod(field: str) -> Look:
    return lambda found: spec(found)["template"]["spec"][field]


def in_template(field: str) -> Look:
    return lambda found: spec(found)["template"]["metadata"][field]["a"]


def in_containers(field: str) -> Look:
    return lambda found: [one[field] for one in spec(found)["template"]["spec"]["containers"]]


def flag(name: str) -> Look:
    """Its values, in all containers together."""
    given = [name + "="]
    return lambda found: [
        argument.removeprefix(given[0])
        for arguments in in_containers("args")(found)
        for argument in arguments
        if argument.startswith(given[0])
    ]


def in_webhooks(field: str) -> Look:
    return lambda found: [one[field] for one in found["MutatingWebhookConfiguration", "zz-detour"]["webhooks"]]


def namespaces(operator: str) -> Look:
    """The last condition on namespaces of every selector: what it demands of their names."""
    return lambda found: [
        expression["values"]
        for selector in in_webhooks("namespaceSelector")(found)
        if (expression := selector["matchExpressions"][-1])["operator"] == operator
    ]


def count(kind: str, name: str = "") -> Look:
    """Objects of the kind, whose names begin so."""
    return lambda found: sum(key[0] == kind and key[1].startswith(name) for key in found)


def secret(name: str) -> Look:
    return lambda found: found["Secret", name]["stringData"]


DIGEST = f"sha256:{'1' * 64}"
SECRETS = [{"name": "registry"}]
TOLERATIONS = [{"key": "dedicated", "operator": "Exists"}]
AFFINITY: Object = {"nodeAffinity": {}}
SPREAD = [{"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}]
POLICY = {"analysis": {"interval": "1m", "threshold": 2, "stepWeight": 20}}
MORE = {"limits": {"memory": "2Gi"}}


def memory(index: int) -> Look:
    return lambda found: in_containers("resources")(found)[index]["limits"]["memory"]


DETOUR: list[tuple[str, Any, Look, Any]] = [
    ("image.repository", "mirror.example.com/a", in_containers("image"), ["mirror.example.com/a:dev"] * 2),
    ("image.tag", "1.2.3", in_containers("image"), ["detour.dev/detour:1.2.3"] * 2),
    ("image.digest", DIGEST, in_containers("image"), [f"detour.dev/detour@{DIGEST}"] * 2),
    ("image.pullPolicy", "Always", in_containers("imagePullPolicy"), ["Always"] * 2),
    ("imagePullSecrets", SECRETS, in_pod("imagePullSecrets"), SECRETS),
    ("crds.install", False, count("CustomResourceDefinition"), 0),
    ("replicas", 3, lambda found: spec(found)["replicas"], 3),
    ("podDisruptionBudget.enabled", False, count("PodDisruptionBudget"), 0),
    ("priorityClassName", "high", in_pod("priorityClassName"), "high"),
    ("resources.webhook", MORE, memory(0), "2Gi"),
    ("resources.analyzer", MORE, memory(1), "2Gi"),
    ("nodeSelector", {"disk": "ssd"}, in_pod("nodeSelector"), {"disk": "ssd"}),
    ("tolerations", TOLERATIONS, in_pod("tolerations"), TOLERATIONS),
    ("affinity", AFFINITY, in_pod("affinity"), AFFINITY),
    ("topologySpread", SPREAD, in_pod("topologySpreadConstraints"), SPREAD),
    ("podAnnotations", {"a": "b"}, in_template("annotations"), "b"),
    ("podLabels", {"a": "b"}, in_template("labels"), "b"),
    ("networkPolicy.enabled", False, count("NetworkPolicy"), 0),
    ("webhook.failurePolicy", "Ignore", in_webhooks("failurePolicy"), ["Ignore"] * 2),
    ("webhook.timeoutSeconds", 9, in_webhooks("timeoutSeconds"), [9] * 2),
    ("webhook.rollback", "canary", flag("--rollback"), ["canary"]),
    ("webhook.restart", "canary", flag("--restart"), ["canary"]),
    ("enforce", True, count("ValidatingAdmissionPolicy", "detour-enforce"), 1),
    ("namespaces", ["a", "b"], namespaces("In"), [["a", "b"]] * 2),
    ("namespaces", ["a", "b"], flag("--namespace"), ["a", "b"]),
    ("excludedNamespaces", ["a", "b"], namespaces("NotIn"), [["a", "b"]] * 2),
    ("defaultPolicy", POLICY, flag("--default-policy"), ["/etc/detour/policy.yaml"]),
    ("atOnce", 8, flag("--at-once"), ["8"]),
    ("metricsServer", "http://prom:9", flag("--metrics-server"), ["http://prom:9"]),
    ("meshProvider", "nginx", flag("--mesh-provider"), ["nginx"]),
    ("eventWebhook", "http://hub.test/", flag("--event-webhook"), ["http://hub.test/"]),
    ("ingressAnnotationsPrefix", "example.com", flag("--ingress-annotations-prefix"), ["example.com"]),
    ("ingressClass", "public", flag("--ingress-class"), ["public"]),
    ("allowAddresses", ["10.0.0.0/8"], flag("--allow-address"), ["10.0.0.0/8"]),
    ("allowReferencesTo", ["a", "*"], flag("--allow-references-to"), ["a", "*"]),
    ("slack.url", "https://a/b", secret("detour-slack"), {"address": "https://a/b"}),
    ("slack.token", "xoxb-1", count("Secret", "detour-slack"), 0),  # of no use without an address
    ("slack.user", "canaries", flag("--slack-user"), ["canaries"]),
    ("slack.channel", "ops", flag("--slack-channel"), ["ops"]),
    ("slack.proxy", "http://p:3128", flag("--slack-proxy-url"), ["http://p:3128"]),
    ("msteams.url", "https://a/b", secret("detour-msteams"), {"address": "https://a/b"}),
    ("msteams.proxy", "http://p:3128", flag("--msteams-proxy-url"), ["http://p:3128"]),
    ("clusterName", "prod-eu", flag("--cluster-name"), ["prod-eu"]),
    ("certificates.from", "secret", flag("--certificates-from"), ["secret"]),
    ("leaderElection.leaseSeconds", 30, flag("--lease-seconds"), ["30"]),
    ("leaderElection.renewSeconds", 2.5, flag("--renew-seconds"), ["2.5"]),
    ("logLevel", "debug", flag("--log-level"), ["debug"] * 2),
    ("logFormat", "json", flag("--log-format"), ["json"] * 2),
    ("serviceMonitor.enabled", True, count("ServiceMonitor"), 1),
    ("prometheusRule.enabled", True, count("PrometheusRule"), 1),
    ("dashboard.enabled", True, count("ConfigMap", "detour-dashboard"), 1),
    ("prometheus.install", True, count("Deployment", "detour-prometheus"), 1),
    ("prometheus.install", True, flag("--metrics-server"), ["http://detour-prometheus.detour:9090"]),
]
LOADTESTER: list[tuple[str, Any, Look, Any]] = [
    ("image.repository", "mirror.example.com/a", in_containers("image"), ["mirror.example.com/a:dev"]),
    ("image.tag", "1.2.3", in_containers("image"), ["detour.dev/loadtester:1.2.3"]),
    ("image.digest", DIGEST, in_containers("image"), [f"detour.dev/loadtester@{DIGEST}"]),
    ("image.pullPolicy", "Always", in_containers("imagePullPolicy"), ["Always"]),
    ("imagePullSecrets", SECRETS, in_pod("imagePullSecrets"), SECRETS),
    ("allow", ["curl", "hey"], flag("--allow"), ["curl", "hey"]),
    ("suites", {"a": "#!/bin/sh\n"}, flag("--suites"), ["/suites"]),
    ("suites", {"a": "#!"}, lambda found: found["ConfigMap", "flagger-loadtester-suites"]["data"], {"a": "#!"}),
    ("bash", True, lambda found: in_containers("args")(found)[0][-1], "--bash"),
    ("tokenSecret", "mine", lambda found: in_pod("volumes")(found)[0]["secret"], {"secretName": "mine"}),
    ("tokenSecret", "mine", flag("--token-file"), ["/etc/loadtester/token"]),
    ("keepGates", False, flag("--gates-in"), []),
    ("keepGates", False, lambda found: {key[0] for key in found} & {"ConfigMap", "Role", "RoleBinding"}, set()),
    ("keepGates", False, in_pod("automountServiceAccountToken"), False),
    ("timeoutSeconds", 60, flag("--timeout"), ["60"]),
    ("atOnce", 2, flag("--at-once"), ["2"]),
    ("logLevel", "debug", flag("--log-level"), ["debug"]),
    ("logFormat", "json", flag("--log-format"), ["json"]),
    ("resources", MORE, memory(0), "2Gi"),
    ("nodeSelector", {"disk": "ssd"}, in_pod("nodeSelector"), {"disk": "ssd"}),
    ("tolerations", TOLERATIONS, in_pod("tolerations"), TOLERATIONS),
    ("affinity", AFFINITY, in_pod("affinity"), AFFINITY),
    ("podAnnotations", {"a": "b"}, in_template("annotations"), "b"),
    ("networkPolicy.enabled", False, count("NetworkPolicy"), 0),
    (
        "networkPolicy.detourNamespace",
        "elsewhere",
        lambda found: found["NetworkPolicy", "flagger-loadtester"]["spec"]["ingress"][0]["from"][1],
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "elsewhere"}}},
    ),
]
CASES = {"detour": DETOUR, "loadtester": LOADTESTER}
WITH_PROMETHEUS = {"prometheus.image", "prometheus.retention"}


def render(chart: str, *given: str, version: int = 4) -> Rendered:
    options = (f"--set-json={each}" for each in given)
    return objects(template(version, chart, *options, release=RELEASES[chart]))

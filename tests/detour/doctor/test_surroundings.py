"""What else is in the cluster: Ingress controllers, Prometheus, Flagger, other webhooks, and what is managed."""

from dataclasses import replace
from typing import Any

import pytest

from detour.doctor.finding import Level
from detour.doctor.probe import proxied
from detour.doctor.snapshot import Prometheus
from tests.detour.doctor.cluster import (
    EMPTY,
    FIT,
    TRAEFIK,
    definition,
    detours,
    hook,
    ingress_class,
    judged,
    namespace,
    said,
    workload,
)

OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL
FLAGGER = {"app.kubernetes.io/name": "flagger"}
OFF = TRAEFIK[:1]
BY_ENV = [{"name": "TRAEFIK_PROVIDERS_KUBERNETESINGRESSNGINX", "value": "true"}]


def controller(image: str, **more: Any) -> dict[str, Any]:
    return {"workloads": (detours(), workload("router", image, namespace="ingress", **more))}


@pytest.mark.parametrize(
    ("running", "level", "says"),
    [
        (controller("registry.k8s.io/ingress-nginx/controller:v1.13.2@sha256:0"), OK, "ingress-nginx (ingress/router)"),
        (controller("registry.k8s.io/ingress-nginx/controller:v1.13.2", kind="DaemonSet"), OK, "ingress-nginx"),
        (controller("docker.io/traefik:v3.7.0", args=TRAEFIK), OK, "Traefik"),
        (controller("rancher/mirrored-library-traefik:3.7.5", env=BY_ENV), OK, "Traefik"),
        (controller("corp.example/traefik", args=TRAEFIK), OK, "Traefik"),
        (controller("traefik:v3.6.21", args=TRAEFIK), WARN, "v3.6 does not know canary annotations"),
        (controller("traefik:v3.7.5", args=OFF), WARN, "provider kubernetesIngressNGINX off"),
        (controller("traefik:v3.7.5", args=("--providers.kubernetesIngressNGINX=false",)), WARN, "off"),
        (controller("traefik:v3.7.5", args=TRAEFIK, replicas=0), WARN, "none of the controllers"),
        (controller("ghcr.io/traefik/whoami:v1"), WARN, "none of the controllers"),
    ],
)
def test_a_class_of_ingress_nginx_is_as_good_as_the_controller_that_runs(
    running: dict[str, Any], level: Level, says: str
) -> None:
    assert says in said("ingress", level, **running)


def test_behind_a_controller_that_is_not_known_to_split_nothing_is_proven() -> None:
    alb = (ingress_class("alb", "ingress.k8s.aws/alb"),)
    assert "go directly, unproven" in said("ingress", WARN, classes=alb)


def test_a_cluster_without_any_class_is_told_what_to_install() -> None:
    assert "Traefik 3.7" in said("ingress", WARN, classes=())
    assert judged("ingress", classes=(), unread={"ingressclasses": "forbidden"}) == []


def test_the_class_that_the_operator_names_is_believed() -> None:
    deployment = detours()
    deployment["spec"]["template"]["spec"]["containers"][1]["args"].append("--ingress-class=edge")
    classes = (ingress_class("edge", "corp.example/edge"),)
    assert "as --ingress-class says" in said("ingress", OK, classes=classes, workloads=(deployment,))


def gateway_class(*features: str, accepted: str = "True") -> dict[str, Any]:
    status = {
        "conditions": [{"type": "Accepted", "status": accepted}],
        "supportedFeatures": [{"name": feature} for feature in features],
    }
    return {"metadata": {"name": "edge"}, "spec": {"controllerName": "example.com/edge"}, "status": status}


def test_of_a_gateway_class_it_is_told_what_of_an_analysis_it_can_do() -> None:
    found = said("Gateway API", OK, gateway_classes=(gateway_class("HTTPRouteResponseHeaderModification"),))
    assert "weights, A/B tests, session affinity; not mirroring (HTTPRouteRequestMirror)" in found
    assert "accepted by no controller" in said(
        "Gateway API", WARN, gateway_classes=(gateway_class(accepted="Unknown"),)
    )
    assert judged("Gateway API") == []
    assert judged("ingress", classes=(), gateway_classes=(gateway_class(),)) == [], "HTTPRoutes are enough"


def prometheus(**found: Any) -> Prometheus:
    return Prometheus("http://prometheus.monitoring:9090", **found)


@pytest.mark.parametrize(
    ("found", "level", "says"),
    [
        (None, WARN, "none is named"),
        (prometheus(problem='services "prometheus" not found'), FAIL, "not found"),
        (prometheus(asked=False, problem="forbidden"), WARN, "cannot be asked from here"),
        (prometheus(), WARN, "no metrics of an Ingress controller"),
        (prometheus(series=frozenset({"traefik_config_reloads_total"})), WARN, "send a request"),
        (prometheus(series=frozenset({"nginx_ingress_controller_requests"})), WARN, "no durations"),
    ],
)
def test_prometheus_has_what_the_built_in_metrics_ask_for(found: Prometheus | None, level: Level, says: str) -> None:
    assert says in said("Prometheus", level, prometheus=found)


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("http://prometheus.monitoring:9090", "/monitoring/services/http:prometheus:9090/proxy"),
        (
            "http://prometheus.monitoring.svc.cluster.local:9090/prom/",
            "/monitoring/services/http:prometheus:9090/proxy/prom",
        ),
        ("https://thanos", "/detour/services/https:thanos:443/proxy"),
        ("http://10.0.0.1:9090", None),
        ("https://prometheus.example.com", None),
    ],
)
def test_an_address_as_pods_write_it_becomes_the_path_of_a_services_proxy(address: str, path: str | None) -> None:
    assert proxied(address, "detour") == (path and f"/api/v1/namespaces{path}")


def canary(name: str, *, marked: bool = False, **spec: Any) -> dict[str, Any]:
    labels = {"detour.dev/take": "true"} if marked else {}
    target = {"kind": "Deployment", "name": name}
    return {"metadata": {"namespace": "shop", "name": name, "labels": labels}, "spec": {"targetRef": target, **spec}}


def beside(*args: str, image: str = "ghcr.io/fluxcd/flagger:1.44.0", **more: Any) -> dict[str, Any]:
    """Flagger in the same cluster."""
    return {"workloads": (*FIT.workloads, workload("flagger", image, namespace="flagger-system", args=args, **more))}


def test_beside_flagger_it_is_said_which_canaries_are_whose() -> None:
    canaries = (canary("web"), canary("api", marked=True, suspend=True))
    found = [each.found for each in judged("Flagger", canaries=canaries, **beside(labels=FLAGGER))]
    assert found[0] == "flagger-system/flagger runs, and acts on the Canaries of all namespaces"
    assert found[1] == "of 2 Canaries that it sees, 1 are its own, and 1 Detour's: shop/api"


def test_a_canary_that_both_would_act_on_is_named_with_what_it_lacks() -> None:
    both = (canary("api", marked=True),)
    assert "set spec.suspend: true" in said("Flagger", WARN, canaries=both, **beside(labels=FLAGGER))
    assert judged("Flagger", canaries=both, **beside("-namespace=test", labels=FLAGGER))[-1].level is OK


def test_a_flagger_that_detour_cannot_tell_by_its_labels_is_a_failure() -> None:
    found = judged("Flagger", **beside())
    assert found[0].level is FAIL
    assert "kubectl label -n flagger-system deployment flagger" in found[0].remedy


def test_its_load_tester_is_no_flagger() -> None:
    assert "does not run here" in said("Flagger", OK, **beside(image="ghcr.io/fluxcd/flagger-loadtester:0.38.0"))


def test_a_flagger_without_replicas_does_not_run() -> None:
    assert "flagger-system/flagger has no replicas" in said("Flagger", OK, **beside(labels=FLAGGER, replicas=0))


def test_who_has_flaggers_labels_and_not_its_rights_counts_for_nothing() -> None:
    found = judged("Flagger", impostors=frozenset({"flagger-system/flagger"}), **beside(labels=FLAGGER))
    assert [each.level for each in found] == [WARN, OK]
    assert "does not run here" in found[1].found


def test_flaggers_definitions_are_not_to_be_overwritten() -> None:
    theirs = (definition("phase", "trackedConfigs"),)
    assert "manifests/overlays/beside-flagger" in said("Flagger", WARN, EMPTY, definitions=theirs)
    assert "Flagger's own" in judged("Flagger", definitions=theirs)[0].found


def test_a_definition_too_old_to_remember_anything_is_a_failure() -> None:
    said("Flagger", FAIL, definitions=(definition("phase", "canaryWeight"),))


def test_webhooks_on_deployments_are_named_and_those_after_detours_pointed_out() -> None:
    hooks = (*FIT.hooks, hook("istio"), hook("mutate-pods", resource="pods", group=""))
    found = said("other webhooks", OK, hooks=hooks)
    assert "istio (failurePolicy Fail)" in found
    assert "mutate-pods" not in found
    assert "rename it" in said("other webhooks", WARN, hooks=(*FIT.hooks, hook("zzz-last", resource="*", group="*")))


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        (workload("server", "quay.io/argoproj/argocd:v3.2.0"), "Argo CD"),
        (workload("x", "corp/argo", kind="StatefulSet", labels={"app.kubernetes.io/part-of": "argocd"}), "Argo CD"),
        (workload("kustomize-controller", "ghcr.io/fluxcd/kustomize-controller:v1.7.0"), "Flux"),
    ],
)
def test_gitops_tools_are_told_that_there_is_nothing_to_do(tool: dict[str, Any], name: str) -> None:
    assert name in said("GitOps", OK, workloads=(*FIT.workloads, tool))


def test_what_is_managed_is_listed() -> None:
    single = workload("web", "web:1", labels={"detour.dev/policy": "careful"})
    seen = replace(
        FIT,
        namespaces=(namespace("shop", policy="default"), namespace("ops", policy="none"), namespace("x")),
        workloads=(*FIT.workloads, single),
        policies=({"metadata": {"name": "default"}}, {"metadata": {"name": "careful"}}),
        canaries=(canary("api"),),
    )
    found = said("managed", OK, seen)
    assert found.startswith("namespaces shop (default); Deployments apps/web; the targets of 1 Canaries")


def test_a_policy_that_does_not_exist_is_a_failure_before_anything_waits_for_it() -> None:
    assert "CanaryPolicy canary-fast, which does not exist" in said(
        "managed", FAIL, namespaces=(namespace("shop", policy="canary-fast"),)
    )


def test_a_namespace_that_is_never_managed_is_pointed_out() -> None:
    assert "kube-system" in said("managed", WARN, namespaces=(namespace("kube-system", policy="default"),))


def quota(hard: dict[str, str], used: dict[str, str], where: str = "shop") -> dict[str, Any]:
    return {"metadata": {"namespace": where, "name": "team"}, "status": {"hard": hard, "used": used}}


@pytest.mark.parametrize(
    ("hard", "used", "full"),
    [
        ({"pods": "10"}, {"pods": "9"}, False),
        ({"pods": "10"}, {"pods": "10"}, True),
        ({"requests.cpu": "2"}, {"requests.cpu": "1900m"}, False),
        ({"requests.cpu": "2"}, {"requests.cpu": "2000m"}, True),
        ({"requests.memory": "1Gi"}, {"requests.memory": "1000Mi"}, False),
        ({"requests.memory": "1Gi"}, {"requests.memory": "1073741824"}, True),
        ({"secrets": "1"}, {"secrets": "1"}, False),
    ],
)
def test_a_quota_that_leaves_a_canary_no_room_is_pointed_out(
    hard: dict[str, str], used: dict[str, str], full: bool
) -> None:
    managed = (namespace("shop", policy="default"),)
    found = judged("quota", namespaces=managed, quotas=(quota(hard, used), quota(hard, used, where="elsewhere")))
    assert [each.level for each in found] == ([WARN] if full else [])

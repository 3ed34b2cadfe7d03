"""A cluster that is fit for Detour, as a snapshot, to be changed in one point by each case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from detour.doctor.finding import Finding, Level
from detour.doctor.platform import NEEDED, OURS, RECORDED
from detour.doctor.snapshot import Prometheus, Snapshot, Trial
from detour.doctor.verdict import diagnose

Object = dict[str, Any]

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SERIES = frozenset({"traefik_service_requests_total", "traefik_service_request_duration_seconds_bucket"})
TRAEFIK = ("--entryPoints.web.address=:80", "--providers.kubernetesIngressNGINX=true")


def workload(name: str, *images: str, namespace: str = "apps", kind: str = "Deployment", **more: Any) -> Object:
    """A Deployment; `labels`, those of its `pods`, `args`, `env` and `replicas` may be given."""
    one = {"args": list(more.get("args", ())), "env": list(more.get("env", ()))}
    containers: list[Object] = [{"name": str(number), "image": image, **one} for number, image in enumerate(images)]
    replicas, pods = more.get("replicas", 1), {"labels": more.get("pods", {})}
    return {
        "kind": kind,
        "metadata": {"namespace": namespace, "name": name, "labels": more.get("labels", {}), "generation": 1},
        "spec": {
            "replicas": replicas,
            "template": {"metadata": pods, "spec": {"containers": containers}},
        },
        "status": {"replicas": replicas, "availableReplicas": more.get("available", replicas)},
    }


def detours(replicas: int = 2, available: int = 2, server: str = "http://prometheus.monitoring:9090") -> Object:
    """Detour's own Deployment."""
    found = workload("detour", namespace="detour", replicas=replicas, available=available)
    args = ["analyzer", f"--metrics-server={server}"]
    found["spec"]["template"]["spec"]["containers"] = [{"name": "webhook"}, {"name": "analyzer", "args": args}]
    return found


def hook(name: str, policy: str = "Fail", resource: str = "deployments", group: str = "apps") -> Object:
    """A configuration of one mutating webhook."""
    rule = {"apiGroups": [group], "apiVersions": ["*"], "resources": [resource], "operations": ["CREATE", "UPDATE"]}
    return {"metadata": {"name": name}, "webhooks": [{"name": f"{name}.x", "failurePolicy": policy, "rules": [rule]}]}


def ingress_class(name: str, controller: str, *, default: bool = False) -> Object:
    """An IngressClass."""
    annotations = {"ingressclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {"metadata": {"name": name, "annotations": annotations}, "spec": {"controller": controller}}


def definition(*fields: str, labels: dict[str, str] | None = None) -> Object:
    """That of Canaries, with these fields in the status."""
    status: Object = {"properties": {field: {} for field in fields}}
    version = {"name": "v1beta1", "schema": {"openAPIV3Schema": {"properties": {"status": status}}}}
    return {"metadata": {"name": "canaries.flagger.app", "labels": labels or {}}, "spec": {"versions": [version]}}


def lease(age: float = 1.0) -> Object:
    """Renewed so many seconds ago."""
    renewed = (NOW - timedelta(seconds=age)).isoformat()
    return {"spec": {"holderIdentity": "detour-1", "renewTime": renewed, "leaseDurationSeconds": 12}}


def namespace(name: str, **labels: str) -> Object:
    """A Namespace; `policy` is the label detour.dev/policy."""
    return {"metadata": {"name": name, "labels": {f"detour.dev/{key}": value for key, value in labels.items()}}}


DETOURS = definition("revision", labels={"app.kubernetes.io/name": "detour"})
FIT = Snapshot(
    version="v1.36.3",
    kinds=frozenset((*NEEDED, *OURS, RECORDED)),
    now=NOW,
    workloads=(detours(), workload("traefik", "traefik:v3.7.5", namespace="ingress", args=TRAEFIK)),
    classes=(ingress_class("nginx", "k8s.io/ingress-nginx", default=True),),
    hooks=(hook("zz-detour"),),
    definitions=(DETOURS,),
    policies=({"metadata": {"name": "default"}},),
    lease=lease(),
    refused={"detour-1": "", "detour-2": ""},
    trial=Trial("default", called=True),
    prometheus=Prometheus("http://prometheus.monitoring:9090", series=SERIES),
)
EMPTY = replace(
    FIT,
    workloads=FIT.workloads[1:],
    hooks=(),
    definitions=(),
    policies=(),
    lease=None,
    refused={},
    trial=None,
    prometheus=None,
)


def judged(check: str, seen: Snapshot = FIT, **change: Any) -> list[Finding]:
    """What one check says of a cluster that is like `seen` but for `change`."""
    return [each for each in diagnose(replace(seen, **change)) if each.check == check]


def said(check: str, level: Level, seen: Snapshot = FIT, **change: Any) -> str:
    """The only finding of that check that is not ok, or the only one; what is not ok has a remedy."""
    found = judged(check, seen, **change)
    (one,) = [each for each in found if each.level is not Level.OK] or found
    assert one.level is level, one
    assert one.remedy or level is Level.OK, "what is not as it should be has a remedy"
    return f"{one.found} → {one.remedy}"

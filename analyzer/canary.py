"""Which objects a canary consists of, beside its route: a Deployment, and a Service for each of the primary's.

They carry none of the primary's own metadata that a tool keeps its books in (tracking labels, last-applied
configuration, our stash): whatever is copied here is copied because something needs it.
"""

from collections.abc import Mapping
from typing import Any

from analyzer import labels as pod_labels
from analyzer.discovery import Surroundings
from analyzer.labels import Rewriting, matches, serves_pods, service_selector
from analyzer.ownership import LONGEST, canary_name, is_ours, mark, metadata
from webhook.revision import short
from webhook.stash import REVISION

DIGEST = "detour.dev/digest"
OURS = "detour.dev/"
COPIED_FROM_DEPLOYMENT = ("minReadySeconds", "progressDeadlineSeconds")
COPIED_FROM_SERVICE = ("ipFamilies", "ipFamilyPolicy", "trafficDistribution")
COPIED_PORT_FIELDS = ("name", "port", "targetPort", "protocol", "appProtocol")
COPIED_SERVICE_ANNOTATIONS = ("prometheus.io/", "traefik.ingress.kubernetes.io/service.")

Object = Mapping[str, Any]


def name(primary: Object) -> str:
    """The name of the canary Deployment: `{{ target }}` in queries."""
    return canary_name(primary["metadata"]["name"])


def rewriting(primary: Object, template: Object, surroundings: Surroundings) -> Rewriting:
    """How the template's labels change, and which policies lose the canary by that. Raises LabelError."""
    return pod_labels.rewritten(primary, surroundings.all_services, template, surroundings.protected)


def canary_deployment(
    primary: Object, template: Object, surroundings: Surroundings, replicas: int, revision_digest: str
) -> dict[str, Any]:
    """The Deployment that runs `template` apart from everything that serves or manages the primary.

    It selects by our own label alone: no two revisions differ in the selector, which is immutable. Raises LabelError.
    """
    labels = _revision(revision_digest)
    pods = _pod_template(primary, template, rewriting(primary, template, surroundings))
    pods["metadata"]["labels"] |= labels
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(primary, name(primary), labels, {DIGEST: revision_digest}),
        "spec": {
            **{field: primary["spec"][field] for field in COPIED_FROM_DEPLOYMENT if field in primary["spec"]},
            "replicas": replicas,
            "selector": {"matchLabels": mark(primary)},
            "template": pods,
        },
    }


def canary_services(primary: Object, surroundings: Surroundings, revision_digest: str) -> tuple[dict[str, Any], ...]:
    """A Service for the pods of this revision's canary, and no others, beside each that serves the primary.

    Pods of the revision before may still be ending: some routers would go on sending them requests.
    """
    selector = {**mark(primary), **_revision(revision_digest)}
    return tuple(_service(primary, service, selector, surroundings.metadata) for service in surroundings.services)


def is_mistaken(canary: Object, primary: Object, surroundings: Surroundings) -> bool:
    """Whether the pods of a canary that runs are taken for the primary's: by a Service that came since, or changed.

    Other labels that would be chosen today are no reason to replace them.
    """
    labels = canary["spec"]["template"]["metadata"]["labels"]
    others = [each for each in surroundings.all_services if serves_pods(each) and not is_ours(each, primary)]
    return any(matches(selector, labels) for selector in (primary["spec"]["selector"], *map(service_selector, others)))


def deserts(template: Object, surroundings: Surroundings) -> str | None:
    """Why a primary that ran `template` would get no traffic any more: the labels that its Services select are gone.

    The canary's own Services would not show it, since they select by our label.
    """
    labels = template["metadata"].get("labels") or {}
    for service in surroundings.services:
        if not matches(service_selector(service), labels):
            selector = ",".join(f"{key}={value}" for key, value in sorted(service["spec"]["selector"].items()))
            return (
                f"Service {service['metadata']['name']} selects {selector}, and the new template has other labels: "
                "once promoted, no pod would serve it; keep these labels, or change the Service first"
            )
    return None


def _pod_template(primary: Object, template: Object, change: Rewriting) -> dict[str, Any]:
    labels: dict[str, str] = template["metadata"].get("labels") or {}
    return {
        "metadata": {**template["metadata"], "labels": {**change.of(labels), **mark(primary)}},
        "spec": pod_labels.followed(template["spec"], labels, change, primary["metadata"]["namespace"]),
    }


def _revision(revision_digest: str) -> dict[str, str]:
    return {REVISION: short(revision_digest)}


def _service(primary: Object, service: Object, selector: Mapping[str, str], extra: Object) -> dict[str, Any]:
    """The same ports by the same names, the labels by which a ServiceMonitor finds it, and what is wanted besides."""
    spec, meta = service["spec"], service["metadata"]
    wanted = {**(meta.get("labels") or {}), **(extra.get("labels") or {})}
    labels = {key: value for key, value in wanted.items() if not key.startswith(OURS)}
    copied = {
        key: value
        for key, value in (meta.get("annotations") or {}).items()
        if key.startswith(COPIED_SERVICE_ANNOTATIONS)
    }
    annotations = {**copied, **(extra.get("annotations") or {})}
    ports = [{field: port[field] for field in COPIED_PORT_FIELDS if field in port} for port in spec.get("ports") or ()]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(primary, canary_name(meta["name"], LONGEST), labels, annotations),
        "spec": {
            **{field: spec[field] for field in COPIED_FROM_SERVICE if field in spec},
            **({"clusterIP": "None"} if spec.get("clusterIP") == "None" else {}),
            **({"ports": ports} if ports else {}),
            "selector": dict(selector),
        },
    }

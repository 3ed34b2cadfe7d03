"""The stage is set: a namespace of the demo's own, podinfo in it, and Detour certain to be watching."""

from importlib.resources import files

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, NotFound, Unreachable
from analyzer.kube.resources import CANARIES, Resource
from detour.demo.kubectl import DemoError, Kubectl
from detour.demo.observation import NAMESPACE
from detour.demo.venue import SANDBOXES_PROMETHEUS, Venue

NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
RULES = "spec:\n  rules:"  # of the Ingress
MARK = "app.kubernetes.io/part-of"


def check(client: Client) -> None:
    """Raises DemoError unless there is a cluster, Detour's kinds are in it, and the namespace is ours to remove."""
    try:
        client.list(CANARIES)
        labels = client.get(NAMESPACES, None, NAMESPACE)["metadata"].get("labels") or {}
    except NotFound as missing:
        if NAMESPACE in missing.message:
            return
        raise DemoError("this cluster has no Detour; install it: kubectl apply -k manifests/") from missing
    except (ApiError, Unreachable) as error:
        raise DemoError(f"the cluster does not answer; run `make up`, or see --kubeconfig. It said: {error}") from error
    if labels.get(MARK) != NAMESPACE:
        raise DemoError(f"namespace {NAMESPACE} is somebody else's (no label {MARK}); remove it and try again")


def clear(kubectl: Kubectl, wait: bool) -> None:
    """Remove the namespace, if it is there."""
    kubectl.quietly(f"delete namespace {NAMESPACE} --ignore-not-found --wait={str(wait).lower()} --timeout=120s")


def build(kubectl: Kubectl, venue: Venue) -> None:
    """Make everything, and wait until the next update is certain to be diverted."""
    kubectl.say(f"clearing namespace {NAMESPACE}")
    clear(kubectl, wait=True)
    kubectl.say("applying podinfo 6.0.0 with Service, Ingress, two MetricTemplates and a Canary")
    kubectl.quietly("apply -f -", objects(venue.prometheus, venue.ingress_class))
    if venue.more:
        kubectl.say("applying a Prometheus of the demo's own")
        kubectl.quietly("apply -f -", venue.more)
        kubectl.quietly(f"-n {NAMESPACE} rollout status deployment/prometheus --timeout=120s")
    kubectl.quietly(f"-n {NAMESPACE} rollout status deployment/podinfo --timeout=120s")
    kubectl.typed(f"-n {NAMESPACE} wait --for=condition=guarded canary/podinfo --timeout=60s")


def objects(prometheus: str, ingress_class: str = "") -> str:
    """The YAML of the demo, with the address at which the cluster has its Prometheus, and the class of the Ingress."""
    text = files("detour.demo").joinpath("podinfo.yaml").read_text(encoding="utf-8")
    chosen = f"spec:\n  ingressClassName: {ingress_class}\n  rules:" if ingress_class else RULES
    return text.replace(SANDBOXES_PROMETHEUS, prometheus).replace(RULES, chosen)

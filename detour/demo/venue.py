"""Where the demo is played: in the sandbox, which has all that it needs, or in any cluster that is fit for Detour."""

import json
from dataclasses import dataclass
from importlib.resources import files

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Unreachable
from detour.demo.kubectl import DemoError
from detour.demo.observation import NAMESPACE
from detour.doctor import routers
from detour.doctor.look import look
from detour.doctor.snapshot import Snapshot
from detour.doctor.verdict import diagnose, failed

REPOSITORY = "ghcr.io/stefanprodan/podinfo"
SANDBOXES_PROMETHEUS = "http://prometheus.monitoring:9090"
OWN_PROMETHEUS = f"http://prometheus.{NAMESPACE}:9090"
PROMETHEUS_IMAGE = "quay.io/prometheus/prometheus:v3.5.0"
SLOW = {
    "PODINFO_RANDOM_DELAY": "true",
    "PODINFO_RANDOM_DELAY_UNIT": "ms",
    "PODINFO_RANDOM_DELAY_MIN": "700",
    "PODINFO_RANDOM_DELAY_MAX": "900",
}
"""Settings of podinfo's own: every answer takes this long. Its probe has a second, and the check half of one."""


@dataclass(frozen=True, slots=True)
class Version:
    """One to be shipped, by a kubectl command; `expected` is the outcome that its Canary should come to."""

    tag: str
    what: str
    expected: str
    command: str


@dataclass(frozen=True, slots=True)
class Venue:
    """What differs from place to place. `prometheus` as the analyzer reaches it; `more` is YAML that is applied, too.

    `ingress_class` "" is the cluster's default; `seen` is what the doctor saw, None in the sandbox.
    """

    versions: tuple[Version, ...]
    prometheus: str
    more: str = ""
    ingress_class: str = ""
    seen: Snapshot | None = None


GOOD = Version("6.0.1", "a good version", "Succeeded", f"set image deployment/podinfo podinfod={REPOSITORY}:6.0.1")
ERRORS = "a version that fails a third of its requests"
BAD = Version("errors", ERRORS, "Failed", f"set image deployment/podinfo podinfod={REPOSITORY}:errors")


def sandbox(prometheus: str | None) -> Venue:
    """The one of `make up`, which has an image that is bad by itself."""
    return Venue((GOOD, BAD), prometheus or SANDBOXES_PROMETHEUS)


def elsewhere(client: Client, prometheus: str | None, image: str, ingress_class: str) -> Venue:
    """Any cluster with Detour in it. Raises DemoError where it is not fit, in the words of `detour doctor`."""
    try:
        seen = look(client)
    except (ApiError, Unreachable) as error:
        raise DemoError(f"the cluster does not answer; see --kubeconfig. It said: {error}") from error
    if not seen.installed:
        raise DemoError("this cluster has no Detour; install it: kubectl apply -k manifests/")
    if wrong := failed(diagnose(seen)):
        raise DemoError("\n  ".join(("the cluster is not fit:", *(f"{each.check}: {each.found}" for each in wrong))))
    classes = routers.splitting(seen)
    if not ingress_class and not classes:
        raise DemoError("no IngressClass is known to split requests: see detour doctor, or name one: --ingress-class")
    more = "" if prometheus else _own_prometheus(image)
    return Venue((GOOD, _slow()), prometheus or OWN_PROMETHEUS, more, ingress_class or classes[0], seen)


def _slow() -> Version:
    """A bad version out of a good image: its settings make it slow."""
    env = [{"name": name, "value": value} for name, value in SLOW.items()]
    container = {"name": "podinfod", "image": f"{REPOSITORY}:6.0.2", "env": env}
    patch = {"spec": {"template": {"spec": {"containers": [container]}}}}
    command = f"patch deployment podinfo --patch '{json.dumps(patch)}'"
    return Version("6.0.2", "a version that takes 700 ms and more for each answer", "Failed", command)


def _own_prometheus(image: str) -> str:
    text = files("detour.demo").joinpath("prometheus.yaml").read_text(encoding="utf-8")
    return text.replace(PROMETHEUS_IMAGE, image)

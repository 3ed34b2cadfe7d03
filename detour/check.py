"""`detour check`: whether Detour works here, tried and not believed. `helm test` runs it in a pod.

The webhook is called as the API server calls it, by its Service and trusting the caBundle alone, with an update that it
must divert; what it answers is stored by nobody. That an analyzer leads, its Lease says.
"""

import ssl
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import click
import urllib3

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, NotFound, Unreachable
from analyzer.kube.lease import NAME, SECONDS
from analyzer.kube.resources import LEASES, WEBHOOK_CONFIGURATIONS
from analyzer.removal import CONFIGURATION
from detour.certificates import ca_bundles
from detour.person import Problem, place, sentence
from detour.terminal import say

LOOK_EVERY = 1.0  # seconds
PATIENCE = 5.0  # seconds that an answer may take
NOBODY = "00000000-0000-0000-0000-000000000000"


@click.command("check")
@click.option("--kubeconfig", help="by default $KUBECONFIG, else ~/.kube/config, else the pod's ServiceAccount")
@click.option("--timeout", type=click.IntRange(0, 600), default=60, show_default=True, help="seconds")
def command(kubeconfig: str | None, timeout: int) -> None:
    """Call the webhook as the API server does, and see that an analyzer leads: from within the cluster.

    Exits with 0 when both are so, and with 3 when they are not in time.
    """
    client = place(kubeconfig, None).client
    for look in (webhook, leader):
        say(_until(look, client, timeout))


def webhook(client: Client) -> str:
    """Has the webhook divert an update of nothing. Raises Problem."""
    configuration = client.get(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION)
    called = configuration["webhooks"][0]["clientConfig"]["service"]
    where = f"{called['name']}.{called['namespace']}.svc:{called.get('port', 443)}{called.get('path', '/')}"
    trusted = ssl.create_default_context(cadata=_authority(configuration))
    trusted.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # any certificate of the caBundle is an anchor, as in Go
    try:
        with urllib3.PoolManager(ssl_context=trusted, timeout=PATIENCE, retries=False) as pool:
            answer = pool.request("POST", f"https://{where}", json=review()).json()
    except (urllib3.exceptions.HTTPError, ValueError) as error:
        raise Problem(f"the webhook does not answer at {where}: {error}") from error
    if not answer.get("response", {}).get("patch"):
        raise Problem(f"the webhook at {where} does not divert an update: {answer}")
    return f"the webhook diverts updates: {where}"


def leader(client: Client) -> str:
    """Sees that the Lease of the analyzer is held and renewed. Raises Problem."""
    configuration = client.get(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION)
    home = configuration["webhooks"][0]["clientConfig"]["service"]["namespace"]
    try:
        spec = client.get(LEASES, home, NAME)["spec"]
    except NotFound as error:
        raise Problem(f"no analyzer leads: there is no Lease {NAME} in namespace {home}") from error
    age = (client.now() - datetime.fromisoformat(spec["renewTime"])).total_seconds()
    if not spec.get("holderIdentity") or age > spec.get("leaseDurationSeconds", SECONDS):
        raise Problem(f"no analyzer leads: the Lease {NAME} in namespace {home} was renewed {age:.0f} s ago")
    return f"an analyzer leads: {spec['holderIdentity']}"


def review() -> dict[str, Any]:
    """An update of a Deployment that there is not, from one image to another."""
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": NOBODY,
            "kind": {"group": "apps", "version": "v1", "kind": "Deployment"},
            "operation": "UPDATE",
            "name": "check",
            "namespace": "check",
            "userInfo": {"username": "detour-check"},
            "object": _deployment("new"),
            "oldObject": _deployment("old"),
        },
    }


def _deployment(image: str) -> dict[str, Any]:
    labels = {"app": "check"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "check", "namespace": "check", "labels": {"detour.dev/policy": "default"}},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "check", "image": image}]}},
        },
    }


def _authority(configuration: dict[str, Any]) -> str:
    bundles = set(ca_bundles(configuration).values())
    if len(bundles) != 1 or not all(bundles):
        raise Problem(f"{CONFIGURATION} has no caBundle yet: the analyzer's log says why")
    return bundles.pop().decode()


def _until(look: Callable[[Client], str], client: Client, timeout: float) -> str:
    """What it says in the end. Raises its last Problem when the time is over."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return look(client)
        except (Problem, ApiError, Unreachable) as error:
            if time.monotonic() > deadline:
                raise error if isinstance(error, Problem) else Problem(sentence(error)) from error
        time.sleep(LOOK_EVERY)

"""`python -m tests.beside`, part of `make flagger`: one application is Flagger's and one Detour's, in one namespace.

The definitions are Flagger's, as its release has them, for as long as it lasts; nobody else may use the cluster then.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analyzer.coexistence import TAKE
from tests.bench import flagger
from tests.bench.figure import say
from tests.cluster.kubectl import Object, eventually, exists, kubectl
from tests.cluster.namespaces import unique
from tests.cluster.shop import QUICK, Shop, opened

KINDS = ("canaries", "metrictemplates", "alertproviders")
OTHER = "web"
LEFT = "skipping canary run as object is suspended"


def main() -> int:
    """Returns the exit status."""
    began = time.monotonic()
    with flaggers_definitions(), opened(Shop(unique("beside"), analysis=QUICK)) as shop:
        shop("patch", "canary", "podinfo", "--type=merge", "-p", '{"spec": {"suspend": true}}')
        shop("label", "canary", "podinfo", f"{TAKE}=true")
        with flagger.running(shop.namespace):
            shop("label", "deployment", flagger.NAME, "app=flagger")  # as its kustomization has it
            shop.apply(*others(shop))
            shop.set_image("6.0.1")
            shop.until("Succeeded", 120)
            eventually(lambda: phase_of(shop, OTHER) == "Initialized", "Flagger has taken the other one", 120)
            wrong = problems(shop)
    say("\n".join(wrong) or "each acts on its own Canary, by Flagger's definitions")
    say(f"in {time.monotonic() - began:.0f} s")
    return 1 if wrong else 0


def problems(shop: Shop) -> list[str]:
    """What is not as it should be, once both have done their work; empty if nothing is."""
    history = [entry["outcome"] for entry in shop.status.get("history", ())]
    detours, theirs = (shop.get("deployment", name) for name in ("podinfo", OTHER))
    copied = exists("-n", shop.namespace, "deployment", "podinfo-primary")
    checks = {
        f"Detour's application runs {shop.live_image}": shop.live_image == "6.0.1",
        f"what Detour remembers of it is {history}": history == ["Succeeded"],
        "Flagger has made a copy of Detour's application": not copied,
        "Detour's application has other replicas": detours["spec"]["replicas"] == shop.replicas,
        "Flagger has not taken its own": exists("-n", shop.namespace, "deployment", f"{OTHER}-primary"),
        "Detour guards Flagger's": "detour.dev/policy" not in theirs["metadata"].get("labels", {}),
        f"Flagger says of Detour's {said_by_flagger(shop)}": said_by_flagger(shop) == {LEFT},
    }
    return [text for text, holds in checks.items() if not holds]


def phase_of(shop: Shop, name: str) -> str:
    """As Flagger has stored it."""
    return str((shop.get("canary", name).get("status") or {}).get("phase"))


def said_by_flagger(shop: Shop) -> set[str]:
    """Its events about Detour's Canary."""
    found = shop.get("events", "--field-selector", "involvedObject.kind=Canary,involvedObject.name=podinfo")["items"]
    return {event["message"] for event in found if event.get("source", {}).get("component") == "flagger"}


def others(shop: Shop) -> tuple[Object, ...]:
    """A second application, with a Canary that is nobody's but Flagger's."""
    deployment, ingress, canary = shop.deployment(), shop.ingress(), shop.canary()
    for each in (deployment, ingress, canary):
        each["metadata"]["name"] = OTHER
    deployment["spec"]["selector"]["matchLabels"] = {"app": OTHER}
    deployment["spec"]["template"]["metadata"]["labels"] = {"app": OTHER}
    (rule,) = ingress["spec"]["rules"]
    rule["host"] = f"{OTHER}.{shop.host}"
    rule["http"]["paths"][0]["backend"]["service"]["name"] = OTHER
    reference = {"apiVersion": ingress["apiVersion"], "kind": "Ingress", "name": OTHER}
    canary["spec"] |= {"ingressRef": reference, "service": {"port": 9898}, "provider": "nginx"}
    canary["spec"]["targetRef"] = canary["spec"]["targetRef"] | {"name": OTHER}
    return deployment, ingress, canary


@contextmanager
def flaggers_definitions() -> Iterator[None]:
    """Flagger's own, as its release has them, for the length of the block; then those that were there before."""
    names = [f"crd/{kind}.flagger.app" for kind in KINDS]
    before: Object = json.loads(kubectl("get", *names, "-o", "json").out)
    for item in before["items"]:
        item.pop("status", None)
        for key in ("resourceVersion", "managedFields", "generation"):
            item["metadata"].pop(key, None)
    command = ["go", "list", "-m", "-f", "{{.Dir}}", f"github.com/fluxcd/flagger@v{flagger.PART.version}"]
    home = Path(__file__).parents[1] / "bench" / "parts" / "flagger"
    module = subprocess.run(command, cwd=home, capture_output=True, text=True, check=True).stdout.strip()
    try:
        kubectl("replace", "-f", f"{module}/artifacts/flagger/crd.yaml")
        yield
    finally:
        kubectl("replace", "-f", "-", stdin=json.dumps(before))


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as an exception, so that everything is put back
    sys.exit(main())

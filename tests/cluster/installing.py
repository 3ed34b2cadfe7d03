"""Detour put on the cluster and taken off it, by what its own manual says; and what is left of it then."""

import subprocess
import sys

from tests.cluster.kubectl import KUBECONFIG, ROOT, Said, kubectl

MANIFESTS = str(ROOT / "manifests")
ELSEWHERE, HOME_ELSEWHERE = f"{MANIFESTS}/overlays/another-namespace", "detour-system"
BUDGET = "poddisruptionbudget.policy/detour configured"
"""What kubectl always says of one: its patch has the whole selector, whether it is another or not."""
OF_THE_CLUSTER = (
    "namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,mutatingwebhookconfigurations,"
    "validatingadmissionpolicies,validatingadmissionpolicybindings,mutatingadmissionpolicies,"
    "mutatingadmissionpolicybindings"
)
OF_ROLLOUTS = "deployments,services,ingresses,configmaps,secrets,serviceaccounts"
DEFINITIONS = {
    f"customresourcedefinition.apiextensions.k8s.io/{name}"
    for name in ("alertproviders.flagger.app", "canaries.flagger.app", "metrictemplates.flagger.app")
}


def applied(path: str) -> set[str]:
    """What kubectl says of each object, but for those that are unchanged. Fails with any error, or a warning."""
    said = kubectl("apply", "-k", path)
    assert said.err == ""
    return {line for line in said.out.splitlines() if not line.endswith(" unchanged")}


def install() -> None:
    """As in the README, until its pod is ready."""
    kubectl("apply", "-k", MANIFESTS)
    rolled_out("detour")


def rolled_out(home: str) -> None:
    """Wait for the pods of the Detour in this namespace."""
    kubectl("-n", home, "rollout", "status", "deployment/detour", "--timeout=120s")


def delete_everything() -> Said:
    """Returns when kubectl has seen it all go."""
    return kubectl("delete", "-k", MANIFESTS, "--timeout=150s", check=False)


def uninstall(*options: str) -> Said:
    """`detour uninstall`, by a platform engineer who needs not be asked."""
    command = [sys.executable, "-m", "detour", "uninstall", "--yes", "--kubeconfig", str(KUBECONFIG), *options]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=300, check=False)
    return Said(done.stdout, done.stderr, done.returncode)


def remains() -> set[str]:
    """Everything in the cluster that bears Detour's name, its label, or a label that a rollout has put on."""
    named = kubectl("get", OF_THE_CLUSTER, "-o", "name").out.split()
    labelled = kubectl("get", OF_ROLLOUTS, "-A", "-l", "app.kubernetes.io/name=detour", "-o", "name").out.split()
    marks = ("detour.dev/canary-of", "detour.dev/in-use")
    made = [name for mark in marks for name in kubectl("get", OF_ROLLOUTS, "-A", "-l", mark, "-o", "name").out.split()]
    return {name for name in named if "detour" in name or "flagger" in name} | set(labelled) | set(made)

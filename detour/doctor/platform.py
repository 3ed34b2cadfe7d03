"""What the API server has to understand, and who may ask it for what.

The minimum follows from the manifests: webhook matchConditions, ValidatingAdmissionPolicy v1 and the pause before a
container stops are there without a feature gate since Kubernetes 1.30, validation rules in definitions since 1.29.
MutatingAdmissionPolicy v1 came with 1.36; without it who uses the field manager detour-bypass is not written down.
"""

import re
from collections.abc import Iterator

from detour.doctor.finding import Finding, fail, ok, warn
from detour.doctor.snapshot import Snapshot

MINIMUM = (1, 30)
COMPLETE = (1, 36)
RECORDED = "admissionregistration.k8s.io/v1 mutatingadmissionpolicies"
NEEDED = (
    "admissionregistration.k8s.io/v1 mutatingwebhookconfigurations",
    "admissionregistration.k8s.io/v1 validatingadmissionpolicies",
    "admissionregistration.k8s.io/v1 validatingadmissionpolicybindings",
    "apiextensions.k8s.io/v1 customresourcedefinitions",
    "apps/v1 deployments",
    "coordination.k8s.io/v1 leases",
    "networking.k8s.io/v1 ingresses",
)
OURS = (
    "detour.dev/v1alpha1 canarypolicies",
    "detour.dev/v1alpha1 leaders",
    "flagger.app/v1beta1 canaries",
    "flagger.app/v1beta1 metrictemplates",
    "flagger.app/v1beta1 alertproviders",
)


def check(seen: Snapshot) -> Iterator[Finding]:
    """All of it."""
    yield _version(seen)
    yield from _kinds(seen)
    yield _installer(seen)
    if seen.installed:
        yield _analyzer(seen)
    for what, why in seen.unread.items():
        yield warn("reading", f"{what}: {why}", "ask as somebody who may read the whole cluster: the rest is judged")


def _version(seen: Snapshot) -> Finding:
    parts = re.match(r"v?(\d+)\.(\d+)", seen.version)
    if parts is None:
        return warn("Kubernetes", f"version {seen.version!r} is not understood", "compare it with 1.36 yourself")
    version = int(parts[1]), int(parts[2])
    if version < MINIMUM:
        return fail("Kubernetes", f"{seen.version} is older than 1.30", "upgrade the cluster to 1.36 or newer")
    if version < COMPLETE:
        remedy = "upgrade to 1.36, or install all but the MutatingAdmissionPolicy (docs/existing-clusters.md)"
        return warn("Kubernetes", f"{seen.version}: enough for everything but the record of who bypasses", remedy)
    return ok("Kubernetes", seen.version)


def _kinds(seen: Snapshot) -> Iterator[Finding]:
    missing = [kind for kind in NEEDED if kind not in seen.kinds]
    if missing:
        yield fail("API", f"not served: {', '.join(missing)}", "enable them: kube-apiserver --runtime-config")
    if RECORDED not in seen.kinds:
        remedy = "nothing breaks; the audit log has it: who used --field-manager=detour-bypass"
        yield warn("API", f"not served: {RECORDED}: bypasses are not told in events", remedy)
    if not missing and RECORDED in seen.kinds:
        yield ok("API", "everything that the manifests consist of is served")
    lost = [kind for kind in OURS if kind not in seen.kinds]
    if seen.installed and lost:
        yield fail(
            "definitions", f"missing: {', '.join(lost)}", "apply manifests/crds again: kubectl apply -k manifests/"
        )


def _installer(seen: Snapshot) -> Finding:
    if not seen.lacking:
        return ok("your rights", "you may install and upgrade Detour")
    found = f"you may not {', '.join(seen.lacking)}"
    remedy = "installing and upgrading is for somebody bound to cluster-admin"
    return (warn if seen.installed else fail)("your rights", found, remedy)


def _analyzer(seen: Snapshot) -> Finding:
    if not seen.analyzer_lacks:
        return ok("analyzer's rights", "it may do what it has to")
    found = f"it may not {', '.join(seen.analyzer_lacks)}"
    return fail("analyzer's rights", found, "apply manifests/rbac again: kubectl apply -k manifests/")

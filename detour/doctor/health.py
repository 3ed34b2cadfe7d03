"""Whether an installation is at work: replicas, a leader, certificates, and the API server's way to the webhook."""

from collections.abc import Iterator
from datetime import datetime

from analyzer.workload import available, wanted_replicas
from detour.doctor.finding import Finding, fail, ok, warn
from detour.doctor.snapshot import Snapshot, Trial, name_of

PORT = 8443
BLOCKED = (
    f"see kubectl detour certs status; that no NetworkPolicy or firewall keeps the API server from port {PORT} of the "
    "pods (private clusters of cloud providers need a rule for it); and the webhook's log"
)


def check(seen: Snapshot) -> Iterator[Finding]:
    """Nothing of it can be said before Detour is there."""
    if not seen.installed:
        yield ok("installation", "Detour is not installed", "install it: kubectl apply -k manifests/")
        return
    yield _configuration(seen)
    yield _replicas(seen)
    yield _leader(seen)
    yield from _certificates(seen)
    if seen.trial:
        yield _trial(seen.trial)
    yield from _network(seen)


def _configuration(seen: Snapshot) -> Finding:
    if seen.hook is None:
        remedy = "apply it again: kubectl apply -k manifests/"
        return fail("webhook", "its configuration zz-detour is gone: nothing is diverted", remedy)
    if any(each.get("failurePolicy") == "Ignore" for each in seen.hook.get("webhooks") or ()):
        remedy = "set failurePolicy: Fail, unless a failed canary matters less to you than a refused update"
        return warn("webhook", "failurePolicy Ignore: while it is down, updates go directly to the primary", remedy)
    return ok("webhook", "updates are refused, not let past, while it is down (failurePolicy Fail)")


def _replicas(seen: Snapshot) -> Finding:
    if seen.deployment is None:
        return fail("replicas", f"no Deployment detour in namespace {seen.home}", "kubectl apply -k manifests/")
    ready, wanted = available(seen.deployment), wanted_replicas(seen.deployment)
    found = f"{ready} of {wanted} available in namespace {seen.home}"
    if ready == 0:
        remedy = f"kubectl -n {seen.home} describe pods; until then no template of what is managed can be changed"
        return fail("replicas", found, remedy)
    if ready < wanted:
        return warn("replicas", found, f"kubectl -n {seen.home} describe pods")
    if wanted < 2:
        remedy = "run two: while the only one restarts, updates of what is managed are refused"
        return warn("replicas", found, remedy)
    return ok("replicas", found)


def _leader(seen: Snapshot) -> Finding:
    spec = seen.lease["spec"] if seen.lease else {}
    if not spec.get("holderIdentity") or not spec.get("renewTime"):
        return fail(
            "leader",
            "no analyzer leads: canaries stand still",
            f"kubectl -n {seen.home} logs deploy/detour -c analyzer",
        )
    age = (seen.now - datetime.fromisoformat(spec["renewTime"])).total_seconds()
    if age > spec.get("leaseDurationSeconds", 12):
        found = f"{spec['holderIdentity']} has not renewed its lease for {age:.0f} s: canaries stand still"
        return fail("leader", found, f"kubectl -n {seen.home} logs deploy/detour -c analyzer")
    return ok("leader", str(spec["holderIdentity"]))


def _certificates(seen: Snapshot) -> Iterator[Finding]:
    if "certificates" in seen.unread:
        return
    for pod, why in seen.refused.items():
        if why:
            yield fail("certificates", f"the API server refuses {pod}: {why}", "see kubectl detour certs status")
    if seen.refused and not any(seen.refused.values()):
        yield ok("certificates", f"the API server trusts what {len(seen.refused)} replicas present")


def _trial(trial: Trial) -> Finding:
    how = f"a dry run in namespace {trial.namespace}"
    if trial.called:
        return ok("diversion", f"the API server reaches the webhook ({how})")
    if ".detour.dev" in trial.problem:
        return fail("diversion", f"{how}: {trial.problem}", BLOCKED)
    if trial.problem:
        return warn("diversion", f"it cannot be tried ({how}): {trial.problem}", "try it on a Deployment: make demo")
    remedy = "see its rules and selectors: kubectl get mutatingwebhookconfiguration zz-detour -o yaml"
    return fail("diversion", f"the webhook is not called for a labelled Deployment ({how})", remedy)


def _network(seen: Snapshot) -> Iterator[Finding]:
    """What comes in is tried above. What goes out is not: it may be shut for the analyzer alone."""
    for policy in seen.network_policies:
        if "Egress" in (policy["spec"].get("policyTypes") or ()):
            found = f"NetworkPolicy {name_of(policy)} limits what pods of namespace {seen.home} may call"
            yield warn(
                "network", found, "the analyzer needs the API server, the cluster's DNS, providers of metrics and gates"
            )

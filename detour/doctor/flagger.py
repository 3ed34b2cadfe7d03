"""Flagger in the same cluster: whether it runs, whose the definitions are, and which Canaries are whose."""

from collections.abc import Iterator

from analyzer.coexistence import EVERYWHERE, TAKE, is_flagger, is_marked, left_by_flagger, missing, runs_flagger, scope
from analyzer.removal import DEFINITION
from detour.doctor.finding import Finding, fail, ok, warn
from detour.doctor.snapshot import Object, Snapshot, called, label, name_of

CHECK = "Flagger"
GROUP = ".flagger.app"
OVERLAY = "kubectl apply -k manifests/overlays/beside-flagger (Helm: crds.install=false)"


def check(seen: Snapshot) -> Iterator[Finding]:
    """The definitions first: an installation that overwrites them comes before anything else."""
    yield from _definitions(seen)
    for name in sorted(seen.impostors):
        remedy = "if it is Flagger, give its ServiceAccount Flagger's rights; if not, take the label away"
        yield warn(CHECK, f"{name} has Flagger's labels, and no right to Canaries: it counts for nothing", remedy)
    deployments = (each for each in seen.workloads if each["kind"] == "Deployment")
    here = [each for each in deployments if runs_flagger(each) and called(each) not in seen.impostors]
    running = [(each, where) for each in here if (where := scope(each)) is not None]
    for found, where in running:
        yield from _controller(found, where)
    if running:
        yield from _canaries(seen, {where for _, where in running})
    elif "workloads" not in seen.unread:
        stopped = f" ({called(here[0])} has no replicas)" if here else ""
        yield ok(CHECK, f"does not run here{stopped}: Detour takes every Canary")


def _definitions(seen: Snapshot) -> Iterator[Finding]:
    theirs = [each for each in seen.definitions if _is_foreign(each)]
    canaries = next((each for each in theirs if name_of(each) == DEFINITION), None)
    if canaries is not None and not _fields(canaries) & {"revision", "trackedConfigs"}:
        remedy = "bring them up to date from a release of Flagger 1.x, which leaves the Canaries as they are"
        yield fail(CHECK, f"the definition {DEFINITION} has no room for what Detour remembers", remedy)
    elif theirs and not seen.installed:
        names = ", ".join(name_of(each) for each in theirs)
        yield warn(CHECK, f"{names}: not of Detour's making", f"install without overwriting them: {OVERLAY}")
    elif theirs:
        hint = f"spec.freezes and spec.withoutRoutes go into the annotation detour.dev/spec; upgrade by {OVERLAY}"
        yield ok(CHECK, "the definitions of Canaries are Flagger's own; Detour works by them", hint)


def _controller(found: Object, where: str) -> Iterator[Finding]:
    area = "all namespaces" if where == EVERYWHERE else f"namespace {where}"
    if is_flagger(found):
        hint = f"what it shall leave to Detour gets spec.suspend: true, and the label {TAKE}=true"
        yield ok(CHECK, f"{called(found)} runs, and acts on the Canaries of {area}", hint)
    else:
        name = f"-n {found['metadata']['namespace']} deployment {name_of(found)}"
        remedy = f"kubectl label {name} app.kubernetes.io/name=flagger: else both act on the same Canaries"
        yield fail(CHECK, f"{called(found)} runs, acts on {area}, and Detour does not know it by its labels", remedy)


def _canaries(seen: Snapshot, areas: set[str]) -> Iterator[Finding]:
    shared = [each for each in seen.canaries if areas & {EVERYWHERE, each["metadata"]["namespace"]}]
    ours = [called(each) for each in shared if is_marked(each) and left_by_flagger(each)]
    for each in shared:
        if remedy := missing(each):
            yield warn(CHECK, f"Canary {called(each)} is marked for Detour, and Flagger acts on it", remedy)
    left = len(shared) - len(ours)
    listed = f": {', '.join(ours)}" if ours else ""
    yield ok(CHECK, f"of {len(shared)} Canaries that it sees, {left} are its own, and {len(ours)} Detour's{listed}")


def _is_foreign(definition: Object) -> bool:
    return name_of(definition).endswith(GROUP) and label(definition, "app.kubernetes.io/name") != "detour"


def _fields(definition: Object) -> set[str]:
    """What the status of a Canary may have, in any version."""
    found: set[str] = set()
    for version in definition["spec"]["versions"]:
        schema = (version.get("schema") or {}).get("openAPIV3Schema") or {}
        found |= ((schema.get("properties") or {}).get("status") or {}).get("properties", {}).keys()
    return found

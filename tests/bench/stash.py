"""What the stash takes of etcd: on the Deployment while something waits, and in the ReplicaSets ever after.

The deployment controller copies a Deployment's annotations to its current ReplicaSet, and never takes one away again
(`SetNewReplicaSetAnnotations` in pkg/controller/deployment/util). So a ReplicaSet keeps the template that waited while
it was the current one, and the one that it replaced itself.
"""

import base64
import json
import subprocess
from dataclasses import dataclass

from sandbox import build, network
from sandbox.node import ETCD
from tests.bench import idle
from tests.bench.figure import SHORT, Figure, say
from tests.cluster.kubectl import Object
from tests.cluster.pair import Place, sides
from tests.webhook.model import ANALYZER
from webhook import stash
from webhook.revision import canonical

REVISIONS = 3 if SHORT else 10
"""As many as a Deployment keeps ReplicaSets of, by default (`revisionHistoryLimit`)."""
SIZES = (3 * 1024, 16 * 1024)  # bytes of a template, as JSON
MOST = 3.0
"""Times the bytes without Detour: every object holds one template by itself, and may hold two more."""
NAME = "podinfo"


@dataclass(frozen=True, slots=True)
class Stored:
    """Bytes of values in etcd."""

    deployment: int
    replica_sets: int

    @property
    def all(self) -> int:
        return self.deployment + self.replica_sets


def figures() -> list[Figure]:
    """One for every size of a template."""
    return [figure(size, *_measured(size)) for size in SIZES]


def _measured(size: int) -> tuple[Stored, Stored]:
    say(f"  {REVISIONS} revisions of a template of {size // 1024} KB, with Detour and without")
    with sides("bench-stash") as found:
        managed, twin = Place(found.managed, NAME), Place(found.twin, NAME)
        return _lived(managed, size, promoted=True), _lived(twin, size, promoted=False)


def figure(size: int, ours: Stored, theirs: Stored) -> Figure:
    """What was measured of templates of this size, with Detour and without."""
    ratio, each = ours.all / theirs.all, (ours.replica_sets - theirs.replica_sets) / (REVISIONS + 1)
    return Figure(
        name=f"etcd, a Deployment of {size // 1024} KB after {REVISIONS} promoted revisions, one waiting",
        goal=f"≤ {MOST:.0f} × the same without Detour",
        measured=f"{ours.all / 1024:.0f} KiB ({ratio:.2f} ×)",
        reference=f"without Detour {theirs.all / 1024:.0f} KiB",
        holds=ratio <= MOST,
        details=(
            f"the Deployment: {ours.deployment} bytes, without Detour {theirs.deployment}",
            f"its {REVISIONS + 1} ReplicaSets: {ours.replica_sets} bytes, without Detour {theirs.replica_sets}; "
            f"{each:.0f} bytes more in each",
        ),
    )


def _lived(place: Place, size: int, *, promoted: bool) -> Stored:
    """The bytes after all revisions, each promoted where Detour is in the way, and one more update."""
    place.send(deployment(size), "create")
    place.settled()
    for number in range(1, REVISIONS + 1):
        _update(place, number)
        for verb in (stash.GO, stash.DONE) if promoted else ():
            _ask(place, verb)
    if promoted:
        _update(place, REVISIONS + 1)
    return Stored(_bytes(f"deployments/{place.namespace}"), _bytes(f"replicasets/{place.namespace}"))


def deployment(size: int) -> Object:
    """One whose template has about so many bytes, that wants a pod, and gets none."""
    found = idle.deployment(NAME, {})
    found["spec"]["paused"] = False
    env = found["spec"]["template"]["spec"]["containers"][0]["env"]
    while len(canonical(found["spec"]["template"])) < size:
        number = len(env)
        env.append({"name": f"SETTING_{number}", "value": f"https://service-{number * 7919}.shop.svc:8443/path"})
    return found


def _update(place: Place, number: int) -> None:
    place("patch", f"deployment/{NAME}", "-p", json.dumps(idle.counting(number)))
    place.settled()


def _ask(place: Place, verb: str) -> None:
    """What the analyzer asks for, for the digest that it would ask it for."""
    found = place.primary
    waiting = stash.diverted(found) or stash.Stash(found["spec"]["template"])
    wish = f"{stash.PROMOTE}={stash.promote_request(verb, waiting.digest)}"
    place("annotate", f"deployment/{NAME}", wish, f"--as={ANALYZER}", "--field-manager=detour")
    place.settled()  # the deployment controller has copied what it copies


def _bytes(prefix: str) -> int:
    """The sizes of all values beneath this prefix, as etcd has them."""
    etcdctl = str(build.ensure(["etcd"])["etcdctl"])
    words = (etcdctl, f"--endpoints={ETCD}", "get", "--prefix", f"/registry/{prefix}/", "--write-out=json")
    done = subprocess.run(network.entering(*words), check=True, capture_output=True, timeout=60)
    return sum(len(base64.b64decode(entry["value"])) for entry in json.loads(done.stdout).get("kvs", ()))

"""Two applications in the middle of their rollouts, with users, while Detour is taken off the cluster."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.cluster.installing import install, remains
from tests.cluster.kubectl import Object, eventually, get, kubectl
from tests.cluster.kustomized import Kustomized, name_of
from tests.cluster.namespaces import unique
from tests.cluster.shop import CALM, QUICK, Shop, opened
from tests.cluster.users import Users

WAITING = {
    "detour.dev/policy",
    "detour.dev/state",
    "detour.dev/revision",
    "detour.dev/template",
    "detour.dev/diverted-by",
    "detour.dev/history",
}
"""What of Detour's stays on a Deployment whose update waits."""
PARTS = 3
"""Of a canary: a Deployment, a Service, an Ingress."""
OLD, NEW, NEWER = "6.0.0", "6.0.1", "6.0.2"


@dataclass(frozen=True)
class Town:
    """`calm` has a canary at 25 % for long, and settings that only its primary needs; `quick` is being promoted."""

    calm: Kustomized
    quick: Shop

    def until_taken_back(self, seconds: float = 90) -> None:
        """Wait until nothing of a canary is left, and no settings are held."""
        eventually(lambda: not self.left, "nothing is left of a canary", seconds, lambda: self.left)

    @property
    def weight(self) -> int:
        """Of the canary of `calm`, in per cent."""
        return int(self.calm.status.get("canaryWeight", 0))

    @property
    def canaries(self) -> list[str]:
        """What there is of them."""
        return [f"{shop.namespace}: {each}" for shop in (self.calm, self.quick) for each in shop.leftovers()]

    @property
    def left(self) -> list[str]:
        """What has to be gone when Detour is: canaries, and what it holds for the primary."""
        return self.canaries + (["the settings of the primary"] if self.calm.has(OLD) else [])

    def removed(self, remaining: set[str], keys: set[str] | None = None) -> None:
        """Nothing is left of a rollout but what waits, and `remaining` of Detour."""
        self.until_taken_back()
        eventually(lambda: remains() == remaining, f"{remaining} remains", 60, remains)
        assert self.calm.live_image == OLD, f"the primary runs {self.calm.live_image}"
        assert self.calm.ours == (WAITING if keys is None else keys), f"on the Deployment: {sorted(self.calm.ours)}"
        promoted = self.quick.live_image == NEW and not self.quick.ours
        assert promoted or self.quick.live_image == OLD, f"{self.quick.live_image}, {sorted(self.quick.ours)}"

    def carries_on(self) -> None:
        """What waits runs as soon as Detour and its Canary are there again."""
        install()
        if not self.calm.exists("canary", "podinfo"):
            self.calm.apply(self.calm.canary())
        eventually(lambda: len(self.calm.leftovers()) == PARTS, "its canary is there", 90, lambda: self.calm.status)
        self.calm.until_weight(25)
        assert self.calm.live_image == OLD

    def updates_directly(self) -> None:
        """The next update is neither refused nor diverted."""
        said = self.quick("set", "image", "deployment/podinfo", f"podinfo=ghcr.io/stefanprodan/podinfo:{NEWER}")
        assert self.quick.live_image == NEWER, f"{said.out}{said.err}"
        self.quick("rollout", "status", "deployment/podinfo", "--timeout=60s")


@contextmanager
def town() -> Iterator[tuple[Town, dict[str, Users]]]:
    """With Detour installed, both rollouts under way, and users; afterwards Detour is installed again."""
    install()
    with ExitStack() as stack:
        stack.callback(install)
        calm = Kustomized(unique("calm"), analysis=CALM)
        quick = Shop(unique("quick"), analysis={**QUICK, "stepWeight": 50})
        for shop in (calm, quick):
            stack.enter_context(opened(shop))
        users = {shop.namespace: stack.enter_context(Users(shop.host)) for shop in (calm, quick)}
        calm.ship(NEW)
        calm.until_weight(25)
        quick.set_image(NEW)
        quick.until("Promoting")
        assert calm.has(OLD), f"{name_of(OLD)} is needed, and gone"
        yield Town(calm, quick), users


def without_an_analyzer() -> None:
    """Detour's pods go, as on a node that is lost: nobody takes anything back."""
    kubectl("-n", "detour", "scale", "deployment/detour", "--replicas=0")
    kubectl("-n", "detour", "delete", "pods", "--all", "--force", "--grace-period=0", "--wait=false")
    eventually(
        lambda: not get("-n", "detour", "pods", "-l", "app.kubernetes.io/name=detour")["items"], "it is dead", 60
    )


def with_an_analyzer_that_cannot_start() -> None:
    """An option that it does not know. An update would keep the old pods while new ones are not ready, so they go."""
    without_an_analyzer()
    deployment = get("-n", "detour", "deployment", "detour")
    names = [each["name"] for each in deployment["spec"]["template"]["spec"]["containers"]]
    path = f"/spec/template/spec/containers/{names.index('analyzer')}/args/-"
    patch = [
        {"op": "add", "path": path, "value": "--nonsense"},
        {"op": "replace", "path": "/spec/replicas", "value": 2},
    ]
    kubectl("-n", "detour", "patch", "deployment", "detour", "--type=json", "-p", json.dumps(patch))
    eventually(_crashes, "the analyzer ends again and again", 60)


def _crashes() -> bool:
    containers = [each for pod in _pods() for each in pod["status"].get("containerStatuses") or ()]
    analyzers = [each for each in containers if each["name"] == "analyzer"]
    return bool(analyzers) and all(each["restartCount"] for each in analyzers)


def _pods() -> list[Object]:
    return list(get("-n", "detour", "pods", "-l", "app.kubernetes.io/name=detour")["items"])

"""An autoscaler for the model world, after the HorizontalPodAutoscaler's own rules, second by second.

https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details: it looks every 15 s, does
nothing within a tolerance of 10 %, and else wants the load divided by what one pod should bear, rounded up. Its metrics
are late, as a metrics-server's are, and those of a pod count only once the pod has been measured for a whole window.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

from analyzer.status import Phase
from tests.analyzer.things import SPEC
from tests.analyzer.world import World, shipped

LOOKS_EVERY = 15  # seconds
WINDOW = 30  # seconds that a metric is the average of
TOLERANCE = 0.1
BOOTS = 5  # seconds
HOURLY = 3600  # seconds
MOST = 4 / 3 * (1 + TOLERANCE) + 0.02
"""Times what a pod should bear: no more than a third above what its autoscaler tolerates."""
SLOW = replace(SPEC, interval=90, progress_deadline=600)
"""An analysis that gives an autoscaler time to act."""


@dataclass
class Autoscaler:
    """Scales the primary of `world`, which `users` requests are for. Each pod should have `target` of them.

    `per_pod` is whether its metric is the average of the pods that are measured (CPU), or the sum of all requests
    divided by the number of pods (KEDA's queries). `kept` is for how many seconds it stays at the greatest number that
    it wanted (`scaleDown.stabilizationWindowSeconds`).
    """

    world: World
    users: float = 100.0
    target: float = 10.0
    per_pod: bool = True
    kept: int = 0
    second: int = 0
    pods: list[int] = field(default_factory=list)  # since when each of them runs
    loads: list[float] = field(default_factory=list)  # of each pod that serves, second by second
    totals: list[float] = field(default_factory=list)
    wanted: list[tuple[int, int]] = field(default_factory=list)
    seen: list[tuple[int, int, Phase]] = field(default_factory=list)  # share, pods that serve, phase

    def __post_init__(self) -> None:
        self.pods = [-1000] * self.world.replicas
        self.wanted = [(0, self.world.replicas)]

    def run(self, seconds: int, until: Phase | None = None) -> None:
        """Let users, pods, the autoscaler and the analyzer do their work."""
        for _ in range(seconds):
            self._tick()
            self.world.run(1)
            if self.world.phase() is until:
                return

    def run_to(self, weight: int) -> None:
        """Run until the canary has this weight, and the autoscaler has followed."""
        for _ in range(HOURLY):
            self.run(1)
            if self.world.status.weight == weight:
                break
        self.run(45)

    def busiest(self) -> float:
        """The greatest load of a pod of the primary, as a multiple of what it should bear, since it was promoted."""
        back = [(share, pods) for share, pods, phase in self.seen if phase is Phase.FINALISING]
        return max(share / 100 * self.users / pods / self.target for share, pods in back)

    def _tick(self) -> None:
        while len(self.pods) < self.world.replicas:
            self.pods.append(self.second)
        del self.pods[self.world.replicas :]  # the youngest go first
        serving = sum(self.second - began >= BOOTS for began in self.pods)
        self.world.serving = serving
        share = 100 - max(self.world.route or 0, 0)
        self.totals.append(self.users * share / 100)
        self.loads.append(self.totals[-1] / serving if serving else 0.0)
        self.seen.append((share, serving, self.world.phase()))
        if self.second % LOOKS_EVERY == 0 and self.second >= WINDOW:
            self._look()
        self.second += 1

    def _look(self) -> None:
        now = self._by_pods() if self.per_pod else self._by_total()
        self.wanted.append((self.second, now))
        self.world.replicas = max(count for at, count in self.wanted if self.second - at <= self.kept)

    def _by_pods(self) -> int:
        """Pods without any metric count as well used when it comes to fewer; those with one of before, not at all."""
        ages = [self.second - began - BOOTS for began in self.pods]
        measured, missing = sum(age >= WINDOW for age in ages), sum(0 <= age < WINDOW / 2 for age in ages)
        ratio = sum(self.loads[-WINDOW:]) / WINDOW / self.target
        if ratio < 1 and missing:
            ratio, measured = (ratio * measured + missing) / (measured + missing), measured + missing
        return self._at(ratio, measured)

    def _by_total(self) -> int:
        pods = max(len(self.pods), 1)
        return self._at(sum(self.totals[-WINDOW:]) / WINDOW / pods / self.target, pods)

    def _at(self, ratio: float, pods: int) -> int:
        return len(self.pods) if abs(ratio - 1) <= TOLERANCE else max(1, math.ceil(ratio * pods - 1e-9))


def autoscaled(replicas: int = 10, users: float = 100.0, spec: object = SLOW, **how: Any) -> Autoscaler:
    """An update has just been diverted, of an application whose pods should have an equal share of `users` each."""
    world = shipped(replicas=replicas, autoscaled=True, spec=spec)
    return Autoscaler(world, users=users, target=users / replicas, **how)

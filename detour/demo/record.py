"""What the cluster did, moment by moment, put together from the objects as they change. Asks nobody anything."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analyzer.memory import unpacked
from detour.demo.figures import Step, Trial

Object = dict[str, Any]

NAME = "podinfo"
CANARY = f"{NAME}-canary"


@dataclass(frozen=True, slots=True)
class Moment:
    """From `at` on the primary's template had `version`, and pods of these versions were running, ending ones too."""

    at: float
    version: str
    proven: bool
    pods: Mapping[str, int]

    def __str__(self) -> str:
        running = ", ".join(f"{count} × {version}" for version, count in sorted(self.pods.items())) or "none"
        doubt = "" if self.proven else "  UNPROVEN"
        return f"template {self.version:<7} pods {running}{doubt}"


@dataclass(slots=True)
class Record:
    """Not for several threads at once; times are those of the monotonic clock."""

    phase: str = ""
    weight: int = 0
    event: str = ""
    endings: tuple[Mapping[str, Any], ...] = ()
    trials: list[Trial] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    canaries: list[float] = field(default_factory=list)
    canary_version: str = ""
    moments: list[Moment] = field(default_factory=list)
    _pods: dict[str, str] = field(default_factory=dict)
    _canary_uid: str = ""
    _weight_since: float = 0.0

    def on_canary(self, canary: Object, now: float) -> None:
        """The Canary changed."""
        status = unpacked(canary.get("status") or {})
        self.phase = status.get("phase", "")
        self.endings = tuple(status.get("history") or ())
        before, self.weight = self.weight, int(status.get("canaryWeight", 0))
        if before != self.weight:
            if before:
                self.steps.append(Step(before, self._weight_since, now))
            self._weight_since = now
        if self.weight and not before:
            self.trials.append(Trial(now))
        elif before and not self.weight:
            self.trials[-1] = replace(self.trials[-1], end=now)

    def on_primary(self, deployment: Object, proven: bool, now: float) -> None:
        """The user's own Deployment changed; `proven`: its template passed an analysis, or came with its creation."""
        self._note(now, version_of(deployment["spec"]["template"]["spec"]), proven)

    def on_canary_deployment(self, deployment: Object | None, now: float) -> None:
        """The canary's Deployment changed, or is gone."""
        uid = deployment["metadata"]["uid"] if deployment else ""
        if uid and uid != self._canary_uid:
            self.canaries.append(now)
        self._canary_uid = uid
        self.canary_version = version_of(deployment["spec"]["template"]["spec"]) if deployment else ""

    def on_pod(self, pod: Object, gone: bool, now: float) -> None:
        """A pod changed, or is gone. Those of the primary count while their containers run."""
        if owner_of(pod) != NAME:
            return
        name = pod["metadata"]["name"]
        self._pods.pop(name, None)
        if not gone and (pod.get("status") or {}).get("phase") == "Running":
            self._pods[name] = version_of(pod["spec"])
        if self.moments:
            self._note(now, self.moments[-1].version, self.moments[-1].proven)

    def _note(self, now: float, version: str, proven: bool) -> None:
        moment = Moment(now, version, proven, Counter(self._pods.values()))
        if not self.moments or replace(self.moments[-1], at=now) != moment:
            self.moments.append(moment)


def unproven(moments: tuple[Moment, ...]) -> tuple[str, ...]:
    """The versions that the primary ran, by its template or in a pod, though no analysis had passed them."""
    templates = {moment.version for moment in moments if not moment.proven}
    good = {moment.version for moment in moments if moment.proven}
    pods = {version for moment in moments for version in moment.pods}
    return tuple(sorted(templates | (pods - good)))


def version_of(pod_spec: Mapping[str, Any]) -> str:
    """The tag of the first container's image."""
    return str(pod_spec["containers"][0]["image"]).rpartition(":")[2]


def owner_of(pod: Object) -> str:
    """The name of the Deployment whose ReplicaSet made the pod; "" for any other pod."""
    metadata = pod["metadata"]
    template = (metadata.get("labels") or {}).get("pod-template-hash", "")
    owners = [owner["name"] for owner in metadata.get("ownerReferences") or () if owner.get("kind") == "ReplicaSet"]
    return str(owners[0]).removesuffix(f"-{template}") if owners and template else ""

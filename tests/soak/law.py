"""What must hold of everything that was ever stored of an application, whatever was typed and when.

1. The primary's template is only ever one that was there at the start, one whose analysis has just passed, one that
   has proven itself here before, or one that came directly for a reason that the design names.
2. Traffic goes to the revision that is analysed, and to no other: weight 0 first, then another canary.

The laws are judged from the outside, by what is stored, and by none of the code that they judge but the digest.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from analyzer.canary import DIGEST
from tests.soak.recording import Version
from webhook import stash
from webhook.revision import digest, short

Object = Mapping[str, Any]

WEIGHT = "nginx.ingress.kubernetes.io/canary-weight"
PATIENCE = 58.0  # seconds; 60, and condition times are whole seconds


@dataclass
class Scene:
    """What was stored last of one application, and what is known of it: which templates have proven themselves."""

    name: str
    top: int
    deployment: Object | None = None
    canary: str = ""
    weight: int = 0
    status: Object = field(default_factory=dict)
    proven: set[str] = field(default_factory=set)
    promoted: str = ""


@dataclass
class Judgement:
    """`broken` tells each breach with the version that it came with; `changes` counts why the primary changed."""

    broken: list[tuple[Version, str]] = field(default_factory=list)
    changes: Counter[str] = field(default_factory=Counter)

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.broken]


def judge(versions: Iterable[Version], name: str = "podinfo", top: int = 50) -> Judgement:
    """Walk through everything that was stored of one application; `top` is the weight of its last step, in percent."""
    scene, found = Scene(name, top), Judgement()
    for version in versions:
        for breach in _step(scene, version, found.changes):
            found.broken.append((version, breach))
    return found


def _step(scene: Scene, version: Version, changes: Counter[str]) -> list[str]:
    if version.kind == "Canary":
        return _canary(scene, version)
    if version.kind == "Ingress":
        return _ingress(scene, version) if stash.CANARY_OF in _labels(version.object) else []
    if version.name == scene.name:
        return _primary(scene, version, changes)
    return _canary_deployment(scene, version) if stash.CANARY_OF in _labels(version.object) else []


def _primary(scene: Scene, version: Version, changes: Counter[str]) -> list[str]:
    before, after = scene.deployment, version.object
    scene.deployment = None if version.gone else after
    if before is None or version.gone:
        return []
    was, is_ = digest(_template(before)), digest(_template(after))
    _keep_books(scene, before, after)
    if _template(before) == _template(after):
        return []
    reason = _reason(scene, before, after, version.heard)
    changes[reason or "no reason"] += 1
    return [] if reason else [f"the primary went from {short(was)} to {short(is_)}, which nothing has proven"]


def _reason(scene: Scene, before: Object, after: Object, now: float) -> str:
    """Why the primary may run another template; "" if it may not."""
    was, is_ = digest(_template(before)), digest(_template(after))
    previous = stash.previous(dict(before))
    if was == is_:
        return "restarted"
    if previous and previous.digest == is_:
        return "back to what a promotion was replacing"
    if is_ in scene.proven:
        return "back to a proven revision"
    if after["spec"].get("replicas") == 0:
        return "direct: no replicas are wanted"
    if _down(before, now):
        return "direct: the primary was down"
    kept = stash.previous(dict(after))
    return "promoted" if kept and kept.digest == was and _passed(scene, was, is_) else ""


def _passed(scene: Scene, base: str, revision: str) -> bool:
    """Whether the analysis of this very revision, against this very primary, had come to its good end just then."""
    status = scene.status
    analysed = status.get("canaryWeight", 0) >= scene.top and not status.get("failedChecks")
    meant = (status.get("phase"), status.get("revision"), status.get("base")) == ("Promoting", revision, base)
    return analysed and meant and "ending" not in status and revision not in status.get("rejected", ())


def _down(deployment: Object, now: float) -> bool:
    for condition in deployment.get("status", {}).get("conditions", ()):
        if condition["type"] == "Available" and condition["status"] == "False":
            since = datetime.fromisoformat(condition["lastTransitionTime"])
            return now - since.timestamp() >= PATIENCE
    return False


def _keep_books(scene: Scene, before: Object, after: Object) -> None:
    """Both sides of a promotion are proven when it is done: the primary serves by the new one, and served by the old.

    The end of a promotion shows by the previous template that goes while the primary's stays.
    """
    replaced = stash.previous(dict(before))
    is_ = digest(_template(after))
    same = digest(_template(before)) == is_
    if replaced and same and not stash.previous(dict(after)) and scene.status.get("revision") == is_:
        scene.proven |= {replaced.digest, is_}


def _canary(scene: Scene, version: Version) -> list[str]:
    before, after = scene.status, dict(version.object.get("status") or {})
    scene.status = {} if version.gone else after
    begins = after.get("phase") == "Promoting" and before.get("phase") != "Promoting"
    if begins and after.get("canaryWeight", 0) < scene.top and not _excused(scene, version.heard):
        return [f"{short(after['revision'])} is to be promoted at weight {after.get('canaryWeight', 0)}"]
    return []


def _excused(scene: Scene, now: float) -> bool:
    return scene.deployment is not None and _down(scene.deployment, now)


def _canary_deployment(scene: Scene, version: Version) -> list[str]:
    before = scene.canary
    after = scene.canary = "" if version.gone else str(_annotations(version.object).get(DIGEST))
    if before == after or not scene.weight:
        return []
    return [f"the canary went from {short(before) or 'none'} to {short(after) or 'none'} at weight {scene.weight}"]


def _ingress(scene: Scene, version: Version) -> list[str]:
    before = scene.weight
    after = scene.weight = 0 if version.gone else int(_annotations(version.object)[WEIGHT])
    if not after or before == after:
        return []
    told = f"weight {after}"
    breaches = []
    if scene.canary != scene.status.get("revision"):
        breaches.append(f"{told} for {short(scene.canary)}, but {short(scene.status.get('revision', ''))} is analysed")
    if scene.status.get("canaryWeight", 0) != after:
        breaches.append(f"{told} in the route, {scene.status.get('canaryWeight', 0)} in the status")
    return breaches


def _template(deployment: Object) -> dict[str, Any]:
    found: dict[str, Any] = deployment["spec"]["template"]
    return found


def _labels(found: Object) -> Object:
    return found["metadata"].get("labels") or {}


def _annotations(found: Object) -> Object:
    return found["metadata"].get("annotations") or {}

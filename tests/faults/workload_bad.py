"""Rows about versions that are bad: beside a plain rolling update to the same version, taken back by its user."""

import time
from collections.abc import Callable

from tests.bench.application import Application
from tests.cluster.kubectl import Object
from tests.faults import saboteur
from tests.faults.row import Leader, row
from tests.faults.scene import Scene

Version = Callable[[Application], Object]
"""The Deployment of an application in its new version."""

SOON = {"progressDeadlineSeconds": 12}
PATIENT = {"interval": "5s", "threshold": 2, "stepWeight": 20, "maxWeight": 60}
"""Time enough at each step to be bad in, however slow the machine is; a crash counts at once."""


def plainly(**container: object) -> Version:
    """6.0.1, whose container is like this."""
    return lambda application: application.deployment("6.0.1", **container)


def sabotaged(script: str, **container: object) -> Version:
    """6.0.1 with a saboteur beside it."""
    return lambda application: saboteur.beside(application.deployment("6.0.1", **container), script)


def is_rejected(scene: Scene, version: Version, says: str, live: str = "6.0.0") -> None:
    """Both get the version; Detour's ends as failed, and says why, and then the user of the plain one takes it back."""
    began = time.monotonic()
    for application in (scene.managed, scene.twin):
        application.apply(version(application))
    scene.until(lambda _: says in scene.message, f"'{says}' is said", 120)
    scene.note(f"the Canary said '{says}' after {time.monotonic() - began:.1f} s")
    scene.ends("Failed", live, says)
    scene.note(f"the traffic was away, and the canary gone, after {time.monotonic() - began:.1f} s")
    scene.managed.tells(says)
    scene.twin("rollout", "undo", "deployment/podinfo")


@row(Leader.POD, spec=SOON)
def canary_crashes_at_once(scene: Scene) -> None:
    """A version that ends as it starts: it never gets any traffic, and fails at its deadline with the exit code."""
    is_rejected(scene, plainly(command=["./podinfo", "--nonsense"]), "crashes: it ended with exit code 2")


@row(Leader.POD, analysis=PATIENT)
def canary_crashes_under_traffic(scene: Scene) -> None:
    """A version that crashes once it has answered five users: rejected at the second crash, though back in between."""
    is_rejected(scene, sabotaged(saboteur.CRASHES_UNDER_TRAFFIC), "crashes: it ended with exit code 255")


@row(Leader.POD, analysis=PATIENT)
def canary_out_of_memory_under_traffic(scene: Scene) -> None:
    """A version that needs more memory than its limit once it has answered five users: rejected, by that name."""
    limited = {"resources": {"limits": {"memory": "64Mi"}}}
    is_rejected(scene, sabotaged(saboteur.EATS_MEMORY_UNDER_TRAFFIC, **limited), "out of memory, its limit is 64Mi")


@row(Leader.POD, spec=SOON)
def canary_is_never_ready(scene: Scene) -> None:
    """A version that runs and never becomes ready: no traffic, fails at its deadline, names the probe."""
    never = ["./podinfo", "--port=9898", "--level=debug", "--unready"]
    is_rejected(scene, plainly(command=never), "readiness probe fails: GET /readyz")


@row(Leader.POD, spec=SOON)
def canary_has_no_image(scene: Scene) -> None:
    """An image that does not exist: fails at its deadline, in the words of the container runtime."""
    is_rejected(scene, lambda application: application.deployment("9.9.9"), "has no image")


@row(Leader.POD, analysis=PATIENT, spec={"progressDeadlineSeconds": 20})
def canary_flaps(scene: Scene) -> None:
    """A version that is ready for one second of seven once it has traffic: rejected."""
    is_rejected(scene, sabotaged(saboteur.FLAPS_UNDER_TRAFFIC), "not ready")


@row(Leader.POD)
def canary_starts_slowly(scene: Scene) -> None:
    """A version that is ready only after 5 s: it is waited for, and promoted."""
    for application in (scene.managed, scene.twin):
        made = application.deployment("6.0.1")
        made["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["initialDelaySeconds"] = 5
        application.apply(made)
    scene.ends("Succeeded", "6.0.1")


@row(Leader.POD, spec=SOON)
def primary_breaks_while_it_is_promoted(scene: Scene) -> None:
    """A version that runs as the canary and ends as the primary: the canary serves on until the primary is back."""
    for application in (scene.managed, scene.twin):
        application.apply(saboteur.beside(application.deployment("6.0.1"), saboteur.ENDS_AS_PRIMARY))
    scene.until_phase("Promoting")
    says = "primary not ready: container saboteur crashes: it ended with exit code 3"
    scene.until(lambda _: says in scene.message, says)
    status = scene.status() or {}
    assert (status["phase"], status["canaryWeight"]) == ("Promoting", 60), "the canary serves its share on"
    scene.managed.tells(f"promotion {says}")
    scene.ends("Failed", "6.0.0", says)
    scene.twin("rollout", "undo", "deployment/podinfo")

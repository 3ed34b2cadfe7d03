"""What a person is shown of an application, as plain values: made of the objects alone, drawn elsewhere."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from analyzer import workload
from analyzer.canary import DIGEST
from analyzer.fields import SpecError
from analyzer.kube.resources import HTTP_ROUTES, INGRESSES
from analyzer.routing.gateway import Gateway
from analyzer.routing.nginx import Nginx, prefix_of
from analyzer.spec import Spec, parse
from analyzer.status import Phase, Status, timestamp
from detour.application import Application, Object
from webhook import revision, stash

UNMANAGED = "not managed: no Canary has it as its target"
MISSING = "the Deployment does not exist"
SUSPENDED = "the Canary is suspended (spec.suspend): nothing is begun, and nothing is ended"


@dataclass(frozen=True, slots=True)
class Runs:
    """What a Deployment runs: its images, the digest of its revision, how many replicas are available and wanted."""

    images: tuple[str, ...]
    revision: str
    ready: int
    wanted: int
    progress: str = ""


@dataclass(frozen=True, slots=True)
class Waits:
    """What is diverted, and whose it is."""

    images: tuple[str, ...]
    revision: str
    by: str
    manager: str


@dataclass(frozen=True, slots=True)
class Route:
    """An object that sends the canary its share, in percent; None: it cannot be told."""

    kind: str
    name: str
    weight: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """How far an analysis is: the step, of how many, and the weight of the next one (None at the last).

    An A/B test and Blue/Green have iterations instead.
    """

    number: int
    of: int
    next_weight: int | None
    kind: str = "step"


@dataclass(frozen=True, slots=True)
class Held:
    """The gates that a revision waits at (their type and names), since when, and when their first deadline is over."""

    gate: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that `detour status` tells. `message` is what is waited for, why it halts, or why it ended.

    `routes` is None where they may not be read; `checks` are of the last measurement, also of one that is over.
    """

    namespace: str
    name: str
    canary_object: str
    phase: str
    weight: int
    message: str
    primary: Runs | None
    diverted: Waits | None
    canary: Runs | None
    routes: tuple[Route, ...] | None
    step: Step | None
    held: Held | None
    next_check: datetime | None
    checks: tuple[str, ...]
    failed_checks: int
    threshold: int | None
    last: Mapping[str, Any] | None

    def as_json(self) -> Object:
        """For `-o json`; times as Kubernetes writes them."""
        return {_camel(key): _renamed(value) for key, value in asdict(self).items()}


def picture_of(application: Application) -> Picture:
    """Raises StashError where what is diverted cannot be read."""
    status, canary = application.status, application.canary
    spec = _spec(canary)
    routes = application.routes
    return Picture(
        namespace=application.namespace,
        name=application.name,
        canary_object=canary["metadata"]["name"] if canary else "",
        phase=status.phase.value,
        weight=status.weight,
        message=_message(application, status, spec),
        primary=_runs(application.primary),
        diverted=_waits(application),
        canary=_runs(application.canary_deployment),
        routes=None if routes is None else tuple(_route(each, application.name) for each in routes),
        step=_step(status, spec),
        held=_held(status, spec),
        next_check=_next_check(status, spec),
        checks=status.verdict,
        failed_checks=status.failed_checks,
        threshold=spec.threshold if spec else None,
        last=status.history[-1] if status.history else None,
    )


def _spec(canary: Object | None) -> Spec | None:
    """None where there is none, or none that can be carried out: the analyzer says in the status what is wrong."""
    try:
        return parse(canary) if canary else None
    except SpecError:
        return None


def _message(application: Application, status: Status, spec: Spec | None) -> str:
    if application.primary is None:
        return MISSING
    if application.canary is None and application.policy:
        return f"under policy {application.policy}: a Canary comes with the first update"
    if application.canary is None:
        return UNMANAGED
    if spec and spec.suspend:
        return SUSPENDED
    if status.ending and status.phase.in_flight:
        halted = f" (waiting: {status.problem})" if status.problem else ""
        return f"on the way out: {status.ending.message}{halted}"
    if status.ending and status.phase is Phase.FAILED:
        return status.ending.message
    return status.problem


def _runs(deployment: Object | None) -> Runs | None:
    """The canary's own template has other labels than what was diverted: it says of which revision it is."""
    if deployment is None:
        return None
    template = deployment["spec"]["template"]
    diverted = (deployment["metadata"].get("annotations") or {}).get(DIGEST)
    return Runs(
        workload.images(template),
        diverted or revision.digest(template),
        workload.available(deployment),
        workload.wanted_replicas(deployment),
        workload.settled(deployment).progress,
    )


def _waits(application: Application) -> Waits | None:
    waiting = application.waiting
    if waiting is None or application.primary is None:
        return None
    author = stash.diverted_by(application.primary) or stash.Author("")
    return Waits(workload.images(waiting.template), waiting.digest, author.user, author.manager)


def _route(route: Object, primary: str) -> Route:
    kind = route.get("kind", INGRESSES.kind)
    router = Gateway() if kind == HTTP_ROUTES.kind else Nginx(prefix_of(route))
    return Route(kind, route["metadata"]["name"], router.weight_of([route], primary))


def _step(status: Status, spec: Spec | None) -> Step | None:
    """The weights that the Canary asks for, one after the other, and where among them the analysis is."""
    if spec is None or spec.skip_analysis or status.ending or not status.phase.analysing:
        return None
    strategy = spec.strategy
    following = None if strategy.is_last(status.position) else strategy.after(status.position).weight
    if strategy.iterations:
        return Step(status.iterations, strategy.iterations, following, "iteration")
    done = [weight for weight in strategy.steps if weight <= status.weight]
    return Step(len(done), len(strategy.steps), following)


def _held(status: Status, spec: Spec | None) -> Held | None:
    if not status.gate or status.ending:
        return None
    kind, _, names = status.gate.partition(" ")
    waited_for = [gate for gate in (spec.gates if spec else ()) if gate.kind == kind and gate.name in names.split(", ")]
    deadline = min((gate.deadline for gate in waited_for if gate.deadline is not None), default=None)
    since = status.gate_since
    return Held(status.gate, since, since + timedelta(seconds=deadline) if since and deadline is not None else None)


def _next_check(status: Status, spec: Spec | None) -> datetime | None:
    """When the metrics are measured next, at the earliest: not before no query sees the revision before any more."""
    if spec is None or not status.phase.analysing or status.ending or status.check_time is None:
        return None
    due = status.check_time + timedelta(seconds=spec.interval)
    quiet = status.quiet_since
    return max(due, quiet + timedelta(seconds=spec.longest_window)) if quiet else due


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.title() for word in rest)


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_camel(key): _renamed(each) for key, each in value.items()}
    if isinstance(value, datetime):
        return timestamp(value)
    return [_renamed(each) for each in value] if isinstance(value, list | tuple) else value

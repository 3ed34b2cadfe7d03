"""What a Canary asks for, read once and checked: everything behind this module works with plain, valid values.

Fields and meanings are Flagger's (`flagger.app/v1beta1`, Canary.spec); where ours differ, the docstring says so.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analyzer import freezes, scalers, wanted
from analyzer.alerts.subscription import subscriptions
from analyzer.analysis import UNROUTED, parse_strategy
from analyzer.coexistence import is_marked
from analyzer.fields import SpecError, duration, whole
from analyzer.freezes import Freeze
from analyzer.hooks import Gate, Kind, parse_hook
from analyzer.memory import whole_spec
from analyzer.strategy import ALL, Strategy

DEFAULT_WINDOW = "1m"

DIRECT, WAIT = "direct", "wait"

PROVIDERS = (*wanted.PROVIDERS, UNROUTED)


@dataclass(frozen=True, slots=True)
class Spec:
    """A Canary's spec. Times are in seconds, weights in percent.

    `interval` may be as short as a second (Flagger's floor is ten). `drain` is how long the canary still serves
    requests in flight after its weight is 0; `propagation` is how long a router may take to see a change.
    `longest_window` is how far back the metrics look, by their `interval`. `provider` names the router, "" for what is
    found. `terms` is a digest of the whole analysis: what was proven on other terms proves nothing. `without_routes`
    says whether an update whose traffic cannot be split, since no route leads to it, is let through directly or waits.
    `primary_ready` and `canary_ready` are the percentage of replicas that have to be available. `autoscaler` is what
    the canary gets a copy of. `notes` are what its user should know of a Canary that is valid.
    """

    target: str
    interval: float
    threshold: int
    strategy: Strategy
    progress_deadline: float
    metrics: tuple[Mapping[str, Any], ...] = ()
    longest_window: float = 0.0
    terms: str = ""
    gates: tuple[Gate, ...] = ()
    metrics_server: str | None = None
    service: str | None = None
    service_metadata: Mapping[str, Any] = field(default_factory=dict)
    ingress: str | None = None
    http_route: str | None = None
    skip_analysis: bool = False
    suspend: bool = False
    freezes: tuple[Freeze, ...] = ()
    without_routes: str = WAIT
    provider: str = ""
    primary_ready: int = 100
    canary_ready: int = 100
    autoscaler: scalers.Reference | None = None
    notes: tuple[str, ...] = ()
    drain: float = 5.0
    propagation: float = 1.0

    def hooks(self, *kinds: Kind) -> tuple[Gate, ...]:
        """The webhooks of these kinds."""
        return tuple(gate for gate in self.gates if gate.kind in kinds)


def parse(canary: Mapping[str, Any]) -> Spec:
    """The spec of a Canary object. Raises SpecError."""
    spec = whole_spec(canary)
    analysis: Mapping[str, Any] = spec.get("analysis") or {}
    _refuse_what_is_not_there_yet(spec)
    subscriptions(analysis)  # who is told, and raises what is wrong with that
    provider = str(spec.get("provider") or "")
    of_all = {key: analysis[key] for key in ("noData", "minRequests") if key in analysis}
    metrics = tuple({**of_all, **metric} for metric in analysis.get("metrics") or ())
    autoscaler = scalers.parse(spec.get("autoscalerRef"))
    return Spec(
        target=_target(spec.get("targetRef") or {}),
        interval=duration(analysis.get("interval", "60s"), "spec.analysis.interval"),
        threshold=max(1, whole(analysis, "threshold", 1, "spec.analysis.threshold")),
        strategy=Strategy((ALL,)) if spec.get("skipAnalysis") else parse_strategy(analysis, provider),
        progress_deadline=float(max(1, whole(spec, "progressDeadlineSeconds", 600, "spec.progressDeadlineSeconds"))),
        metrics=metrics,
        longest_window=max((_window(metric) for metric in metrics), default=0.0),
        terms=_terms(analysis),
        gates=tuple(parse_hook(webhook) for webhook in analysis.get("webhooks") or ()),
        metrics_server=spec.get("metricsServer") or None,
        service=(spec.get("service") or {}).get("name"),
        service_metadata=(spec.get("service") or {}).get("canary") or {},
        ingress=(spec.get("ingressRef") or {}).get("name"),
        http_route=(spec.get("routeRef") or {}).get("name"),
        skip_analysis=bool(spec.get("skipAnalysis")),
        suspend=bool(spec.get("suspend")) and not is_marked(canary),
        freezes=freezes.parse(spec.get("freezes") or ()),
        without_routes=_one_of(spec, "withoutRoutes", WAIT, DIRECT),
        provider=provider,
        primary_ready=_threshold(analysis, "primaryReadyThreshold"),
        canary_ready=_threshold(analysis, "canaryReadyThreshold"),
        autoscaler=autoscaler,
        notes=autoscaler.notes if autoscaler else (),
    )


def target_of(canary: Mapping[str, Any]) -> str:
    """The name of the target, even of a Canary that is wrong elsewhere; "" if it has none."""
    return str(((canary.get("spec") or {}).get("targetRef") or {}).get("name") or "")


def _terms(analysis: Mapping[str, Any]) -> str:
    """Who is told of it is none of them."""
    judging = {key: value for key, value in analysis.items() if key != "alerts"}
    return hashlib.sha256(json.dumps(judging, sort_keys=True).encode()).hexdigest()


def _window(metric: Mapping[str, Any]) -> float:
    return duration(metric.get("interval") or DEFAULT_WINDOW, f"spec.analysis.metrics[{metric.get('name')}].interval")


def _target(reference: Mapping[str, Any]) -> str:
    if reference.get("kind") != "Deployment":
        raise SpecError("spec.targetRef.kind", f"{reference.get('kind')!r} cannot be a target", "name a Deployment")
    if not reference.get("name"):
        raise SpecError("spec.targetRef.name", "it is empty", "name the Deployment")
    return str(reference["name"])


def _threshold(analysis: Mapping[str, Any], key: str) -> int:
    """A percentage of replicas; Flagger's default is all."""
    percent = whole(analysis, key, 100, f"spec.analysis.{key}")
    if percent > 100:
        raise SpecError(f"spec.analysis.{key}", f"{percent} is no percentage", "set 0 to 100")
    return percent


def _one_of(spec: Mapping[str, Any], key: str, *values: str) -> str:
    """One of these values, the first unless another is stated."""
    found = spec.get(key) or values[0]
    if found not in values:
        raise SpecError(f"spec.{key}", f"{found!r} is unknown here", f"set {' or '.join(values)}")
    return str(found)


def _refuse_what_is_not_there_yet(spec: Mapping[str, Any]) -> None:
    if spec.get("provider") and spec["provider"] not in PROVIDERS:
        problem = f"this version of Detour does not split traffic by {spec['provider']} yet"
        raise SpecError(
            "spec.provider", problem, f"set one of {', '.join(PROVIDERS)}, or take it out: the routes are found"
        )

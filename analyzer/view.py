"""What a look at the world comes to: the plain values for `plan`, and the objects behind them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analyzer import canary_scaler, scalers
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.discovery import Surroundings
from analyzer.kube.resources import (
    AUTOSCALERS,
    DEPLOYMENTS,
    DISRUPTION_BUDGETS,
    GATEWAY_CLASSES,
    GATEWAYS,
    INGRESS_CLASSES,
    NETWORK_POLICIES,
    Resource,
)
from analyzer.seen import Seen
from analyzer.status import Phase
from analyzer.strategy import Strategy
from webhook import stash

Object = dict[str, Any]

Occasion = tuple[str, Phase, datetime | None]
"""What a measurement is for: the revision in flight, or that waits to be, its phase, and when it was measured last."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What else there is that matters once for a rollout: of the namespace other Deployments, what selects pods and
    what scales them, of the cluster the classes of Ingresses, and the Gateways where any HTTPRoute is in the namespace.
    `scaler` is the one that the canary gets a copy of."""

    deployments: tuple[Object, ...]
    protected: tuple[Object, ...]
    classes: tuple[Object, ...]
    gateways: tuple[Object, ...] = ()
    gateway_classes: tuple[Object, ...] = ()
    autoscalers: tuple[Object, ...] = ()
    scaler: Object | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A look, and the objects behind it, for those actions that need them whole."""

    seen: Seen
    key: Key
    canary: Object | None
    primary: Object | None
    waiting: stash.Stash | None
    surroundings: Surroundings | None
    occasion: Occasion
    strategy: Strategy
    scaler: Object | None = None


def neighbours_of(cluster: Cluster, namespace: str, scaler: scalers.Reference | None = None) -> Neighbours:
    """Asked for once a rollout, rather than followed at rest."""

    def listed(resource: Resource, where: str | None = namespace) -> tuple[Object, ...]:
        return tuple(cluster.client.list(resource, where).get("items") or ())

    by_gateway = bool(cluster.http_routes.in_namespace(namespace))
    return Neighbours(
        deployments=listed(DEPLOYMENTS),
        protected=listed(NETWORK_POLICIES) + listed(DISRUPTION_BUDGETS),
        classes=listed(INGRESS_CLASSES),
        gateways=listed(GATEWAYS, None) if by_gateway else (),
        gateway_classes=listed(GATEWAY_CLASSES) if by_gateway else (),
        autoscalers=listed(AUTOSCALERS),
        scaler=canary_scaler.original(cluster.client, namespace, scaler),
    )

"""What there is of one Canary that Flagger has initialised: its target, the copy that serves, and what belongs to it.

Names and owners are Flagger 1.44's: there pkg/canary/deployment_controller.go, pkg/router/kubernetes_default.go and
ingress.go, and for the copies of ConfigMaps and Secrets pkg/canary/config_tracker.go.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from analyzer.kube.resources import CONFIG_MAPS, SECRETS, Resource
from analyzer.spec import target_of

Object = dict[str, Any]

MARK = "detour.dev/take-over"  # annotation of a Canary that is being taken over
PRIMARY, CANARY = "-primary", "-canary"
SCALERS = {
    kind: Resource(group, version, f"{kind.lower()}s", kind)
    for kind, group, version in (
        ("HorizontalPodAutoscaler", "autoscaling", "v2"),
        ("ScaledObject", "keda.sh", "v1alpha1"),
    )
}


@dataclass(frozen=True, slots=True)
class Mark:
    """What has to be remembered of a Canary until it is taken over.

    `scaler` is its `autoscalerRef`. `newer` is the target's template where that is not the one that serves, `live` the
    digest of the one that does. `failed` is whether Flagger has rejected `newer`.
    """

    suspended: bool = False
    scaler: Mapping[str, Any] | None = None
    failed: bool = False
    newer: Mapping[str, Any] | None = None
    live: str = ""

    @classmethod
    def read(cls, canary: Object) -> Self | None:
        """The mark of a Canary; None where it bears none."""
        text = (canary["metadata"].get("annotations") or {}).get(MARK)
        return cls(**json.loads(text)) if text else None

    def write(self) -> str:
        """As it stands in the annotation."""
        fields = ("suspended", "scaler", "failed", "newer", "live")
        return json.dumps({name: value for name in fields if (value := getattr(self, name))})


@dataclass(frozen=True, slots=True)
class Copy:
    """A ConfigMap or Secret that Flagger has copied for the primary, and what it is a copy of."""

    resource: Resource
    copy: Object
    original: Object | None

    @property
    def is_current(self) -> bool:
        """Whether the original still says what serves. Flagger copies `data` alone."""
        return self.original is not None and (self.original.get("data") or {}) == (self.copy.get("data") or {})


@dataclass(frozen=True, slots=True)
class Found:
    """One look. `pods` are the names of the primary's pods, `slices` the EndpointSlices of the namespace.

    `rivals` are other Canaries with this target. `controllers` says where Flagger runs and looks at this namespace.
    """

    canary: Object
    target: Object | None = None
    primary: Object | None = None
    services: tuple[Object, ...] = ()
    ingresses: tuple[Object, ...] = ()
    slices: tuple[Object, ...] = ()
    pods: frozenset[str] = frozenset()
    copies: tuple[Copy, ...] = ()
    scaler: Object | None = None
    primary_scaler: Object | None = None
    rivals: tuple[str, ...] = ()
    controllers: tuple[str, ...] = ()

    @property
    def namespace(self) -> str:
        return str(self.canary["metadata"]["namespace"])

    @property
    def name(self) -> str:
        """The target's."""
        return target_of(self.canary)

    @property
    def apex(self) -> str:
        """The name of the Service that users call."""
        return str((self.canary["spec"].get("service") or {}).get("name") or self.name)

    @property
    def mark(self) -> Mark | None:
        return Mark.read(self.canary)

    @property
    def scaler_ref(self) -> Mapping[str, Any] | None:
        """The autoscaler that the Canary names, or named when the take-over began."""
        return self.mark.scaler if self.mark else self.canary["spec"].get("autoscalerRef")

    @property
    def canary_ingress(self) -> Object | None:
        """The Ingress that gives the canary its share; Flagger keeps it, with weight 0."""
        named = (self.canary["spec"].get("ingressRef") or {}).get("name")
        return self.owned(self.ingresses, f"{named}{CANARY}") if named else None

    @property
    def canary_service(self) -> Object | None:
        return self.owned(self.services, f"{self.apex}{CANARY}")

    @property
    def primary_service(self) -> Object | None:
        return self.owned(self.services, f"{self.apex}{PRIMARY}")

    @property
    def users_services(self) -> tuple[Object, ...]:
        """All but the two that Flagger made beside the one that users call."""
        return tuple(each for each in self.services if each not in (self.canary_service, self.primary_service))

    @property
    def is_initialised(self) -> bool:
        """Whether anything of Flagger's is left, or a take-over is not over yet."""
        left = (self.primary, self.canary_ingress, self.canary_service, self.primary_service, self.primary_scaler)
        return self.mark is not None or any(left) or bool(self.copies)

    def owned(self, things: Iterable[Object], name: str) -> Object | None:
        """The one of this name, if Flagger has made it for this Canary."""
        return next((each for each in things if each["metadata"]["name"] == name and is_owned(each, self.canary)), None)


def is_owned(thing: Mapping[str, Any], canary: Object) -> bool:
    """Whether a Canary owns it: Flagger says so of all that it makes."""
    return any(owner.get("uid") == canary["metadata"].get("uid") for owner in owners(thing))


def owners(thing: Mapping[str, Any]) -> list[Object]:
    return thing["metadata"].get("ownerReferences") or []


def selects(service: Object, deployment: Object | None) -> bool:
    """Whether a Service sends requests to the pods of a Deployment."""
    selector = service["spec"].get("selector")
    if not selector or deployment is None:
        return False
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in selector.items())


COPIED = (CONFIG_MAPS, SECRETS)

"""What a plan is made of. Each action is idempotent: it may be carried out again after a crash."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from analyzer.hooks import Kind
from analyzer.status import Status
from analyzer.wording import printable


class Severity(StrEnum):
    """Of an alert, as Flagger has it (Canary.spec.analysis.alerts[].severity)."""

    INFO = "info"
    WARN = "warn"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Emit:
    """An event on the Canary; a milestone is told on the user's Deployment, too, an alert to the AlertProviders."""

    text: str
    warning: bool = False
    milestone: bool = False
    alert: Severity | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", printable(self.text))


@dataclass(frozen=True, slots=True)
class Guard:
    """Mark the target for the webhook, and find out by a dry run whether its next update is diverted."""


@dataclass(frozen=True, slots=True)
class Serve:
    """The Service that the Canary asks for and nobody has made."""


@dataclass(frozen=True, slots=True)
class Rehearse:
    """A dry run of the promotion: what would be refused then is known before anything is created."""


@dataclass(frozen=True, slots=True)
class Measure:
    """Call the webhooks of these kinds and evaluate the metrics, now.

    Without `traffic` the metrics have nothing to judge, but that one cannot be measured is better known before. Only if
    everything is passed, those that are `then` asked for their consent are called.
    """

    kinds: tuple[Kind, ...] = (Kind.ROLLOUT,)
    traffic: bool = True
    then: Kind | None = None

    @property
    def metrics(self) -> bool:
        """Whether metrics are looked at: where no canary is judged yet, or any more, gates alone are called."""
        return self.traffic or Kind.PRE_ROLLOUT in self.kinds


@dataclass(frozen=True, slots=True)
class RunCanary:
    """The canary's Deployment with the diverted template, at this size."""

    replicas: int


@dataclass(frozen=True, slots=True)
class Route:
    """The Service of this revision's canary, and routes that do what the strategy has for this position.

    Without a revision (the Canary that knew it is gone) the Service stays as it is: it still has a share to answer.
    """

    weight: int
    revision: str
    iteration: int = 0


@dataclass(frozen=True, slots=True)
class Unroute:
    """Take the routes away."""


@dataclass(frozen=True, slots=True)
class RemoveCanary:
    """Delete the canary's Service and Deployment."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the webhook to act on the promotion of `digest`: swap it in, be done with it, or take it back."""

    verb: Literal["go", "done", "back"]
    digest: str


@dataclass(frozen=True, slots=True)
class Scale:
    """Ask for so many replicas of the primary: more than it has, which its autoscaler took some of away."""

    replicas: int


@dataclass(frozen=True, slots=True)
class Label:
    """Show the state on the Deployment: `kubectl get deploy -L detour.dev/state`."""

    state: str


Action = Emit | Serve | Guard | Rehearse | Measure | RunCanary | Route | Unroute | RemoveCanary | Ask | Scale | Label

AGAIN = 1.0  # seconds, if an action does not show before
ANSWERED_AGAIN = 10.0  # seconds until what was asked for is looked for, although its answer has one look by itself
REFUSED_AGAIN = 5.0  # seconds between tries of what the API server refuses, where there is no other way


@dataclass(frozen=True, slots=True)
class Plan:
    """`status` is stored before any of `actions` is done; `wake` is in how many seconds to look again anyway."""

    status: Status
    actions: tuple[Action, ...] = ()
    wake: float | None = None

"""What the world looks like at one moment, as plain values: all that `plan` may know besides spec and status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from analyzer.metrics.verdict import Check

UNCLEAR = -1


@dataclass(frozen=True, slots=True)
class Primary:
    """The user's Deployment. `digest` is of the template that runs, `stash` of the one that waits, both whole."""

    digest: str
    stash: str | None = None
    previous: str | None = None
    replicas: int = 1
    ready: bool = True
    progress: str = ""
    stuck: bool = False
    paused: bool = False
    deleting: bool = False
    state: str | None = None
    subject: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Canary:
    """The canary's Deployment. `progress` says in Flagger's words what it still waits for."""

    digest: str
    replicas: int
    ready: bool
    progress: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the world.

    `target` is whether the Deployment exists, `labelled` whether its label sends its updates to the webhook.
    `weight` is what our routes say: None without any, UNCLEAR if they disagree; `routed` is whether every route that
    should be there is there; `leftovers` whether any other object of the canary exists. `obstacle` is why no canary
    can run at all. `checks` (just measured), `rehearsal` (the API server's answer to a dry run of the promotion; ""
    is consent) and `guarded` (just tried) are None until an action asks for them.
    """

    name: str
    namespace: str
    primary: Primary | None = None
    target: bool = False
    labelled: bool = False
    guarded: bool | None = None
    canary: Canary | None = None
    weight: int | None = None
    routed: bool = False
    leftovers: bool = False
    obstacle: str = ""
    checks: tuple[Check, ...] | None = None
    rehearsal: str | None = None
    retry: str = ""

    @property
    def who(self) -> str:
        """The target as Flagger's events name it."""
        return f"{self.name}.{self.namespace}"

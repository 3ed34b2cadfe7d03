"""What the world looks like at one moment, as plain values: all that `plan` may know besides spec and status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from analyzer.metrics.verdict import Check
from analyzer.wishes import Wish

UNCLEAR = -1


@dataclass(frozen=True, slots=True)
class Primary:
    """The user's Deployment. `digest` is of the template that runs, `stash` of the one that waits, both whole.

    `down_since` is since when none of its replicas is available; `stuck`, that its own rollout has given up.
    `restarted` is the stamp of the last restart on what waits, which is no part of its digest; `at_once`, why the
    webhook says that it needs no analysis. `reason` is why it is not ready, where that is known. `available` replicas
    serve; `autoscaled` is whether an autoscaler decides how many there are.
    """

    digest: str
    stash: str | None = None
    previous: str | None = None
    replicas: int = 1
    ready: bool = True
    progress: str = ""
    stuck: bool = False
    down_since: datetime | None = None
    paused: bool = False
    deleting: bool = False
    state: str | None = None
    subject: Mapping[str, Any] = field(default_factory=dict)
    restarted: str = ""
    at_once: str = ""
    reason: str = ""
    available: int = 1
    autoscaled: bool = False


@dataclass(frozen=True, slots=True)
class Canary:
    """The canary's Deployment. `available` replicas serve; `progress` says in Flagger's words what it waits for.

    `grace` is for how many seconds its pods may go on being counted after they were told to end; `restarted`, the
    stamp of its last restart. `reason` is why it is not ready, where that is known; `crashed`, that it is for a
    container which ended. `least` is the minimum of its own autoscaler, if there is one.
    """

    digest: str
    replicas: int
    ready: bool
    available: int
    progress: str = ""
    grace: float = 30.0
    restarted: str = ""
    reason: str = ""
    crashed: bool = False
    least: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the world.

    `target` is whether the Deployment exists, `served` whether the Service that the Canary asks for does, `labelled`
    whether the label is there that sends its updates to the webhook. `weight` is what our routes say: None without
    any, UNCLEAR if they disagree; `routed` is whether every route that should be there is there; `leftovers` whether
    any other object of the canary exists; `unrouted`, that the primary has no route which could be split, `unroutable`,
    that its routes cannot be split now. `obstacle` is why no canary can run at all, `unusable` what is wrong with the
    Canary's own spec.

    `held` is why nothing new may begin for now, whatever waits; `queued`, why its turn has not come; `direct`, why what
    begins now needs no analysis. `since` is when this process began to look: no deadline runs while nobody does. `deaf`
    is for how many seconds more routers may not have heard of what is written now, since the API server was away.

    What follows is None until an action asks for it: `checks` (just measured), `rehearsal` (the API server's answer to
    a dry run of the promotion; "" is consent), `guarded` (just tried). `refused` is what the API server said to an
    action just now that it will not carry out.
    """

    name: str
    namespace: str
    primary: Primary | None = None
    target: bool = False
    served: bool = True
    labelled: bool = False
    guarded: bool | None = None
    canary: Canary | None = None
    weight: int | None = None
    routed: bool = False
    leftovers: bool = False
    obstacle: str = ""
    unusable: str = ""
    refused: str = ""
    checks: tuple[Check, ...] | None = None
    rehearsal: str | None = None
    wish: Wish | None = None
    held: str = ""
    queued: str = ""
    direct: str = ""
    unrouted: bool = False
    unroutable: bool = False
    since: datetime | None = None
    deaf: float = 0.0

    @property
    def who(self) -> str:
        """The target as Flagger's events name it."""
        return f"{self.name}.{self.namespace}"

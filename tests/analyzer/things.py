"""What the model world consists of, and what may happen in it without the analyzer."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from analyzer.hooks import Gate, Kind
from analyzer.metrics.verdict import Check, Result
from analyzer.spec import Spec
from analyzer.status import Phase, Status
from analyzer.strategy import Strategy
from analyzer.view import Occasion
from analyzer.wishes import Verb, Wish

START = datetime(2026, 1, 1, tzinfo=UTC)
V1, V2, V3 = "1" * 64, "2" * 64, "3" * 64

STEPS = Strategy((20, 40, 60))
SPEC = Spec(target="podinfo", interval=10, threshold=2, strategy=STEPS, progress_deadline=60, metrics=({},))
GATED = replace(SPEC, gates=(Gate("load-test", "http://loadtester/", timeout=5),))
OPEN = Check("load-test", Result.PASSED, "external check load-test passed")
SHUT = Check("load-test", Result.FAILED, "external check load-test failed Forbidden")
SILENT = Check("load-test", Result.UNMEASURED, "external check load-test cannot be called")
PASSED = Check("success", Result.PASSED, "success 100.00 >= 99")
FAILED = Check("success", Result.FAILED, "success 50.00 < 99")
UNMEASURED = Check("success", Result.UNMEASURED, "metric query failed for success: parse error")
NO_DATA = Check("success", Result.NO_DATA, "no values found")


Measured = tuple[str, datetime | None, bool]  # of which revision, after which measurement, and whether it failed


@dataclass
class Things:
    """The cluster, the stored status and the clock, and what people and fate do to them.

    `proven` is what has passed its last check at its last weight: the revision, the primary beside it, and the terms.
    `weights` are those that routes got, `decided` those that were stored. `measured` is the last measurement, `judged`
    are those that counted as failed. `said` is what gates of a kind answer, where they do not consent.
    `serving` is how many of the primary's replicas are available, if not all.
    """

    spec: Spec = SPEC
    status: Status = field(default_factory=Status)
    now: datetime = START
    live: str = V1
    stash: str | None = None
    previous: str | None = None
    replicas: int = 2
    serving: int | None = None
    autoscaled: bool = False
    state: str | None = None
    served: bool = True
    labelled: bool = False
    paused: bool = False
    deaf_until: datetime | None = None
    down_since: datetime | None = None
    boots_in: float = 3.0
    comes_up: bool = True
    crashed: str = ""
    primary_comes_up: bool = True
    refused: str = ""
    checks: Check = PASSED
    gate: Check = OPEN
    said: dict[Kind, Check] = field(default_factory=dict)
    answers: bool = True
    called: int = 0
    wish: Wish | None = None
    obstacle: str = ""
    unmeasurable: str = ""
    held: str = ""
    queued: str = ""
    direct: str = ""
    at_once: str = ""
    unrouted: bool = False
    restarted: str = ""
    canary_restarted: str = ""
    unusable: str = ""
    refusing: tuple[type, ...] = ()
    refusals: int = 0
    varying: str = ""
    deleted: bool = False
    canary: tuple[str, int, datetime] | None = None
    service: str | None = None  # the revision whose pods the canary's Service selects
    route: int | None = None
    last_traffic: datetime | None = None
    rolling_until: datetime = START
    told: list[str] = field(default_factory=list)
    weights: list[int] = field(default_factory=list)
    decided: list[int] = field(default_factory=list)
    ran: list[str] = field(default_factory=lambda: [V1])
    proven: set[tuple[str, str, str]] = field(default_factory=set)
    measured: Measured | None = None
    judged: list[Measured] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    repeats: dict[object, int] = field(default_factory=dict)

    def phase(self) -> Phase:
        """The phase that is stored now."""
        return self.status.phase

    def occasion(self) -> Occasion:
        """What a measurement would be for now."""
        asked = self.status.revision if self.status.phase.in_flight else self.stash or ""
        return asked, self.status.phase, self.status.check_time

    def primary_ready(self) -> bool:
        """Whether the primary runs its template with all its replicas."""
        comes_up = self.primary_comes_up or self.live == V1
        all_serve = self.serving is None or self.serving >= self.replicas
        return self.now >= self.rolling_until and comes_up and all_serve and self.down_since is None

    def canary_ready(self) -> bool:
        """Whether the canary is there, and its pods are ready."""
        return bool(self.canary and self.comes_up and self.now >= self.canary[2] + timedelta(seconds=self.boots_in))

    def canary_available(self) -> bool:
        """Whether any of the canary's pods serves."""
        return self.canary_ready() and bool(self.canary and self.canary[1])

    def divert(self, digest: str) -> None:
        """The webhook has diverted an update."""
        self.stash, self.state = digest, None

    def update(self, digest: str) -> None:
        """A user's update, as the webhook decides on it: taken back, let through, or diverted."""
        if digest == self.live:
            self.stash = None
        elif self.replicas == 0:
            self.change(digest)
        else:
            self.divert(digest)

    def change(self, digest: str) -> None:
        """The primary is changed directly, for one of the webhook's reasons."""
        self.live, self.stash, self.previous, self.state = digest, None, None, None
        self.rolling_until = self.now + timedelta(seconds=2)
        self.ran.append(digest)

    def ask(self, verb: Verb, revision: str) -> None:
        """A person's wish, never the same as the one before."""
        token = "second" if self.wish and self.wish.text.endswith("first") else "first"
        self.wish = Wish(f"{verb} {revision} {token}", verb, revision, by="alice", reason="it is urgent")

    def delete(self) -> None:
        """The Deployment goes, and what it owns is garbage."""
        self.deleted, self.labelled, self.stash, self.previous, self.state = True, False, None, None, None
        self.canary, self.service, self.route, self.last_traffic = None, None, None, None

    def set_clock_back(self, by: timedelta) -> None:
        """The wall clock jumps; what has happened keeps its distance from now, but for what is stored."""
        self.now -= by
        self.rolling_until -= by
        self.last_traffic = self.last_traffic and self.last_traffic - by
        self.down_since = self.down_since and self.down_since - by
        if self.canary:
            self.canary = (*self.canary[:2], self.canary[2] - by)

    def edit_route(self, weight: int | None) -> None:
        """Somebody edits our route by hand."""
        if self.route is not None:
            self.last_traffic = self.now if self.route else self.last_traffic
            self.route = weight

"""An API server with a Canary, AlertProviders and Secrets, and an analyzer that sends the alerts of that Canary."""

import base64
import copy
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Any

from analyzer.actions import Emit, Severity
from analyzer.agenda import Key
from analyzer.alerts.alert import Destination
from analyzer.alerts.herald import Herald
from analyzer.alerts.providers import Providers
from analyzer.cluster import Cluster
from analyzer.journal import Journal
from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Conflict, NotFound, Refused
from analyzer.kube.resources import EVENTS, SECRETS, Resource
from analyzer.memory import unpacked
from analyzer.remember import remember
from analyzer.status import Phase, Status
from analyzer.stored import from_object, to_object
from tests.alerts.services import LOOPBACK

Object = dict[str, Any]

KEY = ("test", "podinfo")
REVISION = "0123456789" * 6 + "abcd"
FLAGGERS = ("phase", "canaryWeight", "failedChecks", "conditions", "lastTransitionTime", "trackedConfigs")
SUBJECT = {"images": ["podinfo:6.0.1"], "by": "alice", "manager": "kubectl-set"}


class Api(Client):
    """Keeps what it is told; a status is taken only for the object as it is, as with the real one."""

    def __init__(self) -> None:
        self.canary: Object = {
            "apiVersion": "flagger.app/v1beta1",
            "kind": "Canary",
            "metadata": {
                "namespace": "test",
                "name": "podinfo",
                "uid": "1",
                "generation": 1,
                "resourceVersion": "1",
                "creationTimestamp": "2026-11-23T08:00:00Z",
            },
            "spec": {"targetRef": {"kind": "Deployment", "name": "podinfo"}, "analysis": {}},
            "status": {},
        }
        self.providers: dict[tuple[str, str], Object] = {}
        self.secrets: dict[tuple[str, str], Object] = {}
        self.told: list[str] = []
        self.requests: list[str] = []
        self.dies_at_writes = 0
        self.forbidden = False
        self.flaggers = False

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        self.requests.append(f"get {resource.kind}")
        if self.forbidden and resource == SECRETS:
            raise Refused(403, "Forbidden", f"secrets {name!r} is forbidden")
        stored = self.secrets if resource == SECRETS else self.providers
        if (namespace or "", name) not in stored:
            raise NotFound(404, "NotFound", f"{name} not found")
        return stored[namespace or "", name]

    def create(self, resource: Resource, body: Object) -> Object:
        assert resource == EVENTS
        self.told.append(body["message"])
        return body

    def replace_status(self, resource: Resource, body: Object) -> Object:
        self.requests.append("status")
        if self.dies_at_writes:
            self.dies_at_writes -= 1
            raise ApiError(500, "InternalError", "the process dies here")
        known = self.canary["metadata"]["resourceVersion"]
        if body["metadata"]["resourceVersion"] != known:
            raise Conflict(409, "Conflict", "the object has been modified")
        self.canary = copy.deepcopy(body)
        if self.flaggers:  # its definition of Canaries: what that does not know is dropped
            self.canary["status"] = {key: value for key, value in body["status"].items() if key in FLAGGERS}
        self.canary["metadata"]["resourceVersion"] = str(int(known) + 1)
        return copy.deepcopy(self.canary)


@dataclass
class Office:
    """The API server, and one process after another; `defaults` are the operator's."""

    defaults: dict[str, Destination] = field(default_factory=dict)
    shared: frozenset[str] = frozenset()
    api: Api = field(default_factory=Api)
    touched: Event = field(default_factory=Event)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """A process begins; what the one before had in mind is forgotten."""
        self.cluster = Cluster.follow(self.api, lambda _: None, "detour")
        self.cluster.canaries.learn(copy.deepcopy(self.api.canary))
        self.touched = Event()
        providers = Providers(self.api, self.shared, self.defaults)
        self.herald = Herald(self.cluster, providers, LOOPBACK, Journal(self.api, "test"), self._touch, "prod-eu")

    def _touch(self, key: Key) -> None:
        assert key == KEY
        self.touched.set()

    def subscribe(self, *alerts: Object, generation: int = 1) -> None:
        """The user writes `spec.analysis.alerts`."""
        self.api.canary["spec"]["analysis"]["alerts"] = list(alerts)
        self.api.canary["metadata"]["generation"] = generation
        self.begin()

    def provide(self, name: str, namespace: str = "test", **spec: Any) -> None:
        """An AlertProvider is there."""
        self.api.providers[namespace, name] = {"metadata": {"name": name, "namespace": namespace}, "spec": spec}

    def hide(self, name: str, namespace: str = "test", **data: str) -> None:
        """A Secret is there."""
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        self.api.secrets[namespace, name] = {"metadata": {"name": name}, "data": encoded}

    def transition(self, text: str, alert: Severity | None = Severity.INFO, **changes: Any) -> None:
        """What `Rollouts` does with a plan that tells of something: all of it is one write."""
        canary = self.cluster.canary_for(KEY)
        assert canary
        now = datetime.now(UTC)
        before = from_object(canary)
        after = Status(Phase.PROGRESSING, revision=REVISION, subject=SUBJECT, alerts=before.alerts, **changes)
        after = self.herald.posted(KEY, canary, after, [Emit(text, alert=alert)], now)
        remember(self.cluster, {**canary, "status": to_object(after, canary["status"], now)})

    def settle(self) -> None:
        """What the worker does when the application is looked at."""
        self.touched.clear()
        self.herald.settle(KEY)

    def settled(self) -> None:
        """Settle until nothing is left to be sent."""
        self.settle()
        while self.waiting:
            assert self.touched.wait(20), f"still waiting: {self.waiting}"
            self.settle()

    def first_told(self) -> str:
        """The first event, which comes from another thread, whenever a busy machine lets it."""
        deadline = time.monotonic() + 20
        while not self.api.told:
            assert time.monotonic() < deadline, f"nothing is told; still waiting: {self.waiting}"
            time.sleep(0.01)
        return self.api.told[0]

    @property
    def waiting(self) -> list[Object]:
        """What lies in the stored status."""
        return list(unpacked(self.api.canary["status"]).get("alerts") or ())


def subscription(name: str, severity: str | None = None, namespace: str | None = None) -> Object:
    """An entry of `spec.analysis.alerts` that refers to the AlertProvider of its name."""
    reference = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"name": name, "providerRef": reference} | ({"severity": severity} if severity else {})

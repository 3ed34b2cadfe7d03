"""A cluster as plain values, so that every judgement about it is a function that needs none."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from analyzer.removal import CONFIGURATION, DEPLOYMENT

Object = Mapping[str, Any]
Objects = tuple[Object, ...]

NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Trial:
    """A Deployment that was created in a dry run, with a key that the webhook takes out: whether it did.

    `problem` is why it could not be tried, or what the API server said instead.
    """

    namespace: str
    called: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """The server of built-in metrics, as the API server reaches it: the names of the series that it has of ours.

    `asked` is False where it could not be asked from here, which says nothing about it.
    """

    address: str
    asked: bool = True
    problem: str = ""
    series: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What `look` has seen. `workloads` are Deployments, DaemonSets and StatefulSets, `hooks` mutating configurations.

    `kinds` are those that the API server serves, as `apps/v1 deployments`. `unread` is what could not be read, and why.
    `lacking` are the rights that the caller has not, to install Detour, `analyzer_lacks` those that the analyzer has
    not; `refused` says why the API server refuses a replica's certificate, by its pod; `impostors` have Flagger's
    labels, and not its rights.
    """

    version: str
    kinds: frozenset[str]
    home: str = "detour"
    now: datetime = NEVER
    namespaces: Objects = ()
    workloads: Objects = ()
    classes: Objects = ()
    gateway_classes: Objects = ()
    hooks: Objects = ()
    definitions: Objects = ()
    canaries: Objects = ()
    policies: Objects = ()
    quotas: Objects = ()
    network_policies: Objects = ()
    lease: Object | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()
    analyzer_lacks: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    impostors: frozenset[str] = frozenset()
    trial: Trial | None = None
    prometheus: Prometheus | None = None

    @property
    def deployment(self) -> Object | None:
        """Detour's own."""
        found = (each for each in self.workloads if each["kind"] == "Deployment" and name_of(each) == DEPLOYMENT)
        return next((each for each in found if each["metadata"]["namespace"] == self.home), None)

    @property
    def hook(self) -> Object | None:
        """Detour's own configuration."""
        return next((each for each in self.hooks if name_of(each) == CONFIGURATION), None)

    @property
    def installed(self) -> bool:
        """Whether Detour is in the cluster, whole or in parts."""
        return self.deployment is not None or self.hook is not None

    def arguments(self, container: str) -> tuple[str, ...]:
        """Of a container of Detour's own pod."""
        containers = self.deployment["spec"]["template"]["spec"]["containers"] if self.deployment else ()
        return next((tuple(each.get("args") or ()) for each in containers if each["name"] == container), ())

    def argument(self, container: str, flag: str) -> str:
        """The value of a flag of one of them; "" if it has none."""
        words = self.arguments(container)
        for word, following in zip(words, (*words[1:], ""), strict=False):
            if word == flag:
                return following
            if word.startswith(f"{flag}="):
                return word.partition("=")[2]
        return ""


def containers_of(workload: Object) -> Iterator[Object]:
    """The containers of its pods."""
    yield from workload["spec"]["template"]["spec"].get("containers") or ()


def is_running(workload: Object) -> bool:
    """Whether it wants pods; a DaemonSet does wherever there are nodes."""
    return bool(workload["spec"].get("replicas", 1) != 0)


def name_of(found: Object) -> str:
    """Its name."""
    return str(found["metadata"]["name"])


def called(found: Object) -> str:
    """Its namespace and name, as a person would write them."""
    return "/".join(filter(None, (found["metadata"].get("namespace"), name_of(found))))


def label(found: Object, key: str) -> str | None:
    """The value of a label; None without it."""
    value = (found["metadata"].get("labels") or {}).get(key)
    return None if value is None else str(value)

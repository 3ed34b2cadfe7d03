"""Who leads, by the Lease, and how long nobody did."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from analyzer.kube import lease
from analyzer.kube.client import Client
from analyzer.kube.resources import LEASES
from analyzer.kube.watch import Watch
from tests.cluster.kubectl import KUBECONFIG, eventually, get

HOME = "detour"


@dataclass
class Reigns:
    """Holders of the lease ("" for nobody), and since when, by our clock."""

    seen: list[tuple[float, str]] = field(default_factory=list)

    @property
    def leader(self) -> str:
        """The pod that leads; "" if none does."""
        return self.seen[-1][1] if self.seen else ""

    @property
    def interregna(self) -> list[float]:
        """Seconds from each leader that gave the lease back to the next."""
        turns = zip(self.seen, self.seen[1:], strict=False)
        return [after - before for (before, holder), (after, _) in turns if not holder]

    @property
    def told(self) -> str:
        """All of it in a line."""
        waits = ", ".join(f"{seconds:.1f}" for seconds in self.interregna) or "none"
        return f"{len({holder for _, holder in self.seen if holder})} leaders; seconds without one: {waits}"


@contextmanager
def reigns() -> Iterator[Reigns]:
    """Watch the Lease from now to the end of the block."""
    found = Reigns()

    def changed(_: dict[str, Any]) -> None:
        holders = [str(each["spec"].get("holderIdentity") or "") for each in watch.all()]
        if holders and (not found.seen or found.leader != holders[0]):
            found.seen.append((time.monotonic(), holders[0]))

    only = f"metadata.name={lease.NAME}"
    watch = Watch(Client.connect(str(KUBECONFIG)), LEASES.within(HOME), changed, field_selector=only)
    watch.start()
    try:
        eventually(lambda: found.leader, "somebody leads", 30)
        yield found
    finally:
        watch.stop()


def replicas() -> list[str]:
    """The names of Detour's pods that are there to stay."""
    pods = get("-n", HOME, "pods", "-l", "app.kubernetes.io/name=detour")["items"]
    return [pod["metadata"]["name"] for pod in pods if "deletionTimestamp" not in pod["metadata"]]

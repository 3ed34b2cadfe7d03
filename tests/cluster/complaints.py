"""What is said of something that is wrong, and where: by the field and with the remedy, where its user looks."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.cluster.kubectl import Object
from tests.cluster.namespaces import unique
from tests.cluster.shop import PROMETHEUS, Shop, opened, tag_of


@dataclass
class Passing(Shop):
    """A shop whose check passes without any traffic."""

    def template(self, query: str = "vector(100)", **provider: object) -> Object:
        found = super().template()
        found["spec"] = {"query": query, "provider": {"type": "prometheus", "address": PROMETHEUS, **provider}}
        return found

    def waits_saying(self, said: str) -> None:
        """Its conditions say it, events on Canary and Deployment do, and nobody's requests have met the new version."""
        self.says(said)
        self.tells(said, "Canary")
        self.tells(said)
        assert (self.live_image, tag_of(self.waiting)) == ("6.0.0", "6.0.1")
        assert (self.status.get("canaryWeight", 0), self.status.get("failedChecks", 0)) == (0, 0)

    def goes_on(self) -> None:
        """To the first step: what comes then is what happens to every canary."""
        self.until_weight(25, 30)


@contextmanager
def passing() -> Iterator[Passing]:
    """One with a short interval and much patience, which need not be drained at the end."""
    spec = {"progressDeadlineSeconds": 600}
    with opened(Passing(unique("shop"), replicas=1, analysis={"interval": "2s"}, spec=spec)) as shop:
        yield shop
        with suppress(AssertionError):
            shop("delete", "deployment", "podinfo", "--wait=false")

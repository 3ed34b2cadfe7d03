"""Where a scenario plays: an application under traffic, and somebody who watches what its Canary says all the time."""

import time

from tests.bench.follow import Follower
from tests.cluster.kubectl import Object, Said
from tests.cluster.person import Person
from tests.faults.subject import Subject
from tests.scenarios.shopfront import Shopfront
from tests.scenarios.wire import Moment

FIELDS = ".status.phase", ".status.canaryWeight", ".status.iterations"
COLUMNS = "{.type}" + "".join(f",{{.object{field}}}" for field in FIELDS) + r"{'\n'}"
LOOK = 0.2  # seconds


class Stage(Subject):
    """`shop` is the application; `person` types `detour` in its namespace."""

    def __init__(self, shop: Shopfront) -> None:
        super().__init__(shop)
        self.shop = shop
        self.person = Person(shop)

    def update(self, tag: str = "6.0.1") -> Said:
        """What its user types."""
        return self.shop.set_image(tag)

    def stands(self, seconds: float, what: str = "nothing happens") -> None:
        """For so long nothing happens: neither the phase changes, nor the weight, nor what is live."""
        before, live, until = self._standing(), self.shop.live, time.monotonic() + seconds
        while time.monotonic() < until:
            assert (now := self._standing()) == before, f"{what}: it was {before}, and is {now}"
            time.sleep(LOOK)
        assert self.shop.live == live, f"{what}: the primary runs something else"

    def lasts(self, seconds: float) -> None:
        """Let users meet what there is for so long."""
        time.sleep(seconds)

    def succeeds(self, live: str) -> None:
        """It ends promoted, and nothing of the canary is left."""
        self.ends("Succeeded", live)
        self.shop.tells("Promotion completed!", "Canary")

    def fails(self, live: str, says: str) -> None:
        """It ends rejected, for this reason, told where users look."""
        self.ends("Failed", live, says)
        self.shop.tells(says, "Canary")

    def _standing(self) -> tuple[str, int]:
        status: Object = self.status() or {}
        return str(status.get("phase", "")), int(status.get("canaryWeight", 0))


class Course(Follower):
    """In the `with` block it follows the Canary, also one that comes later; `moments` grows."""

    def __init__(self, namespace: str) -> None:
        only = "--field-selector=metadata.name=podinfo"
        how = ("--watch", "--output-watch-events", f"--output=jsonpath={COLUMNS}")
        super().__init__("-n", namespace, "get", "canaries", only, *how)
        self.moments: list[Moment] = [Moment(time.monotonic(), "", 0)]

    def heard(self, line: str) -> None:
        event, phase, weight, iterations = line.strip().split(",")
        gone = event == "DELETED"
        self.moments.append(
            Moment(time.monotonic(), phase, 0 if gone else int(weight or 0), 0 if gone else int(iterations or 0))
        )

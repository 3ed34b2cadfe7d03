"""Updates at a steady rate, every one of which has to be diverted, whatever becomes of Detour's replicas meanwhile."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.bench import idle
from tests.bench.distribution import summary
from tests.bench.load import Change, Lane
from tests.cluster.kubectl import eventually
from tests.cluster.namespaces import namespace
from tests.cluster.podless import MANAGED

RATE = 50.0
"""Updates a second, of all writers together; fewer where the machine has no time for so many."""
WRITERS = 10


@dataclass
class Admissions:
    """The seconds that each update took, and why any failed; complete when the block is over."""

    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    ended: float = 0.0

    @property
    def told(self) -> str:
        """All of it in a line."""
        rate = len(self.seconds) / ((self.ended or time.monotonic()) - self.began)
        times = f"; {summary(self.seconds)}" if self.seconds else ""
        return f"{len(self.seconds)} admissions, {rate:.0f} a second, {len(self.failures)} failed{times}"


@contextmanager
def admissions(rate: float = RATE) -> Iterator[Admissions]:
    """From now to the end of the block, of Deployments that run no pod, by clients that keep their connections."""
    stop, names = threading.Event(), [f"idle-{number}" for number in range(WRITERS)]
    with namespace("admissions", MANAGED) as where:
        idle.deploy(where, names)
        account = Admissions()
        writers = [
            threading.Thread(target=_write, args=(where, name, account, stop, number / rate, WRITERS / rate))
            for number, name in enumerate(names)
        ]
        for writer in writers:
            writer.start()
        try:
            eventually(lambda: len(account.seconds) > WRITERS, "updates are under way", 30, lambda: account.told)
            yield account
        finally:
            stop.set()
            for writer in writers:
                writer.join(60)
            account.ended = time.monotonic()


def _write(where: str, name: str, account: Admissions, stop: threading.Event, first: float, every: float) -> None:
    lane, begun, count = Lane(where, name), time.monotonic() + first, 0
    while not stop.wait(max(0.0, begun + count * every - time.monotonic())):
        count += 1
        began = time.monotonic()
        try:
            number, _, answer = lane.patch(lambda number: Change(idle.counting(number)))
            assert idle.diverted(number, json.loads(answer)), "it was not diverted"
        except Exception as error:
            account.failures.append(f"{time.strftime('%T')}, {name}: {type(error).__name__}: {error}")
            lane.close()
        account.seconds.append(time.monotonic() - began)
    lane.close()

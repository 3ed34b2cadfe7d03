"""Writes to Deployments, one or many at a time, the kinds in turn, so that the machine's drift hits all alike."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from tests.bench.api import Api
from tests.bench.figure import say
from tests.bench.processes import processor_seconds, spent

Object = dict[str, Any]

CLIENT = "this client"
STRATEGIC, MERGE = "application/strategic-merge-patch+json", "application/merge-patch+json"


@dataclass(frozen=True, slots=True)
class Change:
    """A PATCH of a Deployment; `subresource` is `/scale`, or nothing."""

    body: Object
    kind: str = STRATEGIC
    subresource: str = ""


class Lane:
    """A client with a connection of its own, which changes one Deployment again and again, never twice alike."""

    def __init__(self, namespace: str, name: str) -> None:
        self._path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}"
        self._api = Api()
        self._count = 0

    def patch(self, change: Callable[[int], Change]) -> tuple[int, float, bytes]:
        """Send the next change. Returns its number, the seconds until the whole answer was there, and the answer."""
        self._count += 1
        wanted = change(self._count)
        body, path = json.dumps(wanted.body).encode(), f"{self._path}{wanted.subresource}?fieldManager=kubectl-set"
        began = time.perf_counter()
        answer = self._api.ask("PATCH", path, body, wanted.kind).read()
        return self._count, time.perf_counter() - began, answer

    def close(self) -> None:
        """Give the connection up."""
        self._api.close()


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of write: to which Deployments, what it changes, and what its answer must be like."""

    name: str
    lanes: Sequence[Lane]
    change: Callable[[int], Change]
    right: Callable[[int, Object], bool] = lambda _number, _answer: True


@dataclass(slots=True)
class Times:
    """Seconds of each write, a list for each block; `processor`: the seconds that each part of the sandbox took."""

    blocks: list[list[float]] = field(default_factory=list)
    processor: dict[str, float] = field(default_factory=dict)

    @property
    def all(self) -> list[float]:
        """Every write."""
        return [seconds for block in self.blocks for seconds in block]

    def add(self, block: list[float], processor: Mapping[str, float]) -> None:
        """One more block."""
        self.blocks.append(block)
        for part, seconds in processor.items():
            self.processor[part] = self.processor.get(part, 0.0) + seconds

    @property
    def processor_each(self) -> str:
        """Processor's time for a write, of every part that took at least 0.05 ms, the greatest first."""
        each = {part: 1000 * seconds / len(self.all) for part, seconds in self.processor.items()}
        ordered = sorted(each.items(), key=itemgetter(1), reverse=True)
        shown = [f"{part} {used:.2f}" for part, used in ordered if used >= 0.05]
        return f"{', '.join(shown)}; together {sum(each.values()):.2f} ms"


def alternate(what: str, series: Sequence[Series], rounds: int, each: int) -> dict[str, Times]:
    """Run blocks of `each` writes a lane of every series in turn, in another order every round.

    Raises AssertionError when an answer is not what its series calls right.
    """
    times = {one.name: Times() for one in series}
    with ThreadPoolExecutor(max(len(one.lanes) for one in series)) as pool:
        for one in series:
            _block(pool, one, 2, Times())  # connections, and the first stash
        for number in range(rounds):
            if number % max(1, rounds // 4) == 0:
                say(f"  {what}: round {number + 1} of {rounds}")
            shift = number % len(series)
            for one in (*series[shift:], *series[:shift]):
                _block(pool, one, each, times[one.name])
    return times


def _block(pool: ThreadPoolExecutor, series: Series, each: int, times: Times) -> None:
    def run(lane: Lane) -> list[tuple[int, float, bytes]]:
        return [lane.patch(series.change) for _ in range(each)]

    before, own = processor_seconds(), time.process_time()
    sent = [sample for samples in pool.map(run, series.lanes) for sample in samples]
    used = {CLIENT: time.process_time() - own} | spent(before, processor_seconds())
    for number, _, answer in sent:
        if not series.right(number, json.loads(answer)):
            raise AssertionError(f"{series.name}: write {number} was not answered as it should be: {answer.decode()}")
    times.add([seconds for _, seconds, _ in sent], used)

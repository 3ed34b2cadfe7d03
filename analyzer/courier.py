"""What is told to others while nobody waits for it: hooks and alerts.

What goes one way arrives in order, is tried again later and later, and is given up in the end. A destination that is
away keeps nothing waiting but what goes there.
"""

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from analyzer import telemetry
from analyzer.alarm import Alarm
from analyzer.crew import Crew

THREADS, SHARE = 128, 32
MOST = 100
"""Deliveries that may wait in one lane; after an outage the news counts, not what was news before it."""
MOST_OF_ONE = 10
"""Lanes' worth of them that may wait in one namespace."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0  # seconds between tries
MISSED = "given up, since too much else waits for the same destination"

Lane = tuple[str, str, str]
"""Namespace, application and destination."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Arrived:
    """It was taken. `answer` is what was said to it, if anything."""

    answer: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """It is worth another try: in so many seconds, or when the usual pause is over."""

    why: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Never:
    """The same again would be refused again."""

    why: str


Answer = Arrived | Later | Never


def _nothing(_: Arrived | Never) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Delivery:
    """`what` names it in the log. `attempt` may take long, and may come more than once: what answers too late arrives
    twice. It is given up `lasts` seconds after it was sent. `then` is called once, with what came of it.
    """

    what: str
    attempt: Callable[[], Answer]
    lasts: float
    then: Callable[[Arrived | Never], None] = _nothing
    sent: float = field(default_factory=time.monotonic)


class Courier:
    """Delivers in threads of its own. What waits dies with the process: who needs more, stores it."""

    def __init__(self, crew: Crew | None = None, most: int = MOST) -> None:
        self._crew = crew or Crew("courier", THREADS, SHARE)
        self._most = most
        self._alarm = Alarm()
        self._lanes: dict[Lane, deque[Delivery]] = {}
        self._waiting: Counter[str] = Counter()
        self._lock = threading.Lock()

    def send(self, lane: Lane, delivery: Delivery) -> None:
        """Have it delivered after all that was sent the same way before. Never blocks and never raises."""
        with self._lock:
            begins = lane not in self._lanes
            queue = self._lanes.setdefault(lane, deque())
            queue.append(delivery)
            self._waiting[lane[0]] += 1
            missed = None
            if len(queue) > self._most or self._waiting[lane[0]] > MOST_OF_ONE * self._most:
                missed = self._popped(lane)
        if missed:
            _over(missed, Never(MISSED))
        if begins:
            self._crew.do(lane[0], partial(self._go, lane))

    def _go(self, lane: Lane) -> None:
        """The next one of a lane. Only one thread at a time is at work on it."""
        with self._lock:
            if not self._lanes[lane]:
                del self._lanes[lane]
                return
            delivery = self._popped(lane)
        self._try(lane, delivery, FIRST_PAUSE)

    def _popped(self, lane: Lane) -> Delivery:
        self._waiting[lane[0]] -= 1
        self._waiting += Counter()  # those that have none are forgotten
        return self._lanes[lane].popleft()

    def _try(self, lane: Lane, delivery: Delivery, pause: float) -> None:
        answer = _answer(delivery)
        if isinstance(answer, Later):
            wanted = pause if answer.seconds is None else max(answer.seconds, FIRST_PAUSE)
            if time.monotonic() + wanted < delivery.sent + delivery.lasts:
                again = partial(self._try, lane, delivery, min(2 * pause, LONGEST_PAUSE))
                self._alarm.set(wanted, partial(self._crew.do, lane[0], again))
                return
            answer = Never(answer.why)
        _over(delivery, answer)
        self._crew.do(lane[0], partial(self._go, lane))


def _answer(delivery: Delivery) -> Answer:
    try:
        return delivery.attempt()
    except Exception as error:
        log.exception("%s: a fault of ours", delivery.what)
        return Never(type(error).__name__)


def _over(delivery: Delivery, answer: Arrived | Never) -> None:
    if isinstance(answer, Never):
        log.warning("%s: not delivered: %s", delivery.what, answer.why)
    telemetry.DELIVERIES.labels("missed" if isinstance(answer, Never) else "arrived").inc()
    try:
        delivery.then(answer)
    except Exception:
        log.exception("%s: nobody could be told what came of it", delivery.what)

"""What an update costs the users: failed requests of 10,000, beside a plain rolling update of the same Deployment.

Three applications of each sort are updated under traffic in the same minutes: one that Detour does not manage, one
whose every revision is promoted, one whose every revision is rejected though it does nothing wrong. Each sees as many
updates as the others while its requests run, so that the counts can be compared.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

from sandbox.forward import failures as forwarder_failures
from tests.bench.answers import Tally, tally
from tests.bench.application import Application
from tests.bench.figure import SHORT, Figure, say
from tests.bench.timeline import Moment, Story, Timeline, living, story
from tests.cluster.kubectl import eventually
from tests.cluster.namespaces import unique

REQUESTS = 6_000 if SHORT else 10_000
TURNS = 1 if SHORT else 4
TOLD = 10  # failed requests that are told one by one, for each run
PLAIN, PROMOTION, ROLLBACK = "plain rolling update", "promotion", "rollback"
VERDICTS = {PLAIN: None, PROMOTION: 1, ROLLBACK: 0}
ENDS = {PROMOTION: "Succeeded", ROLLBACK: "Failed"}
STEPS = {PROMOTION: 25, ROLLBACK: 50}  # percent; both reach 50
SORTS = {False: "no probe, no preStop", True: "readiness probe and preStop"}
LATE = 1.0  # seconds behind the schedule with which the rate is no longer constant
PERIOD = 24.0  # seconds from one update to the next, longer than each takes


@dataclass(frozen=True, slots=True)
class Run:
    """One application under traffic while it is updated again and again."""

    rate: int
    careful: bool
    kind: str
    turn: int = 0

    @property
    def updates(self) -> int:
        """As many as there is room for while the requests run."""
        return max(1, int(REQUESTS / self.rate / PERIOD))

    @property
    def offset(self) -> float:
        """Seconds to the first update, other than the others' so that not all of them ask for CPU at once."""
        return 1.0 + list(VERDICTS).index(self.kind) + self.careful / 2

    @property
    def title(self) -> str:
        return f"{self.kind} at {self.rate}/s, {SORTS[self.careful]}"

    def application(self) -> Application:
        steps = {"interval": "2s", "threshold": 1, "stepWeight": STEPS.get(self.kind, 0), "maxWeight": 50}
        namespace = unique(f"bench-{self.kind.split()[0]}")
        return Application(namespace, analysis=steps, careful=self.careful, verdict=VERDICTS[self.kind])


@dataclass(frozen=True, slots=True)
class Account:
    """What one run came to: its tally, how many updates were over before its last request, and each failure's story."""

    run: Run
    tally: Tally
    completed: int
    longest: float
    stories: tuple[Story, ...]

    @property
    def complete(self) -> bool:
        """Every request was sent, none much too late, and every update was over before the last of them."""
        on_schedule = self.tally.sent == REQUESTS and self.tally.lag_most < LATE
        return on_schedule and self.completed == self.run.updates

    @property
    def details(self) -> tuple[str, ...]:
        updates = f"{self.completed} of {self.run.updates} updates, {self.longest:.0f} s at most"
        reasons = Counter(f"{story.reason}; {story.canary}" for story in self.stories)
        classes = (f"  {count} × {reason}" for reason, count in reasons.most_common())
        return (
            f"{self.run.title}: {updates}; {self.tally.text}",
            *classes,
            *(f"    {story.text}" for story in self.stories[:TOLD]),
        )


def figures() -> list[Figure]:
    """Failed requests at 40/s, all applications at once, and at 200/s, two at a time: 2 cores serve no more evenly.

    Where requests do fail, chance decides how many: so the short runs at 200/s are made several times.
    """
    together = [Run(40, careful, kind) for careful in SORTS for kind in VERDICTS]
    pairs = [Run(200, False, kind, turn) for turn in range(TURNS) for kind in (PLAIN, PROMOTION)]
    pairs += [Run(200, True, kind) for kind in (PLAIN, PROMOTION)]
    pairs += [Run(200, careful, ROLLBACK) for careful in SORTS]
    return [*measure(together, at_once=6), *measure(pairs, at_once=2)]


def measure(runs: Sequence[Run], at_once: int) -> list[Figure]:
    """The figures of these runs; every sort at every rate has its plain one among them."""
    before = forwarder_failures()
    timeline = Timeline()
    with timeline.watching(), ThreadPoolExecutor(at_once) as pool:
        accounts = list(pool.map(lambda run: perform(run, timeline), runs))
    own = {name: count - before.get(name, 0) for name, count in forwarder_failures().items()}
    return list(_compare(accounts, f"failures of the sandbox's own forwarder meanwhile: {own}"))


def _compare(accounts: Sequence[Account], forwarder: str) -> Iterator[Figure]:
    turns: dict[Run, list[Account]] = {}
    for account in accounts:
        turns.setdefault(replace(account.run, turn=0), []).append(account)
    for run, mine in turns.items():
        if run.kind != PLAIN:
            plain = turns[replace(run, kind=PLAIN)]
            yield compare(
                mine, plain, (*_details(mine), *(_details(plain) if run.kind == PROMOTION else ()), forwarder)
            )


def compare(mine: Sequence[Account], plain: Sequence[Account], details: Sequence[str] = ()) -> Figure:
    """One figure: the mean of these runs beside that of the plain ones, which saw as many updates."""
    run, failed, reference = mine[0].run, mean(mine), mean(plain)
    return Figure(
        name=f"failed requests of {REQUESTS:,}: {run.title}",
        goal="0" if run.careful else "no more than the plain update",
        measured=f"{failed:g} ({_basis(mine)})",
        reference=f"plain rolling update without Detour {reference:g} ({_basis(plain)})",
        holds=all(account.complete for account in (*mine, *plain)) and failed <= (0 if run.careful else reference),
        details=tuple(details),
    )


def mean(accounts: Sequence[Account]) -> float:
    """Failed requests a run."""
    return sum(len(account.tally.failed) for account in accounts) / len(accounts)


def _basis(accounts: Sequence[Account]) -> str:
    each = "; ".join(f"{len(account.tally.failed)} in {account.completed} updates" for account in accounts)
    return each if len(accounts) == 1 else f"mean of {each}"


def _details(accounts: Sequence[Account]) -> Iterator[str]:
    for account in accounts:
        yield from account.details


def perform(run: Run, timeline: Timeline) -> Account:
    """One run, in a namespace of its own."""
    application = run.application()
    try:
        application.open()
        with closing(application.traffic(run.rate, REQUESTS)) as traffic:
            begin = traffic.start()
            say(f"{run.title}: {REQUESTS} requests, {run.updates} updates")
            updates = [_update(application, run, begin, number, timeline) for number in range(run.updates)]
            answers = traffic.join()
        last = max(answer.at for answer in answers)
        counted = tally(answers)
        time.sleep(2.0)  # what the stories tell may come to pass only now
        moments = timeline.of(application.namespace)
        stories = [
            story(failed, timeline.choice(application.host, failed.number), moments) for failed in counted.failed
        ]
        completed = sum(end <= last for _, end in updates)
        say(f"{run.title}: {completed} updates, {counted.text}")
        return Account(run, counted, completed, max(end - asked for asked, end in updates), tuple(stories))
    finally:
        application.close()


def _update(application: Application, run: Run, begin: float, number: int, timeline: Timeline) -> tuple[float, float]:
    """One update, when it is due, until nothing is left of it. Returns when it was asked for, and its end."""
    due = begin + run.offset + number * PERIOD
    time.sleep(max(0.0, due - time.monotonic()))
    before = living(timeline.of(application.namespace))
    asked = application.update(number)
    eventually(
        lambda: _over(run.kind, timeline.of(application.namespace), before, asked),
        f"the end of update {number}, {run.title}",
        90,
        lambda: [moment.text for moment in timeline.of(application.namespace)][-10:],
    )
    return asked, time.monotonic()


def _over(kind: str, moments: Sequence[Moment], before: dict[str, bool], asked: float) -> bool:
    """Every pod is there to stay and ready: new ones after an update, those of `before` after a rollback."""
    phases = [moment.values[0] for moment in moments if moment.kind == "canary" and moment.at >= asked]
    ended = kind == PLAIN or ("Progressing" in phases and phases[-1] == ENDS[kind])
    pods = living(moments)
    replaced = not pods.keys() & before.keys()
    stays = pods.keys() == before.keys() if kind == ROLLBACK else replaced and len(pods) == len(before)
    return ended and stays and all(pods.values())

"""`python -m tests.soak`: random commands on several applications at once, judged by the laws that must always hold;
then a million broken reviews (`tests.fuzz`).

SEED repeats a run's commands and pauses, COUNT is how many commands, APPLICATIONS how many take their share of them.
The exit status is 1 if a law was broken, or an application did not come to what was wished last.
"""

import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack

from tests.bench import machine
from tests.cluster import namespaces
from tests.cluster.kubectl import ROOT
from tests.cluster.namespaces import unique
from tests.cluster.shop import QUICK, Shop
from tests.fuzz.__main__ import main as fuzz
from tests.soak.application import Application
from tests.soak.recording import recording
from tests.soak.story import around, lines

COUNT, APPLICATIONS = 300, 4
EVIDENCE = ROOT / "docs/evidence/soak.md"
LONGEST = 900.0  # seconds of typing
LAST_LINES = 40  # of the story of an application that did not come to its last wish
EVERY = 15.0  # seconds between two lines of progress


def main() -> int:
    """Returns the exit status."""
    seed = os.environ.get("SEED") or str(random.randrange(10**6))
    count, many = setting("COUNT", COUNT), setting("APPLICATIONS", APPLICATIONS)
    say(f"SEED={seed} COUNT={count} APPLICATIONS={many}")
    began = time.monotonic()
    with ExitStack() as stack:
        here = unique("soak")
        shops = [Shop(f"{here}-{number}", replicas=1, analysis=QUICK) for number in range(many)]
        applications = open_all(stack, shops, seed)
        runs = run(applications, count)
        broken = [line for app, ended in zip(applications, runs, strict=True) for line in verdict(app, ended)]
        told = summary(applications, seed, broken, time.monotonic() - began)
    say("\n".join([*broken, *told]))
    if sum(app.typed.total() for app in applications) >= COUNT:
        EVIDENCE.parent.mkdir(parents=True, exist_ok=True)
        EVIDENCE.write_text(evidence(told, broken))
        say(f"written to {EVIDENCE.relative_to(ROOT)}")
    return 1 if broken else 0


def setting(name: str, usual: int) -> int:
    """A number from the environment. Ends the program where it is none."""
    text = os.environ.get(name) or str(usual)
    if not text.isdecimal() or not int(text):
        sys.exit(f"{name} is '{text}': set it to a whole number above 0, or unset it for {usual}")
    return int(text)


def open_all(stack: ExitStack, shops: Sequence[Shop], seed: str) -> list[Application]:
    """The applications, recorded from their beginning; with `stack` their namespaces go."""
    for shop in shops:
        stack.callback(namespaces.delete, shop.namespace)
    with ThreadPoolExecutor(len(shops)) as pool:
        list(pool.map(Shop.open, shops))
    return [
        Application(shop, random.Random(f"{seed}-{number}"), stack.enter_context(recording(shop.namespace)), say)
        for number, shop in enumerate(shops)
    ]


def run(applications: Sequence[Application], count: int) -> list[Future[None]]:
    """All at once, each with its share of the commands; how each has ended. Who is interrupted does not wait."""
    many = len(applications)
    shares = [count // many + (number < count % many) for number in range(many)]
    with ThreadPoolExecutor(many) as pool:
        runs = [pool.submit(app.run, share, LONGEST) for app, share in zip(applications, shares, strict=True)]
        try:
            watch(runs, applications, count)
        except BaseException:
            for app in applications:
                app.stop()
            raise
    return runs


def watch(runs: Sequence[Future[None]], applications: Sequence[Application], count: int) -> None:
    """Tell how far they are until all have ended."""
    while wait(runs, EVERY).not_done:
        typed = sum(app.typed.total() for app in applications)
        endings = sum((app.endings() for app in applications), Counter[str]())
        breaches = sum(len(app.judgement().broken) + len(app.complaints) for app in applications)
        say(f"{typed} of {count} commands, {breaches} breaches; {listed(endings)}")


def verdict(application: Application, run: Future[None]) -> list[str]:
    """What was wrong with one application, with its story; empty if nothing was."""
    error = run.exception()
    problems = [*application.complaints, *([f"ended by {error!r}"] if error else [])]
    versions = application.versions()
    judgement = application.judgement()
    stories = [*around(versions, judgement)]
    if problems:
        stories += list(lines(versions))[-LAST_LINES:]
    return [f"{application.name}: {line}" for line in [*problems, *stories]]


def summary(applications: Sequence[Application], seed: str, broken: Sequence[str], seconds: float) -> list[str]:
    """What was typed and what came of it."""
    typed = sum((app.typed for app in applications), Counter[str]())
    endings = sum((app.endings() for app in applications), Counter[str]())
    reasons = sum((app.endings("message") for app in applications), Counter[str]())
    changes = sum((app.judgement().changes for app in applications), Counter[str]())
    return [
        f"seed {seed}: {typed.total()} commands on {len(applications)} applications in {seconds:.0f} s",
        f"commands: {listed(typed)}",
        f"how revisions ended: {listed(endings)}",
        *(f"  {often} × {reason}" for reason, often in reasons.most_common()),
        f"why a primary changed: {listed(changes)}",
        "no law was broken, and every last wish came true" if not broken else "BROKEN, see above",
    ]


def listed(counts: Counter[str]) -> str:
    """The most frequent first."""
    return ", ".join(f"{what} {often}" for what, often in counts.most_common()) or "none yet"


def evidence(told: Sequence[str], broken: Sequence[str]) -> str:
    """The page of a complete run."""
    head = ["# The soak", "", "Written by `make soak`, on:", "", *(f"* {line}" for line in machine.circumstances()), ""]
    lines = [*head, *(f"{'  ' * line.startswith(' ')}* {line.strip()}" for line in told), ""]
    return "\n".join([*lines, *(["```", *broken, "```", ""] if broken else [])])


def say(text: str) -> None:
    """A line of progress, with the time of day."""
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


if __name__ == "__main__":
    # As an exception, so that the namespaces are taken away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main() | fuzz())

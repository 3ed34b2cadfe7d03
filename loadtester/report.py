"""How a task ended, in words: for the log, and for whoever waits for it."""

import logging

from loadtester.command import Pipeline
from loadtester.payload import Task
from loadtester.process import Ending

LONGEST_POINT = 160
"""Characters: with the words before it, it fits into the 200 that an event shows of an answer."""

FAILED_TEST = "not ok"
"""How a failure begins a line in the Test Anything Protocol, which bats speaks. https://testanything.org"""

log = logging.getLogger(__name__)


def names(pipeline: Pipeline) -> str:
    """For the log: never the arguments, there are tokens among them."""
    return " | ".join(words[0] for words in pipeline)


def record(task: Task, programs: str, ending: Ending) -> None:
    """Into the log. The output of what failed is always logged, as Flagger does."""
    level = logging.ERROR if ending.failed else logging.INFO
    log.log(level, "%s: %s %s after %.1f s", task.canary, programs, _how(ending), ending.seconds)
    if not task.log_output and not ending.failed:
        return
    if ending.dropped:
        log.log(level, "%s: the first %d bytes of the output are left out", task.canary, ending.dropped)
    for line in _lines(ending):
        log.log(level, "%s: %s", task.canary, line)


def answer(task: Task, programs: str, ending: Ending) -> str:
    """For who waits: of a failure first how it ended and what in the output tells most, then all that is kept of it."""
    lines = _lines(ending)
    if not ending.failed:
        return "\n".join(lines) if task.return_output else "passed"
    return "\n".join([f"{programs} {_how(ending)}: {_point(lines) or 'it said nothing'}", "", *lines])


def _how(ending: Ending) -> str:
    if ending.expired:
        return "took too long and was stopped"
    return f"failed with status {ending.status}" if ending.status else "finished"


def _point(lines: list[str]) -> str:
    """What a person has to see who sees one line: the tests that failed, or what came last."""
    said = [" ".join(line.split()) for line in lines if line.strip()]
    failed = [line for line in said if line.startswith(FAILED_TEST)]
    return "; ".join(failed)[:LONGEST_POINT] if failed else " ".join(said[-3:])[-LONGEST_POINT:]


def _lines(ending: Ending) -> list[str]:
    text = ending.output.decode(errors="replace")
    return ["".join(c if c.isprintable() or c == "\t" else "\ufffd" for c in line) for line in text.splitlines()]

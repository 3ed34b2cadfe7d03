"""What became of one row, and whether it held: pure, so that the judgement itself can be tested."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.bench.answers import Answer, Tally, percentile

SHOWN = 3
"""Of each kind of failed request, so many are told one by one."""


@dataclass(frozen=True, slots=True)
class Slack:
    """How many more requests may fail than of the plain rolling update, where the fault itself hits both, and why."""

    requests: int = 0
    because: str = ""


NO_SLACK = Slack()


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the table.

    `done` is what it says: the fault, and how it has to end. `recovery` has the seconds from the end of each fault
    until the run went on. `problem` is what ended the row before it was through, or what did not hold.
    """

    row: str
    done: str
    managed: Tally
    plain: Tally
    ended: str
    recovery: Sequence[float] = ()
    left: Sequence[str] = ()
    problem: str = ""
    notes: Sequence[str] = ()
    slack: Slack = NO_SLACK
    seconds: float = 0.0

    @property
    def complaints(self) -> list[str]:
        """Everything that is not as it has to be; empty if the row holds."""
        found = [self.problem] if self.problem else []
        if self.left:
            found.append(f"left over: {', '.join(self.left)}")
        ours, theirs = len(self.managed.failed), len(self.plain.failed)
        if ours > theirs + self.slack.requests:
            allowed = f" and {self.slack.requests} ({self.slack.because})" if self.slack.requests else ""
            found.append(f"{ours} requests failed, more than the {theirs} of the plain rolling update{allowed}")
        if not self.managed.sent or not self.plain.sent:
            found.append("no requests were sent, so nothing is shown")
        return found

    @property
    def holds(self) -> bool:
        return not self.complaints

    @property
    def recovered(self) -> str:
        """The seconds in a few words: all of a few, or the middle and the worst of many."""
        if len(self.recovery) <= SHOWN:
            return ", ".join(f"{seconds:.1f}" for seconds in self.recovery) or "–"
        middle, worst = percentile(self.recovery, 50), max(self.recovery)
        return f"{middle:.1f} (median of {len(self.recovery)}), {worst:.1f} at most"

    @property
    def lines(self) -> list[str]:
        """The row in full, for the evidence and for whoever has to find out."""
        found = [f"{self.done} ({self.seconds:.0f} s)", f"ended: {self.ended}", *self.notes]
        found += [f"seconds until it went on: {self.recovered}"] if self.recovery else []
        for name, tally in (("managed", self.managed), ("plain rolling update", self.plain)):
            found += [f"{name}: {tally.text}", *failures(tally.failed)]
        if self.slack.requests:
            found.append(f"{self.slack.requests} more may fail: {self.slack.because}")
        return [*found, *(f"DOES NOT HOLD: {complaint}" for complaint in self.complaints)]


def failures(failed: Sequence[Answer]) -> list[str]:
    """How often which failure, and the first few of each."""
    found = []
    for why, count in Counter(answer.failure for answer in failed).most_common():
        shown = ", ".join(
            f"no. {answer.number} ({'kept' if answer.kept else 'new'} connection, {answer.seconds:.2f} s)"
            for answer in [answer for answer in failed if answer.failure == why][:SHOWN]
        )
        found.append(f"  {count} × {why}: {shown}")
    return found

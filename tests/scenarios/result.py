"""What became of one scenario, and whether it held: pure, so that the judgement itself can be tested."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.bench.answers import Tally
from tests.faults.result import failures
from tests.scenarios.wire import Stretch


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table. `tallies` and `stretches` are what each crowd of users met, by its name.

    `problem` is what ended the scenario before it was through; `wire` what was not as it had to be for users. `first`
    is what was not as it had to be when it was played for the first time, if this is the second.
    """

    name: str
    source: str
    says: str
    ended: str
    seconds: float
    tallies: Mapping[str, Tally]
    stretches: Mapping[str, Sequence[Stretch]] = field(default_factory=dict)
    wire: Sequence[str] = ()
    left: Sequence[str] = ()
    problem: str = ""
    notes: Sequence[str] = ()
    first: Sequence[str] = ()

    @property
    def sent(self) -> int:
        return sum(tally.sent for tally in self.tallies.values())

    @property
    def failed(self) -> int:
        return sum(len(tally.failed) for tally in self.tallies.values())

    @property
    def complaints(self) -> list[str]:
        """Everything that is not as it has to be; empty if the scenario holds."""
        found = [*([self.problem] if self.problem else []), *self.wire]
        if self.left:
            found.append(f"left over: {', '.join(self.left)}")
        if self.failed:
            found.append(f"{self.failed} requests failed")
        if not self.tallies or any(not tally.sent for tally in self.tallies.values()):
            found.append("no requests were sent, so nothing is shown")
        return found

    @property
    def holds(self) -> bool:
        return not self.complaints

    @property
    def shares(self) -> str:
        """The canary's share at each weight, for every crowd."""
        told = []
        for name, stretches in self.stretches.items():
            found = ", ".join(stretch.text for stretch in stretches if stretch.weight and stretch.requests)
            told += [f"{name} {found}" if len(self.stretches) > 1 else found] if found else []
        return "; ".join(told) or "–"

    @property
    def lines(self) -> list[str]:
        """The scenario in full, for the evidence and for whoever has to find out."""
        found = [f"{self.says} ({self.source}; {self.seconds:.0f} s)", f"ended: {self.ended}", *self.notes]
        for name, tally in self.tallies.items():
            found += [f"{name}: {tally.text}", *failures(tally.failed)]
        found += [f"canary's share: {self.shares}", *(f"the first time it did not hold: {each}" for each in self.first)]
        return [*found, *(f"DOES NOT HOLD: {complaint}" for complaint in self.complaints)]

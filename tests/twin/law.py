"""The twin law: what is desired of a managed Deployment is what its twin runs, whatever is typed.

Left out is a command that kubectl answers by itself, because the primary has already what is asked for; the twin is
not told it either. And where two managers come to own a field in the one that only one of them owns in the other,
nothing can be compared any more: a forced apply that states what somebody else has waiting takes it from him, since
it is not live, while in the twin the two share it.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.cluster.deployed import desired
from tests.twin.commands import DEPLOYMENT, Command, Object, Promotion, Sequence, Step
from tests.twin.pair import Side, beside
from tests.webhook.model import ANALYZER
from tests.webhook.trees import ordered
from webhook import stash
from webhook.revision import digest, without_restart

UNDO = ("rollout", "undo")
CONFLICT = "Apply failed with"
SHARED = "a field came to have two owners in one of them only"
UNSEEN = "an apply without force met a conflict in the twin, where the value that it would take is live"
INVALID = "the API server refused the template, which for what waits is left to a dry run of the promotion"


class Apart(AssertionError):
    """The law does not hold."""


class Ended(Exception):
    """Nothing can be compared from here on; the message says why."""


@dataclass
class Account:
    """What was told by kind of command, what kubectl kept to itself, and why a sequence ended early."""

    sequences: int = 0
    told: Counter[str] = field(default_factory=Counter)
    unsent: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    diverted: int = 0


class Life:
    """One sequence told to both, and compared after every command."""

    def __init__(self, managed: Side, twin: Side, account: Account) -> None:
        self.managed, self.twin, self.account = managed, twin, account
        self.steps: list[Step] = []
        self.proven: set[str] = set()

    def live(self, sequence: Sequence) -> None:
        """Raises Apart, naming the commands and both templates, where the two come to differ."""
        self.account.sequences += 1
        self.steps = [sequence.first]
        for side in (self.managed, self.twin):
            side.create(sequence.first)
        self.proven = {digest(self.managed.read()["spec"]["template"])}
        try:
            for step in sequence.steps:
                told = self._promote(step) if isinstance(step, Promotion) else self._tell(step)
                if told:
                    self.steps.append(step)
                    self.compare()
        except Ended as end:
            self.account.ended[str(end)] += 1

    def _tell(self, step: Command) -> bool:
        """Whether both were told."""
        if step.words[:2] == UNDO and not self._undo_means_the_same():
            self.account.unsent["rollout undo (to a revision that was superseded, or never ran)"] += 1
            return False
        mine = self.managed.tell(step)
        if not mine.reached:
            self.account.unsent[step.kind] += 1
            return False
        if mine.refused and CONFLICT in mine.words:
            self.account.unsent["apply --server-side without force (a conflict with the value that is live)"] += 1
            return False
        theirs = self.twin.tell(step)
        if theirs.refused and not mine.refused and CONFLICT in theirs.words:
            raise Ended(UNSEEN)
        if theirs.refused and not mine.refused and "is invalid" in theirs.words:
            raise Ended(INVALID)
        if mine.refused != theirs.refused and theirs.reached:  # else kubectl found nothing to change in the twin
            raise self._apart("only one was refused", step, mine.words, theirs.words)
        self.account.told[step.kind] += 1
        return True

    def _promote(self, step: Promotion) -> bool:
        """Ask as the analyzer does, where there is something to ask for."""
        deployment = self.managed.read()
        waiting = stash.diverted(deployment)
        if stash.previous(deployment) is not None:
            verb, whole = stash.BACK if step.back else stash.DONE, digest(deployment["spec"]["template"])
        elif waiting is not None and not step.back:
            verb, whole = stash.GO, waiting.digest
        else:
            return False
        wish = f"{stash.PROMOTE}={stash.promote_request(verb, whole)}"
        words = ("annotate", DEPLOYMENT, wish, "--overwrite", f"--as={ANALYZER}", "--field-manager=detour")
        told = self.managed.tell(Command(words))
        if told.refused:
            raise self._apart("a promotion was refused", step, told.words)
        self.account.told[f"promotion ({verb})"] += 1
        self.proven.add(whole)
        return True

    def _undo_means_the_same(self) -> bool:
        """Detour's undo cancels what waits. The twin's goes one revision back, which is another if two have waited."""
        deployment = self.managed.read()
        mine = deployment["spec"]["template"] if stash.diverted(deployment) else self.managed.before()
        theirs = self.twin.before()
        return mine is not None and theirs is not None and digest(mine) == digest(theirs)

    def compare(self) -> None:
        """Raises Apart where they differ now, and Ended where they will without a fault of Detour's."""
        managed, twin = self.managed.read(), self.twin.read()
        self.account.diverted += stash.diverted(managed) is not None
        if digest(managed["spec"]["template"]) not in self.proven:
            raise self._apart("the primary runs what was not promoted", managed["spec"]["template"])
        mine, theirs = (self._form(desired(side)) for side in (managed, twin))
        if mine != theirs:
            raise self._apart("they differ", mine, theirs, managed["spec"]["template"])
        if beside(managed) != beside(twin):
            raise self._apart("they differ beside the template", beside(managed), beside(twin))
        if shared(managed) != shared(twin):
            raise Ended(SHARED)

    def _form(self, template: Object) -> Any:
        """Server-side apply leaves the order of a list to who comes first; a restart's stamp is the time."""
        server_side = any(isinstance(step, Command) and "--server-side" in step.words for step in self.steps)
        return ordered(without_restart(template)) if server_side else without_restart(template)

    def _apart(self, what: str, *details: object) -> Apart:
        lines = [f"{what} after", *(f"  {step}" for step in self.steps), *(f"with {part}" for part in details)]
        return Apart("\n".join(lines))


def shared(deployment: Object) -> set[tuple[str, ...]]:
    """The fields of the template that have more than one owner."""
    owners: Counter[tuple[str, ...]] = Counter()
    for entry in deployment["metadata"]["managedFields"]:
        if not entry.get("subresource"):
            fields = entry.get("fieldsV1", {}).get("f:spec", {}).get("f:template", {})
            owners.update(_leaves(fields))
    return {path for path, count in owners.items() if count > 1}


def _leaves(fields: Object, at: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found = {(*at, name) for name, rest in fields.items() if not rest}
    return found.union(*(_leaves(rest, (*at, name)) for name, rest in fields.items() if rest))

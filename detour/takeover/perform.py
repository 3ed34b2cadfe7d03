"""Carries a take-over out: look, do what is first in the plan, look again, until nothing is left to do."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from analyzer.kube.client import Client
from analyzer.kube.errors import Conflict, NotFound
from detour.person import REAL, Clock, Problem, Tell, patiently
from detour.takeover.found import Found
from detour.takeover.steps import Delete, Merge, Patch, Step, Store, Wait

Answer = TypeVar("Answer")

LOOK_EVERY = 0.5  # seconds
TELL_EVERY = 10.0
PATIENCE = 60.0  # seconds without an answer of the API server
REPEATS = 10  # of one and the same step: something undoes it


@dataclass(slots=True)
class TakeOver:
    """One take-over. `look` and `plan` are asked again after every step: what others do meanwhile counts.

    `refusals` are looked at before every step, too. Raises Problem when it cannot go on; it may then be called again.
    """

    client: Client
    namespace: str
    look: Callable[[], Found]
    plan: Callable[[Found], tuple[Step, ...]]
    refusals: Callable[[Found], list[str]]
    tell: Tell
    clock: Clock = REAL

    def run(self) -> None:
        """From where it is to its end."""
        before, times = "", 0
        while step := self._next():
            if isinstance(step.does, Wait):
                self._wait(step, step.does)
                continue
            if step.after and not self._still(step):
                continue
            times = times + 1 if step.says == before else 1
            before = step.says
            if times > REPEATS:
                raise Problem(f"something undoes this again and again: {step.says}; find out what, and call this again")
            if times > 1:
                self.clock.sleep(LOOK_EVERY)
            if not step.after:
                self.tell(step.says)
            self._patiently(partial(self._do, step))

    def _patiently(self, ask: Callable[[], Answer]) -> Answer:
        return patiently(ask, self.clock.now() + PATIENCE, self.tell, self.clock)

    def _next(self) -> Step | None:
        found = self._patiently(self.look)
        if reasons := self.refusals(found):
            raise Problem("; ".join(reasons))
        return next(iter(self.plan(found)), None)

    def _still(self, step: Step) -> bool:
        """Whether it is still what is to be done when its pause is over."""
        self.tell(f"in {step.after:.0f} s: {step.says}")
        self.clock.sleep(step.after)
        following = self._next()
        return following is not None and following.says == step.says

    def _wait(self, step: Step, wait: Wait) -> None:
        """Raises Problem when it takes too long."""
        began = told = self.clock.now()
        self.tell(step.says)
        while (found := self._next()) and found.says == step.says and isinstance(found.does, Wait):
            now, wait = self.clock.now(), found.does
            if now - began > wait.within:
                how = f" ({wait.meanwhile})" if wait.meanwhile else ""
                raise Problem(f"not within {wait.within:.0f} s: {step.says}{how}; see why, and call this again")
            if now - told > TELL_EVERY:
                self.tell(f"{step.says}: {wait.meanwhile}" if wait.meanwhile else step.says)
                told = now
            self.clock.sleep(LOOK_EVERY)

    def _do(self, step: Step) -> None:
        """What has changed since we looked is looked at again."""
        try:
            self._send(step)
        except (Conflict, NotFound) as error:
            self.tell(f"looking again: {error}")

    def _send(self, step: Step) -> None:
        namespace = self.namespace
        match step.does:
            case Merge(resource, name, body):
                self.client.merge(resource, namespace, name, body)
            case Patch(resource, name, operations):
                self.client.patch(resource, namespace, name, operations)
            case Delete(resource, name, uid):
                self.client.delete(resource, namespace, name, uid)
            case Store(resource, body):
                self.client.replace_status(resource, body)

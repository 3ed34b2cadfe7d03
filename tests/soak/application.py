"""One application in the soak: random commands at random moments, a last wish, and what came of it."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random

from tests.cluster.deployed import desired, ours
from tests.cluster.kubectl import Object, eventually
from tests.cluster.shop import Shop, tag_of
from tests.soak.commands import LEVEL, SERVER_SIDE, TAGS, apply, pick
from tests.soak.law import Judgement, judge
from tests.soak.recording import Recording, Version
from webhook import stash
from webhook.revision import digest, short

ALWAYS = {stash.POLICY, stash.HISTORY}
WITH_A_REJECTED_ONE = {stash.TEMPLATE, stash.REVISION, stash.DIVERTED_BY, stash.STATE}
MOMENTS = ("Progressing", "Promoting", "Finalising")
CALM = 120.0  # seconds until everything has come to rest after the last command

Say = Callable[[str], None]


class Application:
    """Its shop is open; its commands follow from `random` alone, what comes of them from the moment, too."""

    def __init__(self, shop: Shop, random: Random, record: Recording, say: Say) -> None:
        self._shop, self._random, self._record, self._say = shop, random, record, say
        self._stopped = threading.Event()
        self.typed: Counter[str] = Counter()
        self.complaints: list[str] = []

    def run(self, count: int, seconds: float) -> None:
        """Type so many commands, as far as the time allows; then wish for something last, and wait until it is true."""
        deadline = time.monotonic() + seconds
        while self.typed.total() < count and time.monotonic() < deadline:
            self._wait()
            if self._stopped.is_set():
                return
            self._type()
        self._last_wish()

    def stop(self) -> None:
        """Somebody does not want to wait for the end."""
        self._stopped.set()

    @property
    def name(self) -> str:
        """That of its namespace."""
        return self._shop.namespace

    def versions(self) -> list[Version]:
        """Everything that was stored of it."""
        return self._record.complete()

    def judgement(self) -> Judgement:
        """What the laws say of everything so far."""
        return judge(self._record.versions())

    def endings(self, field: str = "outcome") -> Counter[str]:
        """How revisions ended, or their `message`: by every version of the Canary, as its history is cut off."""
        seen: dict[tuple[str, str], str] = {}
        for version in self._record.versions():
            status: Object = version.object.get("status") or {} if version.kind == "Canary" else {}
            if ending := status.get("ending"):
                seen[status.get("revision", ""), status.get("startTime", "")] = ending.get(field, "")
        return Counter(seen.values())

    def _wait(self) -> None:
        """Not at all, for a while, for longer than a whole analysis takes, or for a moment that is easily missed."""
        until = time.monotonic() + self._random.choice((0.0, self._random.uniform(0, 3), self._random.uniform(0, 20)))
        moment = self._random.choice((None, None, *MOMENTS))
        while time.monotonic() < until and not (moment and self._record.phase == moment):
            if self._stopped.wait(0.02):
                return

    def _type(self) -> None:
        command = pick(self._random)
        said = command.typed(self._shop, self._random)
        self.typed[command.name] += 1
        if not command.excuses(said):
            self._complain(f"{command.name} failed: {said.err.strip() or said.out.strip()}")

    def _last_wish(self) -> None:
        tag, how = self._random.choice(TAGS), self._random.choice(((), SERVER_SIDE))
        self._shop("rollout", "resume", "deployment/podinfo", check=False)
        said = apply(self._shop, tag, how)
        if said.code:
            self._complain(f"the last manifest was refused: {said.err.strip()}")
        try:
            eventually(self._is_calm, "everything is at rest", CALM, lambda: self._shop.status)
        except AssertionError as error:
            self._complain(str(error))
        self._fulfilled(tag)

    def _is_calm(self) -> bool:
        primary, status = self._shop.primary, self._shop.status
        waits = stash.diverted(primary) is not None and stash.state(primary) != stash.STATE_REJECTED
        moves = status.get("phase") in ("Progressing", "Promoting", "Finalising", "Waiting")
        return not (waits or moves or stash.previous(primary) or self._shop.leftovers())

    def _fulfilled(self, tag: str) -> None:
        """The last manifest runs, or it is what was rejected when somebody aborted it before."""
        primary = self._shop.primary
        found, wanted = stash.diverted(primary), desired(primary)
        if (tag_of(wanted), _level(wanted)) != (tag, tag):
            self._complain(f"the last manifest was {tag}, but {tag_of(wanted)} with {_level(wanted)} is what is wished")
        if left := sorted(ours(primary) - ALWAYS - (WITH_A_REJECTED_ONE if found else set())):
            self._complain(f"{', '.join(left)} at the end")
        if found and found.digest not in self._shop.status.get("rejected", ()):
            self._complain(f"{tag}, revision {short(digest(wanted))}, waits at the end, and was never rejected")

    def _complain(self, text: str) -> None:
        self.complaints.append(text)
        self._say(f"{self._shop.namespace}: {text}")


def _level(template: Object) -> str:
    container = template["spec"]["containers"][0]
    return str(next((entry["value"] for entry in container.get("env", ()) if entry["name"] == LEVEL), "no level"))

"""What `up` wrote down about the sandbox that it started: by it the next `up` sees whether that is still wanted."""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.layout import NAME, STATE, Ports
from sandbox.progress import say

RECORD = STATE / "sandbox.json"
LOCK = Path("/var/lock") / f"{NAME}.lock"


@dataclass(frozen=True, slots=True)
class Record:
    """Whose sandbox it is, what it was made from, and where it is published."""

    checkout: Path
    fingerprint: str
    ports: Ports

    def write(self) -> None:
        RECORD.write_text(json.dumps({**asdict(self), "checkout": str(self.checkout)}))


def read() -> Record | None:
    """None when there is no sandbox, or one whose start was cut off."""
    try:
        value = json.loads(RECORD.read_text())
        return Record(Path(value["checkout"]), value["fingerprint"], Ports(**value["ports"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def exclusively() -> Iterator[None]:
    """One `up` or `down` at a time on this machine; the second waits."""
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another 'up' or 'down' is at work; waiting for it to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield

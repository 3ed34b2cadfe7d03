"""One line for each step, so that nobody looks at a silent terminal: what is being done, and how long it took."""

import contextlib
import time
from collections.abc import Iterator


def say(text: str) -> None:
    print(text, flush=True)


@contextlib.contextmanager
def step(text: str) -> Iterator[None]:
    """Says what begins, and after it how many seconds it took; a failure tells its own story."""
    say(f"{text} ...")
    began = time.monotonic()
    yield
    say(f"{text}: done in {time.monotonic() - began:.1f} s")

"""A crew's threads: nobody waits for those that wait, unless it is of the same namespace and that has very many."""

import threading
from collections.abc import Iterator

import pytest

from analyzer.crew import Crew, Job
from tests.cluster.kubectl import eventually


class Silence:
    """Jobs that wait until they are let go; `begun` tells by how many."""

    def __init__(self) -> None:
        self.begun = 0
        self._over = threading.Event()
        self._lock = threading.Lock()

    def __call__(self) -> None:
        with self._lock:
            self.begun += 1
        assert self._over.wait(10)

    def end(self) -> None:
        self._over.set()


@pytest.fixture
def silence() -> Iterator[Silence]:
    made = Silence()
    yield made
    made.end()


def noted(done: list[str], name: str) -> Job:
    return lambda: done.append(name)


def test_every_job_is_done() -> None:
    crew, done = Crew("test", threads=3, share=2), list[str]()
    for number in range(200):
        crew.do(f"namespace-{number % 7}", noted(done, str(number)))
    eventually(lambda: len(done) == 200, "all done", 10)
    assert sorted(done, key=int) == [str(number) for number in range(200)]


def test_a_namespace_whose_jobs_wait_holds_up_nobody_else(silence: Silence) -> None:
    crew, done = Crew("test", threads=4, share=2), list[str]()
    for _ in range(16):
        crew.do("silent", silence)
    crew.do("shop", noted(done, "shop"))
    eventually(lambda: done == ["shop"], "done", 5)
    assert silence.begun == 2
    silence.end()
    eventually(lambda: silence.begun == 16, "the others, in their turn", 5)


def test_the_namespace_with_the_fewest_at_work_is_next(silence: Silence) -> None:
    """One thread is free, and a namespace with many jobs asked first."""
    crew, done, gate = Crew("test", threads=2, share=2), list[str](), threading.Event()

    def wait() -> None:
        assert gate.wait(10)

    crew.do("busy", silence)
    eventually(lambda: silence.begun, "begun", 5)
    crew.do("other", wait)
    for number in range(3):
        crew.do("busy", noted(done, f"busy-{number}"))
    crew.do("shop", noted(done, "shop"))
    gate.set()
    eventually(lambda: len(done) == 4, "done", 5)
    assert done[0] == "shop"


def test_a_job_that_fails_gives_its_thread_back() -> None:
    def fail() -> None:
        raise ValueError

    crew, done = Crew("test", threads=1, share=1), list[str]()
    crew.do("shop", fail)
    crew.do("shop", noted(done, "next"))
    eventually(lambda: done == ["next"], "done", 5)


def test_what_no_thread_could_be_had_for_is_done_with_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    crew, done = Crew("test", threads=2, share=2), list[str]()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        crew.do("shop", noted(done, "first"))
    assert done == []
    crew.do("shop", noted(done, "second"))
    eventually(lambda: done == ["first", "second"], "both", 5)

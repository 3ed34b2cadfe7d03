"""A pipeline as running programs."""

import os
import signal
import time

import pytest

from loadtester.process import KEPT, Running
from tests.loadtester.processes import PATHS, alive, eventually, nap, running


def test_what_one_program_writes_the_next_one_reads() -> None:
    ending = running("echo 'a  b; $HOME' | cat | cat -").follow(5)
    assert (ending.status, ending.output, ending.expired) == (0, b"a  b; $HOME\n", False)


def test_errors_are_part_of_the_output() -> None:
    ending = running("cat /nonexistent").follow(5)
    assert ending.status == 1
    assert b"No such file" in ending.output


@pytest.mark.parametrize(("line", "status"), [("false | true", 0), ("true | false", 1)])
def test_the_last_program_decides_how_it_ended(line: str, status: int) -> None:
    assert running(line).follow(5).status == status


def test_a_program_that_reads_no_further_ends_the_one_before_it() -> None:
    ending = running("yes | head -n 2").follow(5)
    assert (ending.status, ending.output) == (0, b"y\ny\n")


def test_a_first_program_that_has_ended_already_does_not_keep_the_next_from_starting() -> None:
    for _ in range(20):
        assert running("true | true | true").follow(5).status == 0


def test_only_the_end_of_a_long_output_is_kept() -> None:
    ending = running(f"yes 123456789 | head -c {KEPT + 5}").follow(10)
    assert (len(ending.output), ending.dropped) == (KEPT, 5)


@pytest.mark.parametrize("line", ["sleep {}", "yes", "sleep {} | cat", "cat /dev/zero | sleep {}"])
def test_what_takes_too_long_is_stopped(line: str) -> None:
    seconds = nap()
    ending = running(line.format(seconds)).follow(0.2)
    assert ending.expired
    assert ending.status == -signal.SIGTERM
    assert ending.seconds < 3
    assert not alive("sleep", seconds)


def test_what_a_program_has_started_is_stopped_with_it() -> None:
    seconds = nap()
    parent = running(f"timeout --foreground 60 sleep {seconds}")
    assert eventually(lambda: alive("sleep", seconds))
    assert parent.follow(0.1).expired
    assert eventually(lambda: not alive("sleep", seconds))


def test_what_does_not_stop_when_asked_is_killed() -> None:
    seconds = nap()
    stubborn = running(f"sleep {seconds}", grace=0.2)
    assert eventually(lambda: alive("sleep", seconds))
    stubborn.signal(signal.SIGSTOP)  # a stopped process does not see a SIGTERM
    ending = stubborn.follow(0.1)
    assert (ending.status, ending.expired) == (-signal.SIGKILL, True)


def test_a_signal_after_the_end_reaches_nobody() -> None:
    ended = running("true")
    ended.follow(5)
    ended.signal(signal.SIGKILL)


def test_nothing_of_our_own_environment_reaches_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "hunter2")
    assert b"hunter2" not in running("cat /proc/self/environ").follow(5).output


def test_a_pipeline_that_cannot_start_leaves_nothing_behind() -> None:
    seconds = nap()
    before = len(os.listdir("/proc/self/fd"))
    began = time.monotonic()
    with pytest.raises(OSError, match="No such file"):
        Running((("sleep", seconds), ("gone",)), {"sleep": PATHS["sleep"], "gone": "/nonexistent"})
    assert time.monotonic() - began < 2
    assert len(os.listdir("/proc/self/fd")) == before
    assert not alive("sleep", seconds)

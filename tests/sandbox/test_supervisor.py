"""The supervisor: what dies is started again, at once, unless it dies again and again."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.layout import CHECKOUT
from sandbox.supervisor import LONGEST_PAUSE, SETTLED, Component, Run

PROGRAM = """
import sys
from pathlib import Path
from sandbox import supervisor
folder = Path(sys.argv[1])
supervisor.LOGS, supervisor.STATUS = folder, folder / "status.json"
supervisor.supervise([supervisor.Component.from_json(value) for value in supervisor.json.loads(sys.argv[2])])
"""


def _run() -> Run:
    return Run(Component("etcd", ("/bin/true",)))


def test_a_component_that_ran_well_is_started_again_at_once() -> None:
    run = _run()
    run.started = 100.0
    run.died(100.0 + SETTLED)
    assert run.due == 100.0 + SETTLED


def test_the_pauses_grow_while_a_component_dies_again_and_again() -> None:
    run, now, pauses = _run(), 100.0, []
    for _ in range(8):
        run.started = now
        run.died(now)
        pauses.append(run.pause)
        now = run.due
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] < 0.5
    assert pauses[-1] == LONGEST_PAUSE


def test_the_pauses_are_forgotten_once_it_ran_well() -> None:
    run = _run()
    run.died(0.0)
    run.started = 10.0
    run.died(10.0 + SETTLED)
    assert run.pause == 0.0


def test_a_component_survives_the_way_through_its_file() -> None:
    component = Component("forwarder", ("/bin/echo", "x"), {"PATH": "/bin"}, (3, 4))
    assert Component.from_json(json.loads(json.dumps(component.as_json()))) == component


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Callable[[], dict[str, Any]]]:
    """A real supervisor of one process that sleeps, and one that ends at once; and the way to its report."""
    components = [
        Component("sleeper", ("/bin/sleep", "60")),
        Component("talker", ("/bin/echo", "hello")),
    ]
    arguments = [str(tmp_path), json.dumps([component.as_json() for component in components])]
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=CHECKOUT)

    def report() -> dict[str, Any]:
        file = tmp_path / "status.json"
        parsed: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        return parsed

    _eventually(lambda: report().get("sleeper", {}).get("pid") is not None)
    yield report
    sleeper = report()["sleeper"]["pid"]
    process.terminate()
    process.wait(10)
    os.kill(sleeper, signal.SIGKILL)


def _eventually(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_killed_process_is_started_again(supervised: Callable[[], dict[str, Any]]) -> None:
    first = supervised()["sleeper"]["pid"]
    os.kill(first, signal.SIGKILL)
    _eventually(lambda: supervised()["sleeper"]["pid"] not in (None, first))
    assert supervised()["sleeper"]["restarts"] == 1


def test_one_that_cannot_live_does_not_disturb_the_others(
    supervised: Callable[[], dict[str, Any]], tmp_path: Path
) -> None:
    _eventually(lambda: supervised()["talker"]["restarts"] >= 2)
    assert supervised()["sleeper"]["restarts"] == 0
    assert (tmp_path / "talker.log").read_text().startswith("hello\nhello\n")

"""Tasks that are waited for: tests, suites, scripts. What they end in is the answer."""

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from loadtester import runner
from loadtester.command import split
from loadtester.errors import HungUp, Refused
from loadtester.payload import Kind, Task
from loadtester.programs import Programs, checked
from loadtester.runner import Runner
from loadtester.telemetry import Event
from tests.loadtester.processes import PATHS, alive, eventually, nap
from tests.loadtester.serving import count, post, served

SUITE = """#!/bin/sh
echo '1..3'
echo 'ok 1 it is healthy'
echo "not ok 2 a token is issued by $1"
echo 'ok 3 the version is shown'
exit 1
"""


@pytest.fixture(name="client")
def _client(tmp_path: Path) -> Iterator[FlaskClient]:
    write(tmp_path / "acceptance", SUITE)
    with served(suites=tmp_path) as client:
        yield client


def write(path: Path, script: str, mode: int = 0o555) -> None:
    path.write_text(script)
    path.chmod(mode)


def said(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.text


def test_a_test_that_passes_is_a_yes_and_says_what_it_said_if_asked(client: FlaskClient) -> None:
    assert said(post(client, "echo token | cat", "test")) == (200, "passed")
    assert said(post(client, "echo token | cat", "test", returnCmdOutput="true")) == (200, "token")


def test_a_test_that_fails_is_a_no_with_its_output(client: FlaskClient) -> None:
    assert said(post(client, "cat /nonexistent", "test")) == (
        500,
        "cat failed with status 1: cat: /nonexistent: No such file or directory\n\n"
        "cat: /nonexistent: No such file or directory",
    )
    assert said(post(client, "echo token | false", "test")) == (
        500,
        "echo | false failed with status 1: it said nothing\n",
    )


def test_a_suite_that_fails_begins_with_what_failed_and_shows_it_all(client: FlaskClient) -> None:
    status, text = said(post(client, "acceptance podinfo-canary", "test"))
    first, empty, *output = text.splitlines()
    assert (status, empty) == (500, "")
    assert first == "acceptance failed with status 1: not ok 2 a token is issued by podinfo-canary"
    assert output[0] == "1..3"
    assert len(output) == 4


def test_what_a_person_sees_first_fits_into_what_an_event_shows(client: FlaskClient, tmp_path: Path) -> None:
    write(
        tmp_path / "wordy", "#!/bin/sh\nfor i in 1 2 3; do echo not ok $i a test with quite a long name; done; exit 3"
    )
    first = post(client, "wordy", "test").text.splitlines()[0]
    assert first.startswith("wordy failed with status 3: not ok 1 a test with quite a long name; not ok 2")
    assert len(first) <= 200
    write(
        tmp_path / "plain", "#!/bin/sh\necho aaa; for i in $(seq 90); do printf '%s ' $i; done; echo; echo zzz; exit 3"
    )
    first = post(client, "plain", "test").text.splitlines()[0]
    assert first.endswith(" 90 zzz")
    assert len(first) <= 200


def test_a_suite_is_the_operators_so_a_caller_chooses_it_by_name_and_nothing_else(
    client: FlaskClient, tmp_path: Path
) -> None:
    write(tmp_path / "notes", "not executable", 0o444)
    (tmp_path / "folder").mkdir()
    for cmd in (f"{tmp_path}/acceptance", "./acceptance", "../acceptance", "notes", "folder", "sh acceptance"):
        answer = post(client, cmd, "test")
        assert answer.status_code == 403
        assert "allowed are: acceptance, cat, echo" in answer.text


def test_a_suite_that_is_put_there_later_is_allowed_from_then_on(client: FlaskClient, tmp_path: Path) -> None:
    assert post(client, "smoke", "test").status_code == 403
    write(tmp_path / "smoke", "#!/bin/sh\nexit 0")
    assert post(client, "smoke", "test").status_code == 200
    (tmp_path / "smoke").unlink()
    assert post(client, "smoke", "test").status_code == 403


def test_suites_that_are_not_there_are_none_and_hide_nothing(tmp_path: Path) -> None:
    assert Programs(frozenset({"cat"}), tmp_path / "gone").names == {"cat"}


@pytest.mark.parametrize("behind", ["bash", "python3.11", "busybox"])
def test_a_program_that_is_an_interpreter_under_another_name_cannot_be_on_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behind: str
) -> None:
    write(tmp_path / behind, "#!/bin/sh\n")
    (tmp_path / "probe").symlink_to(behind)
    monkeypatch.setenv("PATH", str(tmp_path))
    if behind == "busybox":  # it is what it is called by
        assert checked(frozenset({"probe"})) == {"probe"}
        return
    with pytest.raises(Refused, match=f"probe is {behind} here"):
        checked(frozenset({"probe"}))


def test_a_bash_task_is_a_shell_where_the_flag_says_so_and_refused_where_it_does_not(client: FlaskClient) -> None:
    script = "set -e; x=$(echo two words); test \"$x\" = 'two words'; echo $x > /dev/stderr"
    refused = post(client, script, "bash")
    assert refused.status_code == 403
    assert "task type 'bash' is not allowed here" in refused.text
    assert "--bash" in refused.text
    with served(shell=True) as shell:
        assert said(post(shell, script, "bash", returnCmdOutput="true")) == (200, "two words")
        assert said(post(shell, "echo oh; exit 3", "bash")) == (500, "bash failed with status 3: oh\n\noh")
        assert post(shell, "bash -c id", "test").status_code == 403


def test_the_output_of_what_is_waited_for_is_logged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    post(client, "echo spoken", "test")
    assert eventually(lambda: "podinfo.test: spoken" in caplog.messages)


def test_what_takes_too_long_is_a_no_that_says_so() -> None:
    with served(timeout=0.2) as client:
        answer = post(client, f"sleep {nap()}", "test")
    assert answer.status_code == 500
    assert answer.text.startswith("sleep took too long and was stopped: it said nothing")


def test_who_asks_for_what_runs_already_waits_for_the_same_end(client: FlaskClient, tmp_path: Path) -> None:
    pipe, answers = tmp_path / "pipe", list[TestResponse]()
    os.mkfifo(pipe)
    line = f"cat {pipe}"

    def ask() -> None:
        answers.append(post(client, line, "test", returnCmdOutput="true"))

    waiting = [threading.Thread(target=ask) for _ in "ab"]
    for thread in waiting:
        thread.start()
    assert eventually(lambda: count(client, "joined") == 1)
    pipe.write_text("the end")
    for thread in waiting:
        thread.join(10)
    assert [said(answer) for answer in answers] == [(200, "the end")] * 2
    assert count(client, "started") == 1


class Impatient:
    """A runner, and a caller of it who hangs up at once."""

    def __init__(self, at_once: int = 2) -> None:
        self.events = list[Event]()
        self.runner = Runner(self.events.append, at_once=at_once, grace=1.0)

    def ask(self, line: str, checksum: str = "1", *, patient: bool = False) -> str:
        task = Task("podinfo.test", line, Kind.TEST, checksum)
        try:
            ending = self.runner.verdict(task, split(line), PATHS, lambda: not patient)
        except HungUp:
            return "hung up"
        return ending.output.decode().strip()


def test_a_verdict_that_nobody_heard_waits_for_the_next_call_of_the_same_revision(tmp_path: Path) -> None:
    caller, runs = Impatient(), tmp_path / "runs"
    write(tmp_path / "suite", f"#!/bin/sh\nsleep 0.5\necho run >> {runs}\nwc -l < {runs}")
    paths = Programs(frozenset(), tmp_path).paths((("suite",),))
    task, other = (Task("podinfo.test", "suite", Kind.TEST, checksum) for checksum in "12")

    def heard(task: Task, *, gone: bool = False) -> int:
        return int(caller.runner.verdict(task, (("suite",),), paths, lambda: gone).output)

    with pytest.raises(HungUp):
        heard(task, gone=True)
    assert eventually(lambda: Event.SUCCEEDED in caller.events)
    assert heard(other) == 2  # another revision has no use for it
    assert heard(task) == 1  # what the first run said; nothing has run anew
    assert heard(task) == 3  # and it is heard once
    caller.runner.stop()


def test_a_verdict_is_not_kept_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = Impatient()
    assert caller.ask("sleep 0.3") == "hung up"
    assert eventually(lambda: Event.SUCCEEDED in caller.events)
    monkeypatch.setattr(runner, "KEPT_FOR", 0.0)
    assert caller.ask("sleep 0.3", patient=True) == ""
    assert caller.events.count(Event.STARTED) == 2


def test_who_hangs_up_keeps_no_place_and_what_runs_goes_on() -> None:
    caller, seconds = Impatient(), nap()
    for _ in range(4):
        assert caller.ask(f"sleep {seconds}") == "hung up"
    assert caller.events.count(Event.STARTED) == 1
    assert alive("sleep", seconds)
    caller.runner.stop()
    assert not alive("sleep", seconds)


@pytest.mark.parametrize("same", [True, False])
def test_more_callers_than_commands_may_wait_are_put_off(same: bool) -> None:
    with served(at_once=1) as client:
        first, second = nap(), nap()
        waiting = threading.Thread(target=post, args=(client, f"sleep {first}", "test"))
        waiting.start()
        assert eventually(lambda: alive("sleep", first))
        refused = post(client, f"sleep {first if same else second}", "test")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "5")
        assert client.post("/gate/check", json={"name": "a", "namespace": "b"}).status_code == 403
    waiting.join(10)
    assert not waiting.is_alive()


def test_the_end_of_the_server_is_no_verdict() -> None:
    answers = list[TestResponse]()
    with served() as client:
        seconds = nap()
        waiting = threading.Thread(target=lambda: answers.append(post(client, f"sleep {seconds}", "test")))
        waiting.start()
        assert eventually(lambda: alive("sleep", seconds))
    waiting.join(10)
    assert (answers[0].status_code, answers[0].headers["Retry-After"]) == (503, "5")
    assert "come again" in answers[0].text

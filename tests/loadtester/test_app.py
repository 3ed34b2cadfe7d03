"""The endpoints, with Flagger's statuses; the programs are real."""

import logging
from collections.abc import Iterator
from functools import partial

import pytest
from flask.testing import FlaskClient

from loadtester.app import LARGEST_BODY
from tests.loadtester.processes import alive, eventually, nap
from tests.loadtester.serving import PODINFO, count, counted, post, served


@pytest.fixture(name="client")
def _client() -> Iterator[FlaskClient]:
    with served() as client:
        yield client


def test_a_command_is_started_and_answered_at_once(client: FlaskClient) -> None:
    seconds = nap()
    assert post(client, f"sleep {seconds}").status_code == 202
    assert eventually(lambda: alive("sleep", seconds))
    assert "detour_loadtester_tasks_running 1\n" in client.get("/metrics").text


def test_the_same_command_runs_once_at_a_time_for_a_canary(client: FlaskClient) -> None:
    seconds = nap()
    answers = [post(client, f"sleep {seconds}") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert answers[2].text == "the same command runs already"
    assert post(client, f"sleep {seconds}", name="other").text == "started"
    assert (count(client, "started"), count(client, "joined")) == (2, 2)


def test_a_command_that_has_ended_may_run_again(client: FlaskClient) -> None:
    for number in (1, 2):
        assert post(client, "true").text == "started"
        assert eventually(partial(counted, client, "succeeded", number))


def test_output_is_logged_on_request(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    post(client, "echo quiet")
    post(client, "echo 'spoken \x1b[31m' | cat", logCmdOutput="true")
    post(client, "echo spoken | cat", logCmdOutput="true")
    assert eventually(lambda: "podinfo.test: spoken" in caplog.messages)
    assert eventually(lambda: count(client, "succeeded") == 2)
    assert "podinfo.test: quiet" not in caplog.messages


def test_what_fails_says_why_in_the_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    post(client, "cat /nonexistent")
    assert eventually(lambda: "podinfo.test: cat: /nonexistent: No such file or directory" in caplog.messages)
    assert any("cat failed with status 1" in message for message in caplog.messages)
    assert count(client, "failed") == 1


def test_a_command_that_takes_too_long_is_stopped_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    with served(timeout=0.2) as client:
        seconds = nap()
        post(client, f"sleep {seconds}")
        assert eventually(partial(counted, client, "expired", 1))
        assert not alive("sleep", seconds)
    assert any("took too long and was stopped" in message for message in caplog.messages)


def test_more_commands_at_once_than_may_run_are_put_off() -> None:
    with served(at_once=1) as client:
        seconds = nap()
        assert post(client, f"sleep {nap()}").status_code == 202
        answer = post(client, f"sleep {seconds}")
        assert (answer.status_code, answer.text) == (429, "1 commands run already: wait for one to end")
        assert not alive("sleep", seconds)


def test_the_end_of_the_server_ends_the_commands() -> None:
    seconds = nap()
    with served() as client:
        post(client, f"sleep {seconds}")
        assert eventually(lambda: alive("sleep", seconds))
    assert not alive("sleep", seconds)


@pytest.mark.parametrize(
    ("cmd", "status", "sentence"),
    [
        ("sleep {}; sleep 1", 400, "';' (a second command)"),
        ("sleep $(echo {})", 400, "'$('"),
        ("sh -c 'sleep {}'", 403, "allowed are: cat, echo"),
        ("sleep {} | sh", 403, "'sh' is not allowed"),
        ("sleep {} | not-installed", 500, "not in the load tester's image, though allowed: not-installed"),
    ],
)
def test_what_is_not_run_is_answered_with_a_sentence(client: FlaskClient, cmd: str, status: int, sentence: str) -> None:
    seconds = nap()
    answer = post(client, cmd.format(seconds))
    assert answer.status_code == status
    assert sentence in answer.text
    assert answer.mimetype == "text/plain"
    assert (count(client, "refused"), count(client, "started")) == (1, 0)
    assert not alive("sleep", seconds)


def test_what_is_refused_is_not_repeated_in_the_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    post(client, "hunter2 --token hunter2")
    post(client, "echo hunter2;")
    post(client, "echo hunter2")
    assert eventually(lambda: count(client, "succeeded") == 1)
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/", b"", 400),
        ("POST", "/", b"no json", 400),
        ("POST", "/", b"x" * (LARGEST_BODY + 1), 413),
        ("GET", "/", b"", 405),
        ("POST", "/nothing", b"", 404),
        ("POST", "/gate/open", b"[]", 400),
        ("GET", "/gate/open", b"", 405),
    ],
)
def test_a_bad_request_is_its_senders_fault(
    client: FlaskClient, method: str, path: str, body: bytes, status: int
) -> None:
    assert client.open(path, method=method, data=body).status_code == status


def test_it_says_that_it_is_alive(client: FlaskClient) -> None:
    assert (client.get("/healthz").status_code, client.get("/healthz").text) == (200, "OK")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_two_gates_never_move(client: FlaskClient, method: str) -> None:
    approve, halt = (client.open(f"/gate/{gate}", method=method) for gate in ("approve", "halt"))
    assert (approve.status_code, approve.text) == (200, "OK")
    assert (halt.status_code, halt.text) == (403, "Forbidden")


@pytest.mark.parametrize(("kind", "other"), [("gate", "rollback"), ("rollback", "gate")])
def test_a_gate_is_closed_until_it_is_opened_and_after_it_is_closed(client: FlaskClient, kind: str, other: str) -> None:
    def check(kind: str, **canary: str) -> tuple[int, str]:
        answer = client.post(f"/{kind}/check", json=PODINFO | canary)
        return answer.status_code, answer.text

    assert check(kind) == (403, "Forbidden")
    assert client.post(f"/{kind}/open", json=PODINFO).status_code == 202
    assert check(kind) == (200, "Approved")
    assert check(other) == check(kind, name="other") == check(kind, namespace="other") == (403, "Forbidden")
    assert client.post(f"/{kind}/close", json=PODINFO).status_code == 202
    assert client.post(f"/{kind}/close", json=PODINFO).status_code == 202
    assert check(kind) == (403, "Forbidden")


def test_a_gate_is_opened_by_curl_whose_content_type_is_a_forms(client: FlaskClient) -> None:
    body = '{"name": "podinfo", "namespace": "test"}'
    client.post("/gate/open", data=body, content_type="application/x-www-form-urlencoded")
    assert client.post("/gate/check", json=PODINFO).status_code == 200


def test_gates_do_not_pile_up_without_end(client: FlaskClient) -> None:
    statuses = [client.post("/gate/open", json=PODINFO | {"name": name}).status_code for name in ("a", "b", "c", "a")]
    assert statuses == [202, 202, 429, 202]

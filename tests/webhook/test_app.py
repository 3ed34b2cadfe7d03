"""The application, from bytes to bytes."""

import json
import logging
import re
import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient

from tests.webhook.deployments import SETTINGS, changed, deployment, template
from tests.webhook.model import review
from tests.webhook.serving import PATIENCE, eventually
from webhook import app as module
from webhook.app import LARGEST_BODY, create_app
from webhook.review import BadReview

V1, V2 = template("podinfo:1"), template("podinfo:2")
SECRET = "hunter2-do-not-log"


@pytest.fixture(name="observed")
def _observed() -> list[str]:
    return []


@pytest.fixture(name="client")
def _client(observed: list[str]) -> FlaskClient:
    return create_app(SETTINGS, lambda kind, *_: observed.append(kind)).test_client()


def good() -> dict[str, Any]:
    return review(changed(deployment(V1), template("podinfo:2", args=[SECRET])), deployment(V1))


def test_a_review_is_answered_with_a_review(client: FlaskClient, observed: list[str]) -> None:
    answer = client.post("/divert", json=good())
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["kind"] == "AdmissionReview"
    assert answer.json["response"]["allowed"] is True
    assert observed == ["diverted"]


def test_a_refusal_is_a_good_answer(client: FlaskClient, observed: list[str]) -> None:
    new = changed(deployment(V1), **{"detour.dev/promote": "go:x"})
    answer = client.post("/divert", json=review(new, deployment(V1)))
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["response"]["allowed"] is False
    assert observed == ["denied"]


def test_a_malformed_review_is_the_callers_fault(client: FlaskClient, observed: list[str]) -> None:
    answer = client.post("/divert", data=b"{}", content_type="application/json")
    assert (answer.status_code, observed) == (400, ["malformed"])
    assert answer.json is not None
    assert "apiVersion" in answer.json["error"]


def test_a_template_that_is_nested_without_end_is_refused(client: FlaskClient) -> None:
    deep: dict[str, Any] = {}
    for _ in range(300):
        deep = {"a": deep}
    waiting = good()
    text = json.dumps(waiting).replace(f'"{SECRET}"', json.dumps(deep))
    for body in (text, text.replace('"a": {}', '"a": ' + "[" * 900 + "]" * 900)):
        answer = client.post("/divert", data=body, content_type="application/json")
        assert answer.status_code in (200, 400)


@pytest.mark.parametrize("kind", ["text/plain", "application/yaml", ""])
def test_another_content_type_is_refused(client: FlaskClient, kind: str) -> None:
    assert client.post("/divert", data=json.dumps(good()), content_type=kind).status_code == 415


def test_a_body_that_no_api_server_sends_is_refused_before_it_is_read(client: FlaskClient) -> None:
    answer = client.post("/divert", data=b" " * (LARGEST_BODY + 1), content_type="application/json")
    assert answer.status_code == 413


def test_there_is_nothing_else_here(client: FlaskClient) -> None:
    assert client.get("/divert").status_code == 405
    assert client.get("/").status_code == 404
    assert client.get("/static/app.py").status_code == 404


def test_nothing_of_a_body_is_logged(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    assert client.post("/divert", json=good()).status_code == 200
    assert client.post("/divert", data=SECRET, content_type="application/json").status_code == 400

    def broken(*_: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(module, "divert", broken)
    answer = client.post("/divert", json=good())
    assert (answer.status_code, answer.json) == (500, {"error": "internal error"})
    assert "KeyError" in caplog.text
    assert SECRET not in caplog.text


def test_one_line_tells_whom_a_review_is_about_and_what_was_decided(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asked = good()
    client.post("/divert", json=asked)
    (record,) = caplog.records
    fields = record.__dict__["fields"]
    assert fields["id"] == asked["request"]["uid"]
    assert (fields["namespace"], fields["name"]) == (asked["request"]["namespace"], asked["request"]["name"])
    assert re.fullmatch(r"[0-9a-f]{10}", fields["revision"])
    assert (fields["decision"], fields["dry_run"]) == ("diverted", "false")


@pytest.mark.parametrize("forged", ["a\nERROR forged", "x" * 300, "\x1b[2J", ""])
def test_what_is_no_name_is_not_repeated(client: FlaskClient, caplog: pytest.LogCaptureFixture, forged: str) -> None:
    caplog.set_level(logging.INFO)
    asked = good()
    asked["request"] |= {"uid": forged, "namespace": forged, "name": forged}
    client.post("/divert", json=asked)
    fields = caplog.records[-1].__dict__["fields"]
    assert (fields["id"], fields["namespace"], fields["name"]) == ("-", "-", "-")


class Kept:
    """In the place of `parse`: keeps every review that is worked on, until `go`."""

    def __init__(self) -> None:
        self.within = self.most = 0
        self.go = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, _body: bytes) -> NoReturn:
        with self._lock:
            self.within += 1
            self.most = max(self.most, self.within)
        self.go.wait(PATIENCE)
        with self._lock:
            self.within -= 1
        raise BadReview("it is none")


@pytest.fixture(name="kept")
def _kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    kept = Kept()
    monkeypatch.setattr(module, "parse", kept)
    return kept


def at_once(pool: ThreadPoolExecutor, many: int, size: int) -> list[Future[int]]:
    app = create_app(SETTINGS)

    def post() -> int:
        return app.test_client().post("/divert", data=b"x" * size, content_type="application/json").status_code

    return [pool.submit(post) for _ in range(many)]


def test_only_a_few_reviews_are_worked_on_at_once_and_the_others_wait(kept: Kept) -> None:
    with ThreadPoolExecutor(12) as pool:
        answers = at_once(pool, 12, size=100)
        eventually(lambda: kept.within == module.AT_ONCE)
        wait(answers, timeout=0.2)  # time for one more to come in, if it could
        kept.go.set()
    assert (kept.most, {each.result() for each in answers}) == (module.AT_ONCE, {400})


def test_of_large_reviews_only_a_few_wait_in_memory(kept: Kept) -> None:
    """None of those that found room is answered before `go`: whoever is answered until then found none."""
    with ThreadPoolExecutor(20) as pool:
        answers = as_completed(at_once(pool, 20, size=module.LARGE), timeout=PATIENCE)
        refused = {next(answers).result() for _ in range(20 - module.LARGE_AT_ONCE)}
        kept.go.set()
        others = {each.result() for each in answers}
    assert kept.most <= module.AT_ONCE
    assert (refused, others) == ({429}, {400})


def test_a_large_review_that_finds_no_room_is_told_when_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server's own client does so by itself (client-go, rest/with_retry.go)."""
    monkeypatch.setattr(module, "LARGE_AT_ONCE", 0)
    client = create_app(SETTINGS).test_client()
    answer = client.post("/divert", data=b"x" * module.LARGE, content_type="application/json")
    assert (answer.status_code, answer.json) == (429, {"error": "too many large reviews at once; ask again"})
    assert answer.headers["Retry-After"] == str(module.COME_AGAIN)
    assert client.post("/divert", data=b"{}", content_type="application/json").status_code == 400

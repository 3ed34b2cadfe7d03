"""The application, from bytes to bytes."""

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NoReturn

import pytest
from flask.testing import FlaskClient

from tests.webhook.deployments import SETTINGS, changed, deployment, template
from tests.webhook.model import review
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
    return create_app(SETTINGS, lambda kind, _seconds: observed.append(kind)).test_client()


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


def test_of_large_reviews_only_a_few_are_in_memory_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    within, most, lock = 0, 0, threading.Lock()

    def slow_parse(_body: bytes) -> NoReturn:
        nonlocal within, most
        with lock:
            within += 1
            most = max(most, within)
        time.sleep(0.05)
        with lock:
            within -= 1
        raise BadReview("it is none")

    monkeypatch.setattr(module, "parse", slow_parse)
    app, body = create_app(SETTINGS), b"x" * module.LARGE

    def post(_: int) -> int:
        return app.test_client().post("/divert", data=body, content_type="application/json").status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(post, range(12))) == {400}
    assert most == module.LARGE_AT_ONCE


def test_a_large_review_that_does_not_get_its_turn_is_told_to_ask_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGE_AT_ONCE", 0)
    monkeypatch.setattr(module, "LONGEST_WAIT", 0.01)
    client = create_app(SETTINGS).test_client()
    answer = client.post("/divert", data=b"x" * module.LARGE, content_type="application/json")
    assert (answer.status_code, answer.json) == (429, {"error": "too many large reviews at once; ask again"})
    assert client.post("/divert", data=b"{}", content_type="application/json").status_code == 400

"""Who may ask: a token, where there is one."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.loadtester.serving import PODINFO, count, served

TOKEN = "hunter2"
DOORS = [
    ("POST", "/"),
    ("POST", "/gate/open"),
    ("POST", "/gate/check"),
    ("POST", "/gate/close"),
    ("GET", "/gate/approve"),
    ("GET", "/gate/halt"),
    ("POST", "/rollback/open"),
    ("POST", "/rollback/check"),
    ("POST", "/rollback/close"),
    ("GET", "/nothing"),
]


@pytest.fixture(name="secret")
def _secret(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    return path


@pytest.fixture(name="client")
def _client(secret: Path) -> Iterator[FlaskClient]:
    with served(token=secret) as client:
        yield client


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


def opened(client: FlaskClient, authorization: str = "") -> int:
    headers = {"Authorization": authorization} if authorization else {}
    return client.post("/gate/open", json=PODINFO, headers=headers).status_code


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_without_the_token_every_door_is_shut_and_says_what_to_send(
    client: FlaskClient, method: str, path: str
) -> None:
    answer = client.open(path, method=method, json={**PODINFO, "metadata": {"cmd": "echo x"}})
    assert answer.status_code == 401
    assert "Authorization: Bearer" in answer.text
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert count(client, "started") == 0


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_probes_and_metrics_need_none(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("shown", [f"Bearer {TOKEN}", basic("detour", TOKEN), basic("", TOKEN)])
def test_the_token_opens_as_a_header_and_as_the_password_of_an_address(client: FlaskClient, shown: str) -> None:
    assert opened(client, shown) == 202


@pytest.mark.parametrize(
    "shown",
    [
        "Bearer",
        "Bearer ",
        "Bearer hunter",
        "Bearer hunter22",
        "Bearer HUNTER2",
        "Bearer hunter2 hunter2",
        TOKEN,
        f"Digest {TOKEN}",
        f'Digest password="{TOKEN}"',
        basic(TOKEN, ""),
        basic(TOKEN, "x"),
        "Basic !",
        "Basic " + b64encode(b"\xff:\xff").decode(),
        "Bearer \xff",
    ],
)
def test_anything_else_does_not(client: FlaskClient, shown: str) -> None:
    assert opened(client, shown) == 401


def test_a_token_that_is_changed_counts_at_once_and_two_lines_are_both_good(client: FlaskClient, secret: Path) -> None:
    secret.write_text(f"new\n{TOKEN}\n")
    assert (opened(client, "Bearer new"), opened(client, f"Bearer {TOKEN}")) == (202, 202)
    secret.write_text("new\n")
    assert (opened(client, "Bearer new"), opened(client, f"Bearer {TOKEN}")) == (202, 401)


def test_an_empty_token_lets_nobody_in(client: FlaskClient, secret: Path) -> None:
    secret.write_text("\n")
    assert {opened(client, shown) for shown in ("", "Bearer ", basic("", ""))} == {401}


def test_a_token_that_cannot_be_read_lets_nobody_in_and_says_so(client: FlaskClient, secret: Path) -> None:
    secret.unlink()
    answer = client.post("/gate/open", json=PODINFO, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 503
    assert "cannot read its token" in answer.text


def test_where_no_token_is_named_anybody_may_ask() -> None:
    with served() as client:
        assert opened(client) == 202


def test_the_token_is_not_in_the_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    opened(client, "Bearer hunter3")
    opened(client, f"Bearer {TOKEN}")
    assert "hunter" not in caplog.text

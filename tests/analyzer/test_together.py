"""Patches of which each takes away the permission for the others: all are let in before one takes effect."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from analyzer.kube.errors import Refused
from analyzer.kube.together import Patch, patch_together

THREE: list[Patch] = [(f"/apis/example/{name}", {"metadata": {"name": name}}) for name in ("a", "b", "c")]


class ApiServer(ThreadingHTTPServer):
    """Lets everything in until the first patch is carried out, and nothing afterwards; `refuses` one path at once."""

    def __init__(self, refuses: str = "", knows_not: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.refuses, self.knows_not = refuses, knows_not
        self.let_in: list[str] = []
        self.carried_out: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ApiServer

    def handle_expect_100(self) -> bool:
        if self.server.carried_out or self.path == self.server.refuses:
            self.send_error(HTTPStatus.FORBIDDEN)
            return False
        if self.path == self.server.knows_not:
            self.send_error(HTTPStatus.NOT_FOUND)
            return False
        self.server.let_in.append(self.path)
        return super().handle_expect_100()

    def do_PATCH(self) -> None:
        assert self.headers["Authorization"] == "Bearer token"
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        if not sent:
            return  # it was let in, and has thought better of it
        body = json.loads(sent)
        self.server.carried_out.append(body["metadata"]["name"])
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(server: ApiServer) -> Iterator[Any]:
    """The configuration of a client of it."""
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    token = {"BearerToken": {"value": "Bearer token"}}
    yield SimpleNamespace(host=f"http://127.0.0.1:{server.server_port}", auth_settings=lambda: token)
    server.shutdown()
    thread.join()
    server.server_close()


def test_all_are_let_in_before_one_is_carried_out() -> None:
    server = ApiServer()
    with serving(server) as configuration:
        patch_together(configuration, THREE)
    assert sorted(server.let_in) == [path for path, _ in THREE]
    assert sorted(server.carried_out) == ["a", "b", "c"]


def test_if_one_is_refused_none_is_carried_out() -> None:
    server = ApiServer(refuses=THREE[1][0])
    with serving(server) as configuration, pytest.raises(Refused):
        patch_together(configuration, THREE)
    assert server.carried_out == []


def test_what_is_gone_needs_no_patch() -> None:
    server = ApiServer(knows_not=THREE[0][0])
    with serving(server) as configuration:
        patch_together(configuration, THREE)
    assert sorted(server.carried_out) == ["b", "c"]

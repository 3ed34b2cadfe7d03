"""Stands in for an API server that has one ConfigMap: it answers what `detour.kept_gates` asks, and nothing else.

The real one is asked in tests/cluster/test_load_tester.py.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PATH = "/api/v1/namespaces/test/configmaps/gates"


class Api:
    """`config_map`: what is stored; None for an object that is not there. `asked`: each method, in order."""

    def __init__(self) -> None:
        self.config_map: dict[str, Any] | None = {"metadata": {"name": "gates"}}
        self.refuses, self.asked = 0, list[str]()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        """As https://kubernetes.io/docs/reference/using-api/api-concepts/ has it; a merge patch as in RFC 7396."""
        self.asked.append(method)
        if self.refuses:
            return self.refuses, {"kind": "Status", "reason": "Forbidden", "message": "configmaps is forbidden"}
        if self.config_map is None or path.partition("?")[0] != PATH:
            return 404, {"kind": "Status", "reason": "NotFound", "message": "not found"}
        if method == "PATCH":
            data = {**self.config_map.get("data", {}), **json.loads(body)["data"]}
            self.config_map["data"] = {key: value for key, value in data.items() if value is not None}
        return 200, self.config_map

    @contextmanager
    def serving(self, kubeconfig: Path) -> Iterator[None]:
        """Listens, and writes down where."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        cluster = {"name": "a", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}
        context = {"name": "a", "context": {"cluster": "a", "user": "a"}}
        whole = {
            "clusters": [cluster],
            "contexts": [context],
            "users": [{"name": "a", "user": {}}],
            "current-context": "a",
        }
        kubeconfig.write_text(json.dumps(whole))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def handler(api: Api) -> type[BaseHTTPRequestHandler]:
    """One connection to it."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, answer = api.answer(self.command, self.path, body)
            encoded = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_PATCH = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler

"""A chat of a test's own: a pod that takes what it is sent by POST, and shows it in its log."""

import json
from typing import Any

from tests.cluster.home import HOME
from tests.cluster.kubectl import Object, eventually, get
from tests.cluster.shop import Shop

NAME = "chat"
PORT = 8080
PROGRAM = """
import http.server
class Chat(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")
    def log_message(self, *arguments):
        pass
http.server.ThreadingHTTPServer(("", 8080), Chat).serve_forever()
"""


class Chat:
    """In the shop's namespace. It has an address from the beginning, and somebody there from `begin` on."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        spec = {"selector": {"app": NAME}, "ports": [{"port": PORT}]}
        shop.apply({"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": spec})

    @property
    def host(self) -> str:
        return f"http://{NAME}.{self._shop.namespace}.svc.cluster.local:{PORT}"

    @property
    def address(self) -> str:
        return f"{self.host}/services/T/B/s3cret"

    def begin(self) -> None:
        """Somebody is there."""
        image = get("-n", HOME, "deployment", "detour")["spec"]["template"]["spec"]["containers"][0]["image"]
        container = {"name": NAME, "image": image, "command": ["python3", "-c", PROGRAM]}
        spec = {"containers": [container], "terminationGracePeriodSeconds": 0}
        metadata = {"name": NAME, "labels": {"app": NAME}}
        self._shop.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
        self._shop("wait", f"pod/{NAME}", "--for=condition=ready", "--timeout=60s")

    @property
    def got(self) -> list[Object]:
        """The bodies, the first one first."""
        return [json.loads(line.partition(" ")[2]) for line in self._lines]

    @property
    def asked(self) -> set[str]:
        """For what: a path, or the whole address where it was taken for a proxy."""
        return {line.partition(" ")[0] for line in self._lines}

    @property
    def _lines(self) -> list[str]:
        return self._shop("logs", NAME).out.splitlines()

    @property
    def texts(self) -> list[str]:
        """Of Slack's messages."""
        return [str(body["attachments"][0]["text"]) for body in self.got]

    def hears(self, text: str, seconds: float = 60) -> None:
        """Wait until it has been told this."""
        eventually(lambda: any(text in told for told in self.texts), text, seconds, lambda: self.texts)

    def provide(self, **spec: Any) -> None:
        """An AlertProvider for it, whose address is in a Secret that the analyzer may read."""
        shop, account = self._shop, f"{HOME}:detour-analyzer"
        provider = {"type": "slack", "secretRef": {"name": NAME}, **spec}
        secret = {"apiVersion": "v1", "kind": "Secret", "stringData": {"address": self.address}}
        shop.apply({**secret, "metadata": {"name": NAME}}, provider_of(provider))
        shop("create", "role", "reader", "--verb=get", "--resource=secrets", f"--resource-name={NAME}")
        shop("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={account}")


def provider_of(spec: Object) -> Object:
    """An AlertProvider."""
    return {"apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider", "metadata": {"name": NAME}, "spec": spec}

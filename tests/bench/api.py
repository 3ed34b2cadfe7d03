"""The API server for a client that must not be the bottleneck: kept connections, without the sandbox's forwarder."""

import ctypes
import http.client
import os
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from sandbox import network
from sandbox.layout import NODE_ADDRESS
from tests.cluster.kubectl import KUBECONFIG
from tests.cluster.reading import credentials

Object = dict[str, Any]

CLONE_NEWNET = 0x40000000  # linux/sched.h
DEADLINE = 60.0
"""Seconds for any one answer."""
WEBHOOK_REQUESTS = "apiserver_admission_webhook_request_total"


class Api(http.client.HTTPSConnection):
    """One kept connection to the API server, as the cluster's administrator."""

    def __init__(self) -> None:
        _, authority, self._token = credentials(KUBECONFIG)
        context = ssl.create_default_context(cadata=authority)
        super().__init__(NODE_ADDRESS, 6443, timeout=DEADLINE, context=context)

    def connect(self) -> None:
        """Dial from within the sandbox's network. A socket stays in the namespace that it was made in."""
        with ThreadPoolExecutor(1, initializer=enter_sandbox) as inside:
            inside.submit(super().connect).result()

    def ask(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> http.client.HTTPResponse:
        """Ask; the answer's body is still to be read. Raises AssertionError for any answer but success."""
        headers = {"Authorization": f"Bearer {self._token}"} | ({"Content-Type": kind} if kind else {})
        self.request(method, path, body, headers)
        answer = self.getresponse()
        if answer.status >= 300:
            raise AssertionError(f"{method} {path}: {answer.status} {answer.read().decode(errors='replace')[:500]}")
        return answer

    def get(self, path: str) -> bytes:
        """The body of what is at this path."""
        return self.ask("GET", path).read()

    def webhook_calls(self, prefix: str) -> int:
        """How often the API server has called the webhooks whose name begins so, by its own metrics."""
        return webhook_calls(self.get("/metrics").decode(), prefix)


def webhook_calls(metrics: str, prefix: str) -> int:
    """The sum of the API server's counter over all webhooks whose name begins with `prefix`; 0 where there is none."""
    # The whole text has tens of thousands of lines, and the parser takes its time for each.
    lines = [line for line in metrics.splitlines() if line.startswith(WEBHOOK_REQUESTS)]
    families = text_string_to_metric_families("\n".join([f"# TYPE {WEBHOOK_REQUESTS} counter", *lines, ""]))
    samples = (sample for family in families for sample in family.samples)
    return int(sum(sample.value for sample in samples if sample.labels.get("name", "").startswith(prefix)))


def enter_sandbox() -> None:
    """Bring the calling thread, and it alone, into the sandbox's network namespace (man 2 setns)."""
    libc = ctypes.CDLL(None, use_errno=True)
    with network.HANDLE.open() as handle:
        if libc.setns(handle.fileno(), CLONE_NEWNET):
            problem = ctypes.get_errno()
            raise OSError(problem, f"cannot enter the sandbox's network ({os.strerror(problem)}): run as root")

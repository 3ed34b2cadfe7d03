"""Users of a shop: steady requests through the Ingress, each answered exactly once, nothing tried again."""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType

import urllib3

INGRESS = f"http://127.0.0.1:{os.environ.get('DETOUR_SANDBOX_HTTP_PORT', '8080')}"
THREADS = 4
PAUSE = 0.1  # seconds between two requests of a user
FAULT_OF_THE_BAD_VERSION = 500


def plainly() -> urllib3.HTTPConnectionPool:
    """To the Ingress controller, without TLS."""
    return urllib3.connection_from_url(INGRESS, maxsize=1, timeout=10.0)


class Users:
    """In the `with` block they ask; `answered` counts by version, `failed` holds what was no answer of the application.

    A 500 is an answer: only the faulty image gives it. Everything else that is no 200 fails the test.
    """

    def __init__(self, host: str, connect: Callable[[], urllib3.HTTPConnectionPool] = plainly) -> None:
        self._host, self._connect = host, connect
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(number % 2 == 0,)) for number in range(THREADS)]
        self.answered: Counter[str] = Counter()
        self.failed: list[str] = []

    def __enter__(self) -> "Users":
        self._await_first()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _await_first(self) -> None:
        pool, deadline = self._connect(), time.monotonic() + 20
        while not (found := self._once(pool, keep=False))[0].isdigit():
            assert time.monotonic() < deadline, f"the application does not answer: {found}"
            time.sleep(0.2)

    def _ask(self, keep: bool) -> None:
        pool = self._connect()
        while not self._stop.wait(PAUSE):
            found = self._once(pool, keep)
            with self._lock:
                if found.startswith("failed"):
                    self.failed.append(found)
                else:
                    self.answered[found] += 1
        pool.close()

    def _once(self, pool: urllib3.HTTPConnectionPool, keep: bool) -> str:
        headers = {"Host": self._host} | ({} if keep else {"Connection": "close"})
        at = time.strftime("%X")
        try:
            response = pool.request("GET", "/version", headers=headers, retries=False)
            if response.status == FAULT_OF_THE_BAD_VERSION:
                return "errors"
            if response.status != 200:
                return f"failed at {at}: {response.status}"
            return str(json.loads(response.data)["version"])
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            return f"failed at {at}: {error!r}"

"""Steady traffic through the Ingress, as from users: half over kept connections, half over a new one each time."""

import threading
import time

import urllib3

from detour.demo.figures import Answer, Moving, Tally, read

HOST = "podinfo.detour-demo.example"
PATH = "/api/info"
PER_SECOND = 40
USERS = 20
PATIENCE = urllib3.Timeout(connect=3.0, read=10.0)


class Traffic:
    """`USERS` threads that ask in turn, `PER_SECOND` requests a second together. Nothing is ever tried again."""

    def __init__(self, ingress: str) -> None:
        self._ingress = ingress
        self._tally = Tally()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def await_first(self, seconds: float) -> str:
        """Ask until there is a good answer: "" then, else why the last one was none. Counts for nothing."""
        until, pool = time.monotonic() + seconds, self._connect()
        while True:
            failure = ask(pool, keep=False).failure
            if not failure or time.monotonic() > until:
                return failure
            time.sleep(0.2)

    def start(self) -> None:
        """Begin to ask."""
        begin = time.monotonic()
        for number in range(USERS):
            arguments = (begin + number / PER_SECOND, number % 2 == 0)
            thread = threading.Thread(target=self._user, args=arguments, name=f"user-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> Tally:
        """The whole account, when the last answer is in."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self._tally

    def look(self) -> tuple[Moving, int, int, int]:
        """The moving figures, and how many were sent, failed, and were faults of the bad version so far."""
        with self._lock:
            tally = self._tally
            return tally.moving(time.monotonic()), tally.sent, tally.failed, tally.faults

    def _user(self, due: float, keep: bool) -> None:
        pool = self._connect()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            answer = ask(pool, keep)
            with self._lock:
                self._tally.add(answer)
            due = max(due + USERS / PER_SECOND, time.monotonic())
        pool.close()

    def _connect(self) -> urllib3.HTTPConnectionPool:
        return urllib3.connection_from_url(self._ingress, maxsize=1, timeout=PATIENCE)


def ask(pool: urllib3.HTTPConnectionPool, keep: bool) -> Answer:
    """One request, without retries or redirects; whatever goes wrong is in the answer."""
    headers = {"Host": HOST} | ({} if keep else {"Connection": "close"})
    begin = time.monotonic()
    try:
        response = pool.request("GET", PATH, headers=headers, retries=False, redirect=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return Answer(begin, time.monotonic() - begin, failure=type(error).__name__)
    return read(response.status, response.data, begin, time.monotonic() - begin)

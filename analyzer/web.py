"""Every call to an address that a user wrote, be it a provider of metrics, a gate or a chat.

What they have in common: the address is judged where the connection is made, so that no name can stand for one address
when it is looked at and for another when it is called; redirects are not followed, so nothing that was meant for one
host reaches another; and the whole call has a deadline, where the timeout of a socket bounds each read alone.
"""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import NameResolutionError

from analyzer.addresses import Addresses

LATE = "no answer in time"


class NoAnswer(Exception):
    """Nobody answered, or nobody was asked; says why, and never quotes the address, which may hold a token."""


class Forbidden(Exception):
    """The address may not be called. Not one of the errors after which a connection is tried again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `body` is cut one byte after the largest that was asked for. `redirects`: it points elsewhere.

    `headers` can be looked up in any case.
    """

    status: int
    reason: str
    body: bytes
    redirects: bool
    headers: Mapping[str, str] = field(default_factory=dict)


class Session(requests.Session):
    """Without proxies or credentials of the analyzer's own surroundings. One call at a time.

    `retry` must be short: its pauses know nothing of the deadline.
    """

    def __init__(self, addresses: Addresses, retry: urllib3.Retry | int = 0) -> None:
        super().__init__()
        self.trust_env = False
        self._line = Line(addresses)
        self._adapter = Adapter(self._line, retry)

    def get_adapter(self, url: str) -> requests.adapters.BaseAdapter:
        """The one and only, whatever a library may mount. Raises InvalidSchema."""
        if not url.lower().startswith(("http://", "https://")):
            raise requests.exceptions.InvalidSchema
        return self._adapter

    def close(self) -> None:
        """Close the connections. The session can still be used."""
        self._adapter.close()

    def fetch(self, method: str, url: str, *, seconds: float, largest: int, **options: Any) -> Answer:
        """The answer, within `seconds` from the connection to the last byte, all tries together.

        `options` are those of requests; of `proxies` it is the proxy's address that is judged.

        Raises NoAnswer, and InvalidHeader or UnicodeError for what cannot be sent.
        """
        try:
            with (
                self._line.within(seconds),
                self.request(method, url, timeout=seconds, allow_redirects=False, stream=True, **options) as response,
            ):
                body = _read(response, largest)
        except (requests.exceptions.InvalidHeader, UnicodeError):
            raise
        except ValueError as error:  # what requests and urllib3 say of an address quotes it
            raise NoAnswer("it is no address") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, Forbidden) as error:
            raise NoAnswer(_cause(error)) from error
        finally:
            self.close()  # a connection that is kept would be beyond the next call's deadline
        return Answer(response.status_code, response.reason or "", body, response.is_redirect, response.headers)


class Line:
    """The connections of one call: judged before they are made, and shut down when its time is over."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._lock = threading.Lock()
        self._made: list[socket.socket] = []
        self._ends = float("inf")

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """What is done inside raises TimeoutError once the time is over, whatever came of the connections."""
        self._ends = time.monotonic() + seconds
        timer = threading.Timer(seconds, self._shut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            with self._lock:
                while self._made:
                    self._made.pop().close()
            self.left()

    def left(self) -> float:
        """Seconds. Raises TimeoutError when there are none."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError(LATE) from None
        return left

    def found(self, host: str, port: int) -> list[str]:
        """The addresses that a name stands for now. Raises Forbidden if one of them may not be called, OSError."""
        self.left()
        found = [str(place[0]) for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        for address in found:
            if refusal := self._addresses.refusal(host, address, port):
                raise Forbidden(refusal)
        return found

    def keep(self, made: socket.socket) -> socket.socket:
        """Remember a connection: by a descriptor of its own, since TLS takes the first for itself."""
        with self._lock:
            self._made.append(made.dup())
        return made

    def _shut(self) -> None:
        with self._lock:
            for each in self._made:
                with suppress(OSError):  # it has ended by itself
                    each.shutdown(socket.SHUT_RDWR)


class _Judged(HTTPConnection):
    """Connects to an address that has been judged, and to no other."""

    def __init__(self, *arguments: Any, line: Line, **options: Any) -> None:
        self._line = line
        super().__init__(*arguments, **options)

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = self._line.found(name, self.port)
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(_last(error)))) from error
        try:
            return self._line.keep(self._first(addresses))
        finally:
            self._dns_host = name  # certificates are for the name

    def _first(self, addresses: list[str]) -> socket.socket:
        *others, last = addresses
        for self._dns_host in others:
            self.timeout = self._line.left()
            with suppress(urllib3.exceptions.HTTPError):
                return super()._new_conn()
        self._dns_host, self.timeout = last, self._line.left()
        return super()._new_conn()


class _JudgedWithTls(_Judged, HTTPSConnection):
    """The same; the certificate is checked for the name."""


class Adapter(requests.adapters.HTTPAdapter):
    """Makes all connections of a session by one line."""

    def __init__(self, line: Line, retry: urllib3.Retry | int) -> None:
        self._line = line
        super().__init__(max_retries=retry)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Called by requests as it is made."""
        super().init_poolmanager(*arguments, **options)
        self._judge(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Called by requests for what goes by a proxy: then it is the proxy that is connected to."""
        manager = super().proxy_manager_for(proxy, **options)
        self._judge(manager)
        return manager

    def _judge(self, manager: Any) -> None:
        manager.pool_classes_by_scheme = {
            "http": partial(_pool, urllib3.HTTPConnectionPool, partial(_Judged, line=self._line)),
            "https": partial(_pool, urllib3.HTTPSConnectionPool, partial(_JudgedWithTls, line=self._line)),
        }


def _pool(kind: type[urllib3.HTTPConnectionPool], connection: Any, *arguments: Any, **options: Any) -> Any:
    pool = kind(*arguments, **options)
    pool.ConnectionCls = connection
    return pool


def _read(response: requests.Response, largest: int) -> bytes:
    body = bytearray()
    while len(body) <= largest and (chunk := response.raw.read1(64 * 1024)):
        body += chunk
    return bytes(body[: largest + 1])


def _cause(error: BaseException) -> str:
    """In a few words: all around the innermost error are the layers that it went through."""
    error = _last(error)
    if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return LATE
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _last(error: BaseException) -> BaseException:
    while inner := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        error = inner
    return error

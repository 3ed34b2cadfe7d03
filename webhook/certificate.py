"""The serving certificate, as it is on disk right now.

The analyzer writes it into a memory volume and replaces it long before it expires. Every handshake asks for the
current context, so a rotation is picked up without a restart, and a broken file changes nothing.
"""

import errno
import logging
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

log = logging.getLogger(__name__)

CERTIFICATE, KEY = "tls.crt", "tls.key"

Stamp: TypeAlias = tuple[tuple[int, int], ...]


class NoCertificate(ConnectionResetError):
    """There is no certificate yet: the connection is dropped without an answer, as if it had been reset."""


class Certificate:
    """Loads certificate and key from `directory`, anew whenever inode or mtime of either changes.

    `patience`: seconds that a connection made with it waits for the peer at any one time: in the handshake, and
    between the bytes of a request.
    """

    def __init__(self, directory: Path, patience: float) -> None:
        self._files = directory / CERTIFICATE, directory / KEY
        self._patience = patience
        self._lock = threading.Lock()
        self._seen: Stamp = ()
        self._context: ssl.SSLContext | None = None

    @property
    def loaded(self) -> bool:
        """Whether connections can be served."""
        return self._current() is not None

    def context(self) -> ssl.SSLContext:
        """A context with the newest certificate that could be read. Raises NoCertificate."""
        current = self._current()
        if current is None:
            raise NoCertificate(errno.ECONNRESET, f"no certificate in {self._files[0].parent} yet")
        return current

    def _current(self) -> ssl.SSLContext | None:
        stamp = self._stamp()
        if stamp != self._seen:
            with self._lock:
                if stamp and stamp != self._seen:
                    self._seen = stamp
                    self._context = self._loaded() or self._context
        return self._context

    def _stamp(self) -> Stamp:
        """What tells one pair of files from another; empty while one of them is missing."""
        try:
            return tuple((found.st_ino, found.st_mtime_ns) for found in map(os.stat, self._files))
        except OSError:
            return ()

    def _loaded(self) -> ssl.SSLContext | None:
        """A context of its own for every pair: loading into a live one goes wrong when the kind of key changes."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.sslsocket_class = _bounded(self._patience)
        try:
            context.load_cert_chain(*self._files)
        except (ssl.SSLError, OSError) as error:
            log.warning("certificate not usable, the last good one stays: %s", error)
            return None
        log.info("certificate loaded from %s", self._files[0])
        return context


def _bounded(patience: float) -> type[ssl.SSLSocket]:
    """A kind of TLS socket on which no peer is waited for without end; one that keeps us waiting counts as gone."""

    class Bounded(ssl.SSLSocket):
        def setblocking(self, flag: bool) -> None:
            """gunicorn asks for this before every request."""
            self.settimeout(patience if flag else 0.0)

        def do_handshake(self, block: bool = False) -> None:
            self.settimeout(patience)
            with _gone_when_late():
                super().do_handshake(block)

        def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
            with _gone_when_late():
                return super().recv(buflen, flags)

        def shutdown(self, how: int) -> None:
            """gunicorn lingers after this for 2 s a connection, in the one thread that accepts: so it must fail."""
            raise OSError(errno.ENOTCONN, "closed without lingering")

    return Bounded


@contextmanager
def _gone_when_late() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise ConnectionResetError(errno.ECONNRESET, "the peer kept us waiting") from error

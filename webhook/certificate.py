"""The serving certificate, as it is on disk right now.

The analyzer writes it into a memory volume and replaces it long before it expires. Every handshake asks for the
current context, so a rotation is picked up without a restart, and a broken file changes nothing.
"""

import errno
import logging
import os
import ssl
import threading
from pathlib import Path
from typing import TypeAlias

from webhook.patience import Patience, bounded

log = logging.getLogger(__name__)

CERTIFICATE, KEY = "tls.crt", "tls.key"

Stamp: TypeAlias = tuple[tuple[int, int], ...]


class NoCertificate(ConnectionResetError):
    """There is no certificate yet: the connection is dropped without an answer, as if it had been reset."""


class Certificate:
    """Loads certificate and key from `directory`, anew whenever inode or mtime of either changes.

    `patience` is that of the connections made with it.
    """

    def __init__(self, directory: Path, patience: Patience) -> None:
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
                    self._context = self._loaded() or self._context
                    self._seen = stamp  # last: who sees it already need not wait, and finds the context
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
        context.sslsocket_class = bounded(self._patience)
        try:
            context.load_cert_chain(*self._files)
        except (ssl.SSLError, OSError) as error:
            log.warning("certificate not usable, the last good one stays: %s", error)
            return None
        log.info("certificate loaded from %s", self._files[0])
        return context

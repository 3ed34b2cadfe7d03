"""HTTP without TLS, with the webhook's worker: a request is gathered as it comes, and only a whole one gets a thread.

For the load tester, which anybody in the cluster may reach: however many send slowly, or nothing, others are answered.
"""

import socket
import ssl

from gunicorn.http import get_parser

from webhook.worker import Connection, Worker

SILENCE = 5.0
"""Seconds that an answer may take to be read. Nearly all fit into the buffers of a connection."""


class Plain(socket.socket):
    """What `webhook.gather` takes a request from."""

    def at_hand(self, most: int) -> bytes:
        """What has come by now; b"" at its end. Raises SSLWantReadError where nothing has, as a TLS socket does."""
        self.settimeout(0.0)
        try:
            return self.recv(most)
        except BlockingIOError as error:
            raise ssl.SSLWantReadError from error

    def pending(self) -> int:
        """Bytes that have been taken from the network already: none, without TLS."""
        return 0

    def setblocking(self, flag: bool) -> None:
        """gunicorn asks for this before it reads what is there already, and writes the answer."""
        self.settimeout(SILENCE if flag else 0.0)


class PlainConnection(Connection):
    """A connection that begins with a request."""

    def secure(self) -> bool:
        """There is nothing to do first."""
        self.sock = Plain(fileno=self.sock.detach())
        self.sock.setblocking(False)
        self.parser = get_parser(self.cfg, self.sock, self.client)
        self.initialized = True
        return True


class PlainWorker(Worker):
    """Threads for those who have asked."""

    connection = PlainConnection

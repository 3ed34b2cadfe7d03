"""Whether whoever asked is still there: nobody has to be waited for on behalf of one who has hung up."""

import select
from collections.abc import Callable, Mapping
from typing import Any

SOCKET = "gunicorn.socket"
"""Where gunicorn puts the connection of a request (https://docs.gunicorn.org, gunicorn.http.wsgi)."""


def gone(environ: Mapping[str, Any]) -> Callable[[], bool]:
    """A function that says whether the peer of a request has closed its connection. Without a socket it never has."""
    if SOCKET not in environ:
        return lambda: False
    waiting = select.poll()
    waiting.register(environ[SOCKET], select.POLLRDHUP)
    return lambda: bool(waiting.poll(0))

"""What every call to an address that a user wrote has in common, be it a provider of metrics or a gate."""

import time

import requests
import urllib3


def read(response: requests.Response, deadline: float, largest: int) -> bytes:
    """The body of a streamed response until it ends, or has more than `largest` bytes.

    `deadline` is on the monotonic clock: the socket's own timeout knows nothing of a trickle. Raises TimeoutError.
    """
    body = bytearray()
    while len(body) <= largest and (chunk := response.raw.read1(64 * 1024)):
        body += chunk
        if time.monotonic() > deadline:
            raise TimeoutError("the answer did not end in time")
    return bytes(body)


def cause(error: BaseException) -> str:
    """The innermost error: all around it are words of the layers that it went through."""
    while inner := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        error = inner
    if isinstance(error, TimeoutError | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__

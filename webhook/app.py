"""The Flask application: bytes in, one decision, bytes out. Nothing of a body is ever logged."""

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import BoundedSemaphore

import orjson
from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestTimeout

from webhook.decision import Settings
from webhook.divert import divert
from webhook.patience import TooSlow
from webhook.review import BadReview, parse, respond

LARGEST_BODY = 7 * 1024 * 1024
"""Bytes. The API server takes 3 MiB, and a review holds the object twice, with something around it."""

LARGE, LARGE_AT_ONCE = 512 * 1024, 4
"""Bytes from which a body counts as large, and how many such are worked on at once: parsed they may take thirty times
as much, and anybody may send them."""

EXPECTED = "POST an AdmissionReview as application/json to /divert"

LONGEST_WAIT = 4.0
"""Seconds that a large review waits for its turn; the API server gives up after five."""

REASONS = {
    404: f"there is nothing here; {EXPECTED}",
    405: f"the method is wrong; {EXPECTED}",
    408: "the body did not come in time",
    413: f"the body is larger than {LARGEST_BODY} bytes, which no AdmissionReview is",
    429: "too many large reviews at once; ask again",
    415: f"the Content-Type is wrong; {EXPECTED}",
}

log = logging.getLogger(__name__)

Observe = Callable[[str, float], None]
"""Told the kind of each answer and the seconds that it took."""


def create_app(settings: Settings, observe: Observe = lambda _kind, _seconds: None) -> Flask:
    """The application that answers `POST /divert`.

    A malformed review is answered with 4xx and a reason, and the API server's failurePolicy decides what becomes of
    the request; a request that is refused is answered with 200 and `allowed: false`.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    room = BoundedSemaphore(LARGE_AT_ONCE)

    @app.post("/divert", provide_automatic_options=False)
    def answer() -> Response:
        began = time.perf_counter()
        if request.mimetype != "application/json":
            abort(415)
        kind = "malformed"
        try:
            with _enough(room):
                asked = parse(_body())
                decision = divert(asked, settings, datetime.now(UTC))
                kind = decision.kind.value
                return Response(orjson.dumps(respond(asked, decision)), mimetype="application/json")
        except BadReview as error:
            return _refused(400, str(error))
        except (RecursionError, orjson.JSONEncodeError):
            return _refused(400, "the body is nested too deeply")
        finally:
            observe(kind, time.perf_counter() - began)

    app.register_error_handler(Exception, _failed)
    return app


def place(error: BaseException) -> str:
    """Where in the code an error arose; nothing of what it says, which may be of a body."""
    found = traceback.extract_tb(error.__traceback__)[-1]
    return f"{found.filename}:{found.lineno}"


@contextmanager
def _enough(room: BoundedSemaphore) -> Iterator[None]:
    """Room in memory for the body of this request; one of unknown length counts as large."""
    length = request.content_length
    if length is not None and length < LARGE:
        yield
        return
    if not room.acquire(timeout=LONGEST_WAIT):
        abort(429)
    try:
        yield
    finally:
        room.release()


def _body() -> bytes:
    """What was sent. Whatever keeps it from being read is the caller's doing."""
    try:
        return request.get_data(cache=False)
    except ClientDisconnected as error:
        if isinstance(error.__context__, TooSlow):
            raise RequestTimeout from error
        raise BadReview("the body breaks off") from error
    except HTTPException:
        raise
    except Exception as error:  # of the server that read it: chunks that are none, and the like
        raise BadReview("the body is not framed as HTTP/1.1 has it") from error


def _refused(status: int, reason: str) -> Response:
    response = jsonify(error=reason)
    response.status_code = status
    return response


def _failed(error: Exception) -> Response:
    """What is refused before there is a review; and a fault of ours, of which only the place is logged."""
    if isinstance(error, HTTPException):
        status = error.code or 500
        return _refused(status, REASONS.get(status, error.name))
    log.error("%s at %s, please report it", type(error).__name__, place(error))
    return _refused(500, "internal error")

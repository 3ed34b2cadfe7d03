"""The Flask application: bytes in, one decision, bytes out. Of a body nothing is ever logged but whom it is about."""

import logging
import re
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from threading import BoundedSemaphore

import orjson
from flask import Flask, Response, abort, jsonify, request
from werkzeug.exceptions import HTTPException

from webhook.decision import Decision, Settings
from webhook.divert import divert
from webhook.request import Request
from webhook.review import BadReview, parse, respond
from webhook.revision import short
from webhook.telemetry import MALFORMED

LARGEST_BODY = 7 * 1024 * 1024
"""Bytes. The API server takes 3 MiB, and a review holds the object twice, with something around it."""

AT_ONCE = 4
"""How many reviews are worked on at once. One is done within milliseconds, and more would only take each longer."""

LARGE, LARGE_AT_ONCE = 512 * 1024, 6
"""Bytes from which a body counts as large, and how many such there may be at once, those that wait included."""

EXPECTED = "POST an AdmissionReview as application/json to /divert"

COME_AGAIN = 1
"""Seconds after which a large review may be sent again. An API server does so by itself, until its time is up."""

REASONS = {
    404: f"there is nothing here; {EXPECTED}",
    405: f"the method is wrong; {EXPECTED}",
    408: "the body did not come in time",
    413: f"the body is larger than {LARGEST_BODY} bytes, which no AdmissionReview is",
    429: "too many large reviews at once; ask again",
    415: f"the Content-Type is wrong; {EXPECTED}",
}

NAME = re.compile(r"[0-9A-Za-z.-]{1,253}")
"""All that a uid, or the name of an object, consists of. What is none was not sent by an API server."""

log = logging.getLogger(__name__)

Observe = Callable[[str, float, bool], None]
"""Told the kind of each answer, the seconds that it took, and whether it was to a dry run."""


def create_app(settings: Settings, observe: Observe = lambda _kind, _seconds, _dry_run: None) -> Flask:
    """The application that answers `POST /divert`.

    A malformed review is answered with 4xx and a reason, and the API server's failurePolicy decides what becomes of
    the request; a request that is refused is answered with 200 and `allowed: false`.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    large, work = BoundedSemaphore(LARGE_AT_ONCE), BoundedSemaphore(AT_ONCE)

    @app.post("/divert", provide_automatic_options=False)
    def answer() -> Response:
        began = time.perf_counter()
        if request.mimetype != "application/json":
            abort(415)
        kind, dry_run = MALFORMED, False
        try:
            with _few(large), work:
                asked = parse(_body())
                decision = divert(asked, settings, datetime.now(UTC))
                kind, dry_run = decision.kind.value, asked.dry_run
                answered = Response(orjson.dumps(respond(asked, decision)), mimetype="application/json")
            _tell(asked, decision)
            return answered
        except BadReview as error:
            return _refused(400, str(error))
        except (RecursionError, orjson.JSONEncodeError):
            return _refused(400, "the body is nested too deeply")
        finally:
            observe(kind, time.perf_counter() - began, dry_run)

    app.register_error_handler(Exception, _failed)
    return app


def _tell(asked: Request, decision: Decision) -> None:
    """One line a review, by which its way can be followed: the analyzer's lines bear the same revision and names."""
    fields = {"id": asked.uid, "namespace": asked.namespace, "name": asked.name}
    fields = {key: value if NAME.fullmatch(value) else "-" for key, value in fields.items()}
    if decision.revision:
        fields["revision"] = short(decision.revision)
    fields |= {"decision": decision.kind.value, "dry_run": "true" if asked.dry_run else "false"}
    log.info("reviewed", extra={"fields": fields})


def place(error: BaseException) -> str:
    """Where in the code an error arose; nothing of what it says, which may be of a body."""
    found = traceback.extract_tb(error.__traceback__)[-1]
    return f"{found.filename}:{found.lineno}"


@contextmanager
def _few(large: BoundedSemaphore) -> Iterator[None]:
    """Room for the body of this request; for a large one there may be none."""
    if (request.content_length or 0) < LARGE:
        yield
        return
    if not large.acquire(blocking=False):
        abort(429)
    try:
        yield
    finally:
        large.release()


def _body() -> bytes:
    """What was sent. Whatever keeps it from being read is the caller's doing."""
    try:
        return request.get_data(cache=False)
    except HTTPException:
        raise
    except Exception as error:  # of the server that read it: it is shorter than it says, and the like
        raise BadReview("the body breaks off") from error


def _refused(status: int, reason: str) -> Response:
    response = jsonify(error=reason)
    response.status_code = status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers["Retry-After"] = str(COME_AGAIN)
    return response


def _failed(error: Exception) -> Response:
    """What is refused before there is a review; and a fault of ours, of which only the place is logged."""
    if isinstance(error, HTTPException):
        status = error.code or 500
        return _refused(status, REASONS.get(status, error.name))
    log.error("%s at %s, please report it", type(error).__name__, place(error))
    return _refused(500, "internal error")

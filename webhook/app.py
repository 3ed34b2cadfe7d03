"""The Flask application: bytes in, one decision, bytes out. Nothing of a body is ever logged."""

import logging
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from webhook.decision import Settings
from webhook.divert import divert
from webhook.review import BadReview, parse, respond

LARGEST_BODY = 7 * 1024 * 1024
"""Bytes. The API server takes 3 MiB, and a review holds the object twice, with something around it."""

log = logging.getLogger(__name__)

Observe = Callable[[str, float], None]
"""Told the kind of each answer and the seconds that it took."""


def create_app(settings: Settings, observe: Observe = lambda _kind, _seconds: None) -> Flask:
    """The application that answers `POST /divert`.

    A malformed review is answered with 4xx and a reason, and the API server's failurePolicy decides what becomes of
    the request; a request that is refused is answered with 200 and `allowed: false`.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY

    @app.post("/divert")
    def answer() -> Response:
        began = time.perf_counter()
        if request.mimetype != "application/json":
            return _refused(415, "the Content-Type must be application/json")
        kind = "malformed"
        try:
            asked = parse(request.get_data(cache=False))
            decision = divert(asked, settings, datetime.now(UTC))
            kind = decision.kind.value
            return jsonify(respond(asked, decision))
        except BadReview as error:
            return _refused(400, str(error))
        except RecursionError:
            return _refused(400, "the body is nested too deeply")
        finally:
            observe(kind, time.perf_counter() - began)

    app.register_error_handler(Exception, _failed)
    return app


def _refused(status: int, reason: str) -> Response:
    response = jsonify(error=reason)
    response.status_code = status
    return response


def _failed(error: Exception) -> Response:
    """What Flask itself refuses (404, 405, 413); and a fault of ours, of which only the place is logged."""
    if isinstance(error, HTTPException):
        return _refused(error.code or 500, error.name)
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error("%s at %s:%s, please report it", type(error).__name__, place.filename, place.lineno)
    return _refused(500, "internal error")

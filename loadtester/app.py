"""The Flask application: Flagger's load tester's endpoints, with its statuses."""

import logging
import traceback

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from loadtester import payload, peer
from loadtester.errors import Away, Busy, CannotStart, HungUp, NotAllowed, Refused, Unknown
from loadtester.gates import Gates
from loadtester.tasks import Tasks
from loadtester.telemetry import TYPE, Event, Telemetry
from loadtester.token import Token

LARGEST_BODY = 64 * 1024
"""Bytes. A command line and a dozen of names."""

STATUSES = {Refused: 400, Unknown: 401, NotAllowed: 403, Busy: 429, CannotStart: 500, Away: 503, HungUp: 503}

AGAIN = "5"
"""Seconds, as a Retry-After has them (RFC 9110, 10.2.3)."""

FOR_ANYBODY = frozenset({"healthz", "metrics"})

log = logging.getLogger(__name__)


def create_app(tasks: Tasks, gates: Gates, telemetry: Telemetry, token: Token) -> Flask:
    """The application."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY

    @app.before_request
    def admitted() -> None:
        if request.endpoint not in FOR_ANYBODY:
            token.check(request.authorization)

    @app.post("/")
    def run() -> Response:
        try:
            return _text(*tasks.answer(request.get_data(cache=False), peer.gone(request.environ)))
        except HungUp:
            raise
        except tuple(STATUSES):
            telemetry.count(Event.REFUSED)
            raise

    @app.get("/healthz")
    def healthz() -> Response:
        return _text(200, "OK")

    @app.get("/metrics")
    def metrics() -> Response:
        return Response(telemetry.exposition(), content_type=TYPE)

    @app.route("/gate/approve", methods=["GET", "POST"])
    def approve() -> Response:
        return _text(200, "OK")

    @app.route("/gate/halt", methods=["GET", "POST"])
    def halt() -> Response:
        return _text(403, "Forbidden")

    for kind in ("gate", "rollback"):
        _add_gate(app, kind, gates)
    for error in STATUSES:
        app.register_error_handler(error, _refused)
    app.register_error_handler(Exception, _failed)
    return app


def _add_gate(app: Flask, kind: str, gates: Gates) -> None:
    """`/<kind>/check`, `/open` and `/close`; the two kinds know nothing of each other."""

    def name() -> str:
        return f"{kind}.{payload.canary(request.get_data(cache=False))}"

    def check() -> Response:
        return _text(200, "Approved") if gates.is_open(name()) else _text(403, "Forbidden")

    def change(opened: bool) -> Response:
        gate = name()
        (gates.open if opened else gates.close)(gate)
        log.info("%s %s", gate, "opened" if opened else "closed")
        return _text(202, "")

    app.add_url_rule(f"/{kind}/check", f"{kind}-check", check, methods=["POST"])
    app.add_url_rule(f"/{kind}/open", f"{kind}-open", lambda: change(True), methods=["POST"])
    app.add_url_rule(f"/{kind}/close", f"{kind}-close", lambda: change(False), methods=["POST"])


def _text(status: int, body: str) -> Response:
    return Response(body, status=status, content_type="text/plain; charset=utf-8")


def _refused(error: Exception) -> Response:
    if not isinstance(error, HungUp):
        log.warning("refused: %s", type(error).__name__)  # the sentence may quote what the caller sent
    answer = _text(STATUSES[type(error)], str(error))
    if isinstance(error, Unknown):
        answer.headers["WWW-Authenticate"] = "Bearer"  # RFC 9110, 11.6.1: a 401 has to say how
    if isinstance(error, Busy | Away):
        answer.headers["Retry-After"] = AGAIN  # so that nobody takes it for a word on the canary
    return answer


def _failed(error: Exception) -> Response:
    """What Flask itself refuses (404, 405, 413); and a fault of ours, of which only the place is logged."""
    if isinstance(error, HTTPException):
        return _text(error.code or 500, error.name)
    place = traceback.extract_tb(error.__traceback__)[-1]
    log.error("%s at %s:%s, please report it", type(error).__name__, place.filename, place.lineno)
    return _text(500, "internal error")

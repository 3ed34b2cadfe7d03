"""Logs of the servers, on standard error: one line an event, for people, or one JSON object a line, for machines.

docs/telemetry.md has what is in them.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from analyzer import trace
from analyzer.wording import printable

TEXT, JSON = "text", "json"
LEVELS = ("debug", "info", "warning", "error")

Function = TypeVar("Function", bound=Callable[..., Any])


def options(function: Function) -> Function:
    """The flags of every server, for `configure`."""
    for option in (
        click.option("--log-format", type=click.Choice([TEXT, JSON]), default=TEXT, show_default=True),
        click.option("--log-level", type=click.Choice(LEVELS, case_sensitive=False), default="info", show_default=True),
    ):
        function = option(function)
    return function


class Printable(logging.Formatter):
    """A message is one line, whoever wrote the words in it, with its fields at the end; only a traceback has more."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = " ".join([printable(record.message), *(f"{k}={v}" for k, v in _fields(record).items())])
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(printable(line) for line in super().formatException(ei).splitlines())


class Json(Printable):
    """One object a line, a traceback included."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": printable(record.getMessage()),
            **_fields(record),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def _fields(record: logging.LogRecord) -> dict[str, str]:
    """What the caller says in `extra`, else what the work at hand is about."""
    found: Mapping[str, str] = getattr(record, "fields", None) or trace.fields()
    return {key: printable(value) for key, value in found.items()}


def configure(level: str, form: str = TEXT) -> None:
    """Set up logging once, at the start of a server."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if form == JSON else Printable("%(asctime)s %(levelname)-7s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger("urllib3").setLevel(logging.ERROR)

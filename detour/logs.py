"""Logs of the two servers: one line an event, on standard error."""

import logging
import sys
from typing import Any

from analyzer.wording import printable


class Printable(logging.Formatter):
    """A message is one line, whoever wrote the words in it; only a traceback has more."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = printable(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802
        return "\n".join(printable(line) for line in super().formatException(ei).splitlines())


def configure(level: str) -> None:
    """Set up logging once, at the start of a server."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Printable("%(asctime)s %(levelname)-7s %(name)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.getLogger("urllib3").setLevel(logging.ERROR)

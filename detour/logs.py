"""Logs of the two servers: one line an event, on standard error."""

import logging
import sys


def configure(level: str) -> None:
    """Set up logging once, at the start of a server."""
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s %(message)s",
    )
    logging.getLogger("urllib3").setLevel(logging.ERROR)

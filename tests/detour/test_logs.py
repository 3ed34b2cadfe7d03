"""A line of the log is a line, whoever wrote the words in it."""

import logging

from detour.logs import Printable


def logged(message: str, error: Exception | None = None) -> str:
    """What the log would show."""
    exception = (type(error), error, None) if error else None
    record = logging.LogRecord("detour", logging.WARNING, "here.py", 1, "%s", (message,), exception)
    return Printable("%(levelname)s %(message)s").format(record)


def test_words_of_others_neither_break_a_line_nor_control_a_terminal() -> None:
    assert logged("no\x1b[2J\nERROR forged\r") == "WARNING no[2J ERROR forged"


def test_the_message_of_an_error_is_cleaned_in_its_traceback_too() -> None:
    assert logged("a fault", ValueError("bad \x1b]0;yours\x07")) == "WARNING a fault\nValueError: bad ]0;yours"

"""A line of the log is a line, whoever wrote the words in it."""

import json
import logging

from detour.logs import Json, Printable

TEXT = Printable("%(levelname)s %(message)s")


def logged(message: str, error: Exception | None = None, form: logging.Formatter = TEXT) -> str:
    """What the log would show."""
    exception = (type(error), error, None) if error else None
    return form.format(logging.LogRecord("detour", logging.WARNING, "here.py", 1, "%s", (message,), exception))


def test_words_of_others_neither_break_a_line_nor_control_a_terminal() -> None:
    assert logged("no\x1b[2J\nERROR forged\r") == "WARNING no[2J ERROR forged"


def test_the_message_of_an_error_is_cleaned_in_its_traceback_too() -> None:
    assert logged("a fault", ValueError("bad \x1b]0;yours\x07")) == "WARNING a fault\nValueError: bad ]0;yours"


def test_as_json_every_line_is_an_object_a_traceback_included() -> None:
    line = logged("a \x1b[2Jfault", ValueError("bad\nnews"), Json())
    assert "\n" not in line
    entry = json.loads(line)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "warning",
        "logger": "detour",
        "message": "a [2Jfault",
        "exception": "ValueError: bad\nnews",
    }

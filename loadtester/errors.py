"""What is wrong with a request, by whose fault. The message goes to the caller, who shows it to a person.

Each is answered with a status of its own: 429 and 503 say nothing of the canary that the request is about.
"""


class Refused(Exception):
    """The request makes no sense, or asks for what is not done here (400)."""


class Unknown(Exception):
    """Whoever asks has not shown the token (401)."""


class NotAllowed(Exception):
    """The request is understood, and what it would run is not allowed (403)."""


class Busy(Exception):
    """As much runs or is remembered as may be at once (429): the caller may come again."""


class CannotStart(Exception):
    """A program is allowed, and is not there or does not start (500): the fault of whoever set the load tester up."""


class Away(Exception):
    """There is no answer now (503): the load tester is ending, or what it asks itself does not answer."""


class HungUp(Exception):
    """Whoever asked has gone. Nobody is told."""

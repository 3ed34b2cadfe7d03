"""What is wrong with a request, by whose fault. The message goes to the caller, who shows it to a person."""


class Refused(Exception):
    """The request makes no sense, or asks for what is not done here (400)."""


class NotAllowed(Exception):
    """The request is understood, and what it would run is not allowed (403)."""


class Busy(Exception):
    """As much runs or is remembered as may be at once (429): the caller may come again."""


class CannotStart(Exception):
    """A program is allowed, and is not there or does not start (500): the fault of whoever set the load tester up."""

"""Runs other programs: with a deadline, and so that what one complains of reaches the user."""

import subprocess

from sandbox.errors import UserError

LINES = 15


def run(*command: str, stdin: str | None = None, seconds: float = 60) -> str:
    """What the program printed. Raises UserError with the end of its complaint, or when it does not end in time."""
    shown = " ".join(command)
    try:
        ran = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise UserError(f"'{shown}' did not end within {seconds:.0f} s: is the machine overloaded?") from error
    if ran.returncode:
        complaint = "\n".join((ran.stderr or ran.stdout).strip().splitlines()[-LINES:])
        raise UserError(f"'{shown}' failed: {complaint}")
    return ran.stdout

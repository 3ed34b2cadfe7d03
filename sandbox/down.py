"""`python -m sandbox down`: takes the sandbox away, whatever state it is in, and leaves nothing of it but its logs."""

from sandbox import boot, record, workspace
from sandbox.progress import say


def down() -> None:
    """Idempotent. Raises UserError when something of it does not go."""
    with record.exclusively():
        take_down()


def take_down() -> None:
    """The same, for who holds the lock already."""
    running = record.read()
    boot.stop()
    if running is not None:
        workspace.remove(running.checkout)
        say("the sandbox is down")

"""`python -m sandbox down`: takes the sandbox away, whatever state it is in, and leaves nothing of it but its logs."""

from sandbox import boot, preflight, record, workspace
from sandbox.progress import step


def down() -> None:
    """Idempotent. Raises UserError when something of it does not go."""
    preflight.check_host()
    with record.exclusively():
        take_down()


def take_down() -> None:
    """The same, for who holds the lock already."""
    running = record.read()
    if running is None and not boot.leftovers():
        return
    with step("taking the sandbox down"):
        boot.stop()
        if running is not None:
            workspace.remove(running.checkout)

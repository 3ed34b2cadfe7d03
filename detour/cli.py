"""`detour`, also installed as `kubectl-detour`: the commands, each loaded only when it is called.

The two servers and what a person types have different needs; neither should pay for the other's imports.
"""

import importlib

import click

from detour import __version__

COMMANDS = {
    "abort": "detour.abort",
    "analyzer": "detour.analyzer",
    "approve": "detour.approve",
    "certs": "detour.certs",
    "check": "detour.check",
    "demo": "detour.demo.command",
    "diff": "detour.diff",
    "doctor": "detour.doctor.command",
    "history": "detour.history",
    "loadtester": "detour.loadtester",
    "pause": "detour.pause",
    "promote": "detour.promote",
    "resume": "detour.resume",
    "retry": "detour.retry",
    "status": "detour.status",
    "take-over": "detour.takeover.command",
    "uninstall": "detour.uninstall",
    "wait": "detour.wait",
    "webhook": "detour.webhook",
}


class Lazy(click.Group):
    """A group whose commands are modules with a click command named `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, as --help shows them."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The module's command; None for a name that is not ours."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name]).command
        return command


@click.group(cls=Lazy)
@click.version_option(__version__)
def main() -> None:
    """Every update of a Deployment takes a detour through a canary."""

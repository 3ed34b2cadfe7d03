"""kubectl as a person types it: the command is shown, and so is all that it answers."""

import os
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

DEADLINE = 180.0  # seconds; each wait has a shorter one of its own


class DemoError(Exception):
    """The demo cannot be run here; says why and what to do."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The program at `path`, with `kubeconfig`. `say` gets the lines that a person would see."""

    path: str
    kubeconfig: str
    say: Callable[[str], None]

    def typed(self, command: str) -> None:
        """Run what a user would type, and show it with its answer. Raises DemoError."""
        self.say(f"$ kubectl {command}")
        for line in self.quietly(command).splitlines():
            self.say(line)

    def quietly(self, command: str, stdin: str = "") -> str:
        """Run it and return what it prints, warnings included. Raises DemoError."""
        environment = os.environ | {"KUBECONFIG": self.kubeconfig}
        try:
            done = subprocess.run(
                [self.path, *shlex.split(command)],
                input=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env=environment,
                timeout=DEADLINE,
                check=False,
            )
        except FileNotFoundError as error:
            raise DemoError(f"there is no {self.path}; name your kubectl with --kubectl") from error
        except subprocess.TimeoutExpired as error:
            raise DemoError(f"kubectl {command}: no answer within {DEADLINE:.0f} s; is the API server up?") from error
        if done.returncode:
            raise DemoError(f"kubectl {command}: {done.stdout.strip()}")
        return done.stdout

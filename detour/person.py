"""What every command of a person shares: which cluster and namespace, how errors end, patience with the API server."""

import functools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import click

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, NoCluster, Unreachable
from analyzer.kube.kubeconfig import namespace_of_context
from analyzer.wording import printable
from webhook.stash import StashError

P = ParamSpec("P")
Answer = TypeVar("Answer")
Tell = Callable[[str], None]

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 15.0
SERVER_ERRORS = 500
TOO_MANY = 429


class Problem(click.ClickException):
    """What was asked for cannot be done. Its exit status is no verdict: 1 and 2 have a meaning of their own."""

    exit_code = 3

    def format_message(self) -> str:
        """It may have the words of others in it."""
        return printable(super().format_message())


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as a command that waits has it; in seconds."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep


REAL = Clock()


@dataclass(frozen=True, slots=True)
class Place:
    """The cluster and the namespace that a command is about."""

    client: Client
    namespace: str


def at_a_place(command: Callable[Concatenate[Place, P], None]) -> Callable[..., None]:
    """Gives a command the options for its place, and the place; what goes wrong with the cluster becomes a Problem."""

    @click.option("--namespace", "-n", help="by default that of the kubeconfig's context")
    @click.option("--kubeconfig", help="by default $KUBECONFIG, else ~/.kube/config, else the pod's ServiceAccount")
    @functools.wraps(command)
    def with_place(namespace: str | None, kubeconfig: str | None, *args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(place(kubeconfig, namespace), *args, **kwargs)
        except StashError as error:
            raise Problem(str(error)) from error
        except (ApiError, Unreachable) as error:
            raise Problem(sentence(error)) from error

    return with_place


def place(kubeconfig: str | None, namespace: str | None) -> Place:
    """The cluster as kubectl would choose it, and the namespace named, else the context's, else `default`.

    Raises Problem.
    """
    chosen = kubeconfig or os.environ.get("KUBECONFIG") or _at_home()
    try:
        client = Client.connect(chosen)
    except (NoCluster, OSError, ValueError) as error:
        raise Problem(f"no cluster: {error}; name one by --kubeconfig or $KUBECONFIG") from error
    found = namespace_of_context(chosen) if chosen else _of_the_pod()
    return Place(client, namespace or found or "default")


def sentence(error: ApiError | Unreachable) -> str:
    """What went wrong, in the API server's own words where it has spoken."""
    if isinstance(error, Unreachable):
        return f"no answer from the API server: {error}"
    return str(error)


def passes(error: ApiError | Unreachable) -> bool:
    """Whether asking again may help."""
    return isinstance(error, Unreachable) or error.status >= SERVER_ERRORS or error.status == TOO_MANY


def patiently(ask: Callable[[], Answer], deadline: float, tell: Tell, clock: Clock = REAL) -> Answer:
    """The answer of `ask`, asked again with a back-off while the API server is away, until `deadline` by `clock`.

    Raises what `ask` raised last.
    """
    backoff = FIRST_BACKOFF
    while True:
        try:
            return ask()
        except (ApiError, Unreachable) as error:
            left = deadline - clock.now()
            if not passes(error) or left <= 0:
                raise
            pause = min(backoff, left)
            tell(f"{sentence(error)}; again in {pause:.1f} s")
        clock.sleep(pause)
        backoff = min(backoff * 2, LONGEST_BACKOFF)


def _at_home() -> str | None:
    usual = Path.home() / ".kube" / "config"
    return str(usual) if usual.is_file() or not SERVICE_ACCOUNT.is_dir() else None


def _of_the_pod() -> str | None:
    named = SERVICE_ACCOUNT / "namespace"
    return named.read_text().strip() if named.is_file() else None

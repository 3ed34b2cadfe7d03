"""Options by which a harmless program runs what its caller hands it: they are refused, or the list would not hold.

Only programs that are likely to be allowed are known here. Whoever allows another one answers for what it can start.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hatch:
    """The options to refuse, long and short, and why. `valued`: short options whose value may be glued to them."""

    words: tuple[str, ...]
    letters: str
    valued: str
    why: str


CREDENTIALS = "a kubeconfig can name a program that gets credentials"

HATCHES = {
    "wrk": Hatch(("script",), "s", "cdtHT", "a Lua script can start any program"),
    "curl": Hatch(("engine", "config"), "K", "AbcdeFHmoTuwXx", "it can load a library of the caller's"),
    "wget": Hatch(("use-askpass", "config", "execute"), "e", "aoiBtOTwQPUl", "it can start a program for a password"),
    "sort": Hatch(("compress-program",), "", "", "it can start any program"),
    "kubectl": Hatch(("kubeconfig", "kuberc", "helm-command", "enable-exec"), "", "", CREDENTIALS),
    "helm": Hatch(("kubeconfig", "post-renderer"), "", "", CREDENTIALS),
}


def opened(program: str, arguments: Iterable[str]) -> str:
    """Why the arguments are refused, "" if they are not.

    Whatever may be read as one of the options counts as one, values that begin with a hyphen included: how a program
    reads its options differs between versions.
    """
    hatch = HATCHES.get(program)
    if hatch is None:
        return ""
    for argument in arguments:
        if option := _long(hatch, argument) or _short(hatch, argument):
            return f"the option {option} of {program} is not allowed here: {hatch.why}"
    return ""


def _long(hatch: Hatch, argument: str) -> str:
    """Abbreviations count, as getopt has them; and curl has an `--expand-` form of each option."""
    name = argument[2:].partition("=")[0].removeprefix("expand-")
    if not argument.startswith("--") or not name:
        return ""
    return next((f"--{word}" for word in hatch.words if word.startswith(name)), "")


def _short(hatch: Hatch, argument: str) -> str:
    """`-Ls` is `-L -s`, and the s of `-d30s` belongs to the value of `-d`."""
    if not argument.startswith("-") or argument.startswith("--"):
        return ""
    for letter in argument[1:]:
        if letter in hatch.letters:
            return f"-{letter}"
        if letter in hatch.valued:
            return ""
    return ""

"""What a chat is told, and where: plain values that the services turn into their own formats."""

from dataclasses import dataclass
from datetime import datetime

from analyzer.actions import Severity


def reaches(severity: Severity, least: Severity) -> bool:
    """Whether it is at least as severe as `least`."""
    order = list(Severity)
    return order.index(severity) >= order.index(least)


@dataclass(frozen=True, slots=True)
class Alert:
    """`name` and `namespace` are the Canary's; `facts` are titles and values to be shown in this order."""

    name: str
    namespace: str
    severity: Severity
    text: str
    time: datetime
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def who(self) -> str:
        """The application as Flagger's alerts name it."""
        return f"{self.name}.{self.namespace}"


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to: an AlertProvider's spec, or the operator's flags, with what its Secret holds.

    `kind` is the service's name; `channel` "" is the one that the address itself stands for; `token` is sent as a
    bearer's; `proxy` is the address of an HTTP proxy to go by.
    """

    kind: str
    address: str
    channel: str = ""
    username: str = ""
    token: str = ""
    proxy: str = ""

    def __repr__(self) -> str:
        return f"Destination({self.kind})"  # the rest of it are secrets

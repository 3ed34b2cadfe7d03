"""What the routes should do with the requests for an application: the only thing that routers are asked for."""

from dataclasses import dataclass
from enum import StrEnum


class How(StrEnum):
    """How the value of a header has to be (Flagger's match takes Istio's StringMatch)."""

    EXACT = "exact"
    PREFIX = "prefix"
    SUFFIX = "suffix"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class Header:
    """A header that a request has to have. A cookie is the header `cookie`, as with Flagger."""

    name: str
    how: How
    value: str

    @property
    def is_cookie(self) -> bool:
        """Whether it is about a cookie: its value is then that of the whole header."""
        return self.name.lower() == "cookie"


@dataclass(frozen=True, slots=True)
class Match:
    """Requests that have all of these headers."""

    headers: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class Affinity:
    """The cookies that keep a client on the side that it met first (Canary.spec.analysis.sessionAffinity).

    Without a `primary_cookie` only clients of the canary stay. `max_age` is in seconds.
    """

    cookie: str
    primary_cookie: str = ""
    max_age: int = 86400
    domain: str = ""
    path: str = ""
    http_only: bool = False
    secure: bool = False
    same_site: str = ""
    partitioned: bool = False


@dataclass(frozen=True, slots=True)
class Traffic:
    """Who answers: the canary has `weight` percent of all requests, and all that have one of `matches`.

    `mirror` percent of what the primary answers is copied to the canary, whose answers go nowhere.
    """

    weight: int = 0
    matches: tuple[Match, ...] = ()
    mirror: int = 0
    affinity: Affinity | None = None

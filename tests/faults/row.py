"""A row of the table: a function that reads as a story, known by its name; and the list of all of them."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.faults.result import NO_SLACK, Slack
from tests.faults.scene import Scene

MODULES = (
    "processes",
    "writes",
    "leaders",
    "clock",
    "infra_api",
    "infra_watches",
    "infra_metrics",
    "infra_node",
    "certificates",
    "hostile",
    "workload_bad",
    "workload_refused",
    "workload_hands",
)
"""Of this package, in this order: each registers its rows as it is imported."""


class Leader(StrEnum):
    """Who has to lead while the row runs, and what it may do to it.

    POD: whoever is installed; nobody touches it, so such rows run at once. HOST: one analyzer on the host that stays,
    so that what it asks may listen on the loopback; such rows run at once, too. OWN: the row starts, kills and stops
    analyzers as it likes. NOBODY: it disturbs the whole cluster, and the installed one leads. The last two run alone.
    """

    POD = "pod"
    HOST = "host"
    OWN = "own"
    NOBODY = "nobody"

    @property
    def alone(self) -> bool:
        return self in (Leader.OWN, Leader.NOBODY)


@dataclass(frozen=True, slots=True)
class Row:
    """`says` is what is done and how it has to end; `options` are those of `scene.Managed`."""

    name: str
    says: str
    play: Callable[[Scene], None]
    leader: Leader
    slack: Slack
    options: Mapping[str, Any] = field(default_factory=dict)


_ROWS: dict[str, Row] = {}


def row(
    leader: Leader = Leader.POD, slack: Slack = NO_SLACK, **options: Any
) -> Callable[[Callable[[Scene], None]], Callable[[Scene], None]]:
    """The decorated function is a row: its docstring is what it says, its name the row's, with hyphens."""

    def register(play: Callable[[Scene], None]) -> Callable[[Scene], None]:
        name = play.__name__.replace("_", "-")
        assert name not in _ROWS, f"two rows are called {name}"
        assert play.__doc__, f"{name} does not say what it does"
        _ROWS[name] = Row(name, " ".join(play.__doc__.split()), play, leader, slack, options)
        return play

    return register


def rows(*modules: str) -> list[Row]:
    """The rows of these modules, or of all."""
    paths = [importlib.import_module(f"tests.faults.{module}").__name__ for module in modules or MODULES]
    return [found for path in paths for found in _ROWS.values() if found.play.__module__ == path]

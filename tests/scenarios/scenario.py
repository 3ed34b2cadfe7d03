"""A scenario: a function that reads as a story, known by its name; and the list of all of them."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.scenarios.stage import Stage
from tests.scenarios.wire import Expected, by_weight

MODULES = (
    "autoscalers",
    "flagger_nginx",
    "flagger_others",
    "flagger_strategies",
    "flagger_gates",
    "flagger_gateway",
    "argo_kruise",
    "hands",
    "outages",
)
"""Of this package, in this order, the longest first: each registers its scenarios as it is imported."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Users whose requests bear these headers, and what they are to meet of the canary."""

    name: str
    expected: Expected
    headers: Mapping[str, str] = field(default_factory=dict)


USERS = Crowd("users", by_weight)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`source` is where it is from, `says` what is done and how it has to end.

    `weights` are those that the canary has to have on the wire, in their order; None where that is left to chance.
    `alone`: it disturbs the whole cluster. `options` are those of the shopfront.
    """

    name: str
    source: str
    says: str
    play: Callable[[Stage], None]
    weights: Sequence[int] | None
    crowds: Sequence[Crowd] = (USERS,)
    alone: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


Play = Callable[[Stage], None]
_ALL: dict[str, Scenario] = {}


def scenario(
    source: str,
    weights: Sequence[int] | None,
    crowds: Sequence[Crowd] = (USERS,),
    alone: bool = False,
    **options: Any,
) -> Callable[[Play], Play]:
    """The decorated function is a scenario: its docstring is what it says, its name the scenario's, with hyphens."""

    def register(play: Play) -> Play:
        name = play.__name__.replace("_", "-")
        assert name not in _ALL, f"two scenarios are called {name}"
        assert play.__doc__, f"{name} does not say what it does"
        _ALL[name] = Scenario(name, source, " ".join(play.__doc__.split()), play, weights, crowds, alone, options)
        return play

    return register


def scenarios(*modules: str) -> list[Scenario]:
    """Those of these modules, or of all."""
    paths = [importlib.import_module(f"tests.scenarios.{module}").__name__ for module in modules or MODULES]
    return [found for path in paths for found in _ALL.values() if found.play.__module__ == path]

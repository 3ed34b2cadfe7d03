"""Routers: what sends a share of the requests to the canary. One module each, behind one small protocol."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from analyzer.discovery import Surroundings
from analyzer.strategy import Strategy
from analyzer.traffic import Traffic


class Router(Protocol):
    """Pure: says which objects have to exist, and leaves bringing them about to others."""

    @property
    def kind(self) -> str:
        """Of the objects that it goes by."""

    def problem(
        self, primary: Mapping[str, Any], surroundings: Surroundings, ingresses: Iterable[Mapping[str, Any]]
    ) -> str | None:
        """Why this router could not split the traffic of these surroundings, among all Ingresses of the cluster."""

    def unserved(self, surroundings: Surroundings) -> str | None:
        """Why no controller splits any of these routes; None where one does, or where there are none."""

    def unable(self, strategy: Strategy, surroundings: Surroundings, primary: Mapping[str, Any]) -> str | None:
        """What a strategy asks for and this router cannot do with these routes; None where there are none."""

    def objects(
        self, primary: Mapping[str, Any], surroundings: Surroundings, traffic: Traffic
    ) -> tuple[dict[str, Any], ...]:
        """The objects that bring this about. One without our label is the user's own, with the fields that we write."""

    def weight_of(self, objects: Iterable[Mapping[str, Any]], primary: str) -> int | None:
        """The percentage that these objects, as they are in the cluster, send to the canary of `primary`; None if they
        disagree or there are none."""

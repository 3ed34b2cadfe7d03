"""Routers: what sends a share of the requests to the canary. One module each, behind one small protocol."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from analyzer.discovery import Surroundings
from analyzer.traffic import Traffic


class Router(Protocol):
    """Pure: says which objects have to exist, and leaves bringing them about to others."""

    def problem(
        self, primary: Mapping[str, Any], surroundings: Surroundings, ingresses: Iterable[Mapping[str, Any]]
    ) -> str | None:
        """Why this router could not split the traffic of these surroundings, among all Ingresses of the cluster."""

    def unserved(self, surroundings: Surroundings) -> str | None:
        """Why no controller splits any of these routes; None where one does, or where there are none."""

    def objects(
        self, primary: Mapping[str, Any], surroundings: Surroundings, traffic: Traffic
    ) -> tuple[dict[str, Any], ...]:
        """The objects that bring this about. The user's own are never among them."""

    def weight_of(self, objects: Iterable[Mapping[str, Any]]) -> int | None:
        """The percentage that these objects, as they are in the cluster, send to the canary; None if they disagree or
        there are none."""

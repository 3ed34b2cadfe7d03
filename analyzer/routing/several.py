"""Several routers side by side: an application may be reached by Ingresses and by HTTPRoutes, as in a migration."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.discovery import Surroundings
from analyzer.routing import Router
from analyzer.strategy import Strategy
from analyzer.traffic import Traffic

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Several:
    """As one router: what any of them has to say is said, and all of them have to agree."""

    routers: tuple[Router, ...]
    kind = ""

    def problem(self, primary: Object, surroundings: Surroundings, ingresses: Iterable[Object]) -> str | None:
        """What is served by nobody stays with the primary, where something else is served."""
        if problem := self.unserved(surroundings):
            return problem
        found = (each.problem(primary, surroundings, ingresses) for each in self._serving(surroundings))
        return next(filter(None, found), None)

    def unserved(self, surroundings: Surroundings) -> str | None:
        """Why no controller splits any of the routes; None where one does, or where there are none."""
        if any(self._serving(surroundings)):
            return None
        return next(filter(None, (each.unserved(surroundings) for each in self.routers)), None)

    def unable(self, strategy: Strategy, surroundings: Surroundings, primary: Object) -> str | None:
        """What a strategy asks for and one of them cannot do with its routes."""
        found = (each.unable(strategy, surroundings, primary) for each in self._serving(surroundings))
        return next(filter(None, found), None)

    def objects(self, primary: Object, surroundings: Surroundings, traffic: Traffic) -> tuple[dict[str, Any], ...]:
        """Those of each."""
        return tuple(found for each in self.routers for found in each.objects(primary, surroundings, traffic))

    def weight_of(self, objects: Iterable[Object], primary: str) -> int | None:
        """The percentage that all of them agree on; None if they do not, or there are none."""
        found = list(objects)
        theirs = {each.kind: [one for one in found if one["kind"] == each.kind] for each in self.routers}
        weights = {each.weight_of(theirs[each.kind], primary) for each in self.routers if theirs[each.kind]}
        return weights.pop() if len(weights) == 1 else None

    def _serving(self, surroundings: Surroundings) -> Iterator[Router]:
        for each in self.routers:
            if surroundings.of(each.kind) and each.unserved(surroundings) is None:
                yield each

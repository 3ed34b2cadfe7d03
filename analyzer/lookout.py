"""Looks at one application after the other, and remembers what need not be asked for at every look."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.examine import examined
from analyzer.measurements import Measurements
from analyzer.observe import look
from analyzer.routing import Router
from analyzer.spec import Spec
from analyzer.status import Phase, Status
from analyzer.view import Neighbours, View, neighbours_of


class Lookout:
    """Used by one worker at a time for each application."""

    def __init__(
        self,
        cluster: Cluster,
        router: Router,
        measurements: Measurements,
        now: Callable[[], datetime],
        provider: str = "",
    ) -> None:
        """`provider` is that of Canaries that name none; "" for whatever is found."""
        self._cluster = cluster
        self._router = router
        self._measurements = measurements
        self._now = now
        self._provider = provider
        self._since = now()
        self._neighbours: dict[Key, tuple[str, Neighbours]] = {}

    def look(self, key: Key, spec: Spec, status: Status) -> View:
        """What there is to know now, answers that have come to measurements included: these are told once."""
        spec = replace(spec, provider=spec.provider or self._provider)
        view = look(self._cluster, key, spec, status, self._router, self._around(key, spec, status))
        if view.seen.obstacle:
            self._neighbours.pop(key, None)  # they may be what is in the way, and be gone by the next look
        seen = examined(self._cluster, view, status, self._now())
        checks = self._measurements.take(key, view.occasion)
        return replace(view, seen=replace(seen, checks=checks, since=self._since))

    def forget(self, key: Key) -> None:
        """Nothing of it is in flight."""
        self._neighbours.pop(key, None)
        self._measurements.forget(key)

    def _around(self, key: Key, spec: Spec, status: Status) -> Neighbours | None:
        """The neighbours are asked for once in each phase, again after an obstacle, and forgotten at rest.

        So is an answer that nobody waits for any more; what waits to begin may have asked for consent.
        """
        if not status.phase.in_flight:
            self._neighbours.pop(key, None)
            if status.phase is not Phase.WAITING:
                self._measurements.forget(key)
            return None
        occasion = f"{status.phase} {status.revision}"
        known, neighbours = self._neighbours.get(key, ("", None))
        if neighbours is None or known != occasion:
            neighbours = neighbours_of(self._cluster, key[0], spec.autoscaler)
            self._neighbours[key] = (occasion, neighbours)
        return neighbours

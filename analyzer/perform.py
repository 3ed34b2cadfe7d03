"""Actions carried out: one function for each, idempotent, telling the watches what came of it.

Findings go back into the next look; everything else shows in the watches.
"""

from collections.abc import Mapping
from typing import Any

from analyzer import apex, canary_scaler, promotion
from analyzer import canary as parts
from analyzer.actions import (
    Action,
    Ask,
    Emit,
    Guard,
    Label,
    Measure,
    Rehearse,
    RemoveCanary,
    Route,
    RunCanary,
    Scale,
    Serve,
    Unroute,
)
from analyzer.cluster import Cluster
from analyzer.compare import find, holds
from analyzer.journal import Journal
from analyzer.kube.resources import DEPLOYMENTS, SERVICES, Resource
from analyzer.kube.watch import Watch
from analyzer.labels import LabelError
from analyzer.measure import Measurer
from analyzer.measurements import Measurements
from analyzer.members import JOINS, Members
from analyzer.removal import Removal
from analyzer.routes import Routes
from analyzer.routing import Router
from analyzer.strategy import Position
from analyzer.view import View
from webhook.stash import Stash

Object = Mapping[str, Any]
Findings = dict[str, Any]


class Performer:
    """Everything that an action needs: the cluster, the router, the events, and how to measure."""

    def __init__(
        self,
        cluster: Cluster,
        router: Router,
        journal: Journal,
        measurer: Measurer,
        measurements: Measurements,
        removal: Removal,
    ) -> None:
        self._cluster = cluster
        self._router = router
        self._routes = Routes(cluster)
        self._members = Members(cluster)
        self._journal = journal
        self._measurer = measurer
        self._measurements = measurements
        self._removal = removal

    def perform(self, action: Action, view: View) -> Findings:
        """Carry out one action. Raises the errors of `analyzer.kube.errors`."""
        match action:
            case Emit():
                self._tell(action, view)
            case Serve():
                self._serve(view)
            case Guard():
                return self._guard(view)
            case Rehearse():
                assert view.primary
                assert view.waiting
                if problem := self._measurer.problem(view):
                    return {"obstacle": problem}
                return {"rehearsal": self._rehearse(view.primary, view.waiting, view)}
            case Measure():
                self._measurements.start(view.key, view.occasion, lambda: self._measurer(view, action))
            case RunCanary():
                self._run_canary(action, view)
            case Route():
                self._route(action, view)
            case Unroute():
                self._routes.clear(view.key)
            case RemoveCanary():
                self._delete(SERVICES, self._cluster.services, view)
                self._delete(DEPLOYMENTS, self._cluster.diverted, view)
            case Ask():
                assert view.primary
                ask = promotion.do if self._removal.is_unanswered() else promotion.ask
                self._cluster.diverted.learn(ask(self._cluster.client, view.primary, action))
            case Scale(replicas):
                assert view.primary
                self._cluster.diverted.learn(promotion.scale(self._cluster.client, view.primary, replicas))
            case Label():
                assert view.primary
                self._cluster.diverted.learn(promotion.label(self._cluster.client, view.primary, action.state))
        return {}

    def _tell(self, event: Emit, view: View) -> None:
        told_on = self._cluster.canary_for(view.key) or view.canary  # the phase is the one that is stored by now
        self._journal.tell(event, told_on, view.primary or self._cluster.targets.get(*view.key))

    def _serve(self, view: View) -> None:
        assert view.canary
        primary = self._cluster.client.get(DEPLOYMENTS, *view.key)
        made = self._cluster.client.create(SERVICES, apex.service(view.canary, primary))
        self._cluster.services.learn(made)

    def _guard(self, view: View) -> Findings:
        target = self._cluster.targets.get(*view.key)
        if target is None:
            return {"guarded": False}
        problem = promotion.guard(self._cluster.client, target, managed=self._cluster.is_managed(view.key))
        return {"guarded": not problem, "obstacle": problem}

    def _rehearse(self, primary: Object, waiting: Stash, view: View) -> str:
        assert view.surroundings
        if problem := parts.deserts(waiting.template, view.surroundings):
            return problem
        try:
            change = parts.rewriting(primary, waiting.template, view.surroundings)
        except LabelError as error:
            return str(error)
        if change.lost:
            self._tell(Emit(f"not applied to the canary's pods, by its labels: {', '.join(change.lost)}", True), view)
        return promotion.rehearse(self._cluster.client, primary, waiting.digest)

    def _run_canary(self, action: RunCanary, view: View) -> None:
        assert view.primary
        assert view.waiting
        assert view.surroundings
        found, replicas = view.seen.canary, action.replicas
        if view.scaler and found and found.digest == view.waiting.digest:
            replicas = max(replicas, found.replicas)  # its own autoscaler has found that it needs them
        body = parts.canary_deployment(
            view.primary, view.waiting.template, view.surroundings, replicas, view.waiting.digest
        )
        if view.strategy.by_replicas:
            body["metadata"]["annotations"][JOINS] = "true"
        made = self._cluster.client.apply(DEPLOYMENTS, body)
        self._cluster.diverted.learn(made)
        if view.scaler:
            canary_scaler.bring(self._cluster.client, made, view.primary, view.scaler, action.replicas)

    def _route(self, action: Route, view: View) -> None:
        """Without surroundings (the primary is gone, or can no longer be routed) only a weight of 0 makes sense."""
        if view.primary is None or view.surroundings is None or view.seen.unroutable:
            self._routes.clear(view.key)
            return
        if action.revision:
            for service in parts.canary_services(view.primary, view.surroundings, action.revision):
                self._apply(SERVICES, self._cluster.services, service, view)
        if view.seen.primary and self._members.are(view.key):
            self._members.bring(view.key, view.surroundings, view.seen.primary.replicas, action.weight)
        at = Position(action.weight, action.iteration)
        wanted = self._router.objects(view.primary, view.surroundings, view.strategy.traffic(at))
        self._routes.bring(view.key, wanted)

    def _apply(self, resource: Resource, watch: Watch, wanted: dict[str, Any], view: View) -> None:
        if not holds(find(self._cluster.parts(watch, view.key), wanted), wanted):
            watch.learn(self._cluster.client.apply(resource, wanted))

    def _delete(self, resource: Resource, watch: Watch, view: View) -> None:
        for found in self._cluster.parts(watch, view.key):
            metadata = found["metadata"]
            if "deletionTimestamp" not in metadata:
                self._cluster.client.delete(resource, metadata["namespace"], metadata["name"], metadata["uid"])

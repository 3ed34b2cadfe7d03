"""Promises about the canary and its traffic: who is served by what, and when."""

from datetime import timedelta

from analyzer.actions import Measure, RemoveCanary, Route, RunCanary, Unroute
from analyzer.status import Phase
from analyzer.traffic import Traffic
from analyzer.wishes import Verb
from analyzer.workload import replicas_for
from tests.analyzer.invariants.moment import Moment, Unserve, drained, promise

# The canary


@promise
def a_canary_is_replaced_only_without_traffic_and_drained(moment: Moment) -> bool:
    """There is one canary at a time: another revision takes its place only at weight 0, after the drain."""
    before, after = moment.before.canary, moment.after.canary
    if not (before and after) or before[0] == after[0]:
        return True
    return not moment.before.route and drained(moment)


@promise
def a_canary_is_what_waits_and_was_stored_before(moment: Moment) -> bool:
    """A canary is made only of the template that waits, once the status says that this revision is on its way."""
    if not isinstance(moment.write, RunCanary):
        return True
    status, canary = moment.before.status, moment.after.canary
    return bool(canary and status.phase is Phase.PROGRESSING and not status.ending and canary[0] == status.revision)


@promise
def a_canary_goes_last(moment: Moment) -> bool:
    """Routes go before pods: the canary and its Service go only without a route, after the drain."""
    if not isinstance(moment.write, RemoveCanary | Unserve):
        return True
    return moment.before.route is None and drained(moment)


@promise
def a_canary_has_the_size_of_its_share(moment: Moment) -> bool:
    """Before a share of the traffic is decided on, the replicas for it are there and ready."""
    if not (moment.status and moment.status.weight > moment.before.status.weight):
        return True
    canary, world = moment.before.canary, moment.before
    return bool(canary and canary[1] >= replicas_for(world.replicas, moment.status.weight) and world.canary_ready())


# Its traffic


@promise
def traffic_is_for_a_canary_that_is_ready(moment: Moment) -> bool:
    """A share is raised only if the canary is ready, and is the revision that is on its way."""
    if not moment.more_traffic:
        return True
    canary = moment.after.canary
    return bool(canary and canary[0] == moment.after.status.revision and moment.after.canary_ready())


@promise
def a_share_leads_to_the_canary_that_is_there(moment: Moment) -> bool:
    """As long as a route has a share, the canary's Service selects the pods of the canary, and no others."""
    world = moment.after
    return not (world.route and world.canary) or world.service == world.canary[0]


@promise
def a_route_follows_the_status(moment: Moment) -> bool:
    """The weight is stored before a route gets it; a route is never given any other, but for 0."""
    return not isinstance(moment.write, Route) or moment.write.weight in (0, moment.before.status.weight)


@promise
def a_route_goes_only_without_traffic(moment: Moment) -> bool:
    """A route is taken away only when it sends the canary nothing, and has done so for the drain."""
    return not isinstance(moment.write, Unroute) or (not moment.before.route and drained(moment))


@promise
def the_weight_rises_by_one_step(moment: Moment) -> bool:
    """The weight goes to the next step of the analysis, or to 0; from a weight above 0 it rises only after a check, and
    falls to another than 0 only once the primary is promoted."""
    status, before = moment.status, moment.before.status
    if status is None or status.weight in (0, before.weight):
        return True
    if status.weight < before.weight and before.phase is Phase.FINALISING:
        return True
    waited = before.check_time and moment.after.now >= before.check_time + timedelta(seconds=moment.after.spec.interval)
    stepped = status.position == moment.after.spec.strategy.after(before.position)
    measured = moment.after.measured == (before.revision, before.check_time, False)
    asked = moment.after.wish and moment.after.wish.verb is Verb.APPROVE
    consented = asked and before.gate and moment.before.status.observed_wish != status.observed_wish
    return stepped and (not before.weight or bool(waited and measured) or bool(consented))


@promise
def the_canary_serves_until_the_primary_is_ready(moment: Moment) -> bool:
    """While the primary is switched over, the canary keeps its share until the primary is ready."""
    status, world = moment.status, moment.before
    if status is None or world.status.phase is not Phase.PROMOTING or status.phase is not Phase.FINALISING:
        return True
    return world.live == world.status.revision and world.primary_ready()


@promise
def traffic_is_measured_where_there_is_some(moment: Moment) -> bool:
    """Metrics are judged only while there is a canary, and it gets what its position has for it."""
    if not (isinstance(moment.write, Measure) and moment.write.metrics):
        return True
    at, route = moment.after.status.position, moment.after.route
    routed = bool(route) if at.weight else route is not None or moment.after.spec.strategy.traffic(at) == Traffic()
    return bool(moment.after.canary) and (not moment.write.traffic or routed)

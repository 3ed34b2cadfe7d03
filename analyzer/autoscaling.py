"""What it means for a canary that the primary has an autoscaler, and how the primary gets its traffic back.

An autoscaler gives the primary as many replicas as its share of the traffic needs. While a canary has half of it, the
primary is scaled down to half. That has three consequences, all of them decided here.

*The canary's size* is its share of the replicas that the primary had with all of the traffic, or has if these are more
(`needed`). Measured by those that are left, it would shrink in mid-analysis, once for each time that the autoscaler
follows it.

*The way back* (`returning`). Were all of the weight given back at once, half of the replicas would have all of the
traffic until new ones are up: the autoscaler has to see the load first (a metric is an average of 15 to 30 s, and it
looks every 15 s), and pods have to start. Nobody but its user changes an autoscaler, or pauses it; and replicas that it
has not asked for itself it takes away again at its next look, as long as its metrics are those of before. So:

* The weight goes back in shares. Each is a third more than the primary has, which is what a rolling update with
  Kubernetes' default of `maxUnavailable: 25%` asks of the pods that stay.
* First the replicas, then the share: the primary is asked for as many more, and gets the share as soon as they are
  available. The pods that were there are as busy as before by then, so the autoscaler has no reason to object.
* Where it takes them away nevertheless, it finds fewer enough for the present share. Only more load changes its mind:
  the share is given anyway, and is a third above what the autoscaler finds right, until it has followed.
* A share lasts for as long as an autoscaler needs to see it (`FOLLOWS`). Before that, it would judge by old metrics.
* The canary serves the rest meanwhile, with all of its replicas, so there are more pods than before, never fewer.
* All of the weight is back when the primary has the replicas that it had, or when its autoscaler has seen nearly all of
  the load and finds fewer enough: there are fewer users by now. A share of a primary that serves nobody, or whose pods
  do not come, lasts for `progressDeadlineSeconds` at most (three minutes at least).

Nothing of this is waited for where no autoscaler scales the primary, or it has not scaled it down: within five minutes
it seldom does (`behavior.scaleDown.stabilizationWindowSeconds`).

*Every other ending* is not gradual (`rescue`): what is sent to a canary that failed fails. The weight goes at once, and
the primary is asked for the replicas that it had in the same breath.
"""

import math
from dataclasses import replace
from datetime import datetime

from analyzer.actions import AGAIN, Action, Emit, Route, Scale
from analyzer.seen import Canary, Primary, Seen
from analyzer.spec import Spec
from analyzer.status import Outcome, Status, seconds_left
from analyzer.strategy import ALL
from analyzer.workload import replicas_for

FOLLOWS = 60.0  # seconds until an autoscaler has seen a new load: an average of up to 30, its next look, a pod's start

Step = tuple[Status, tuple[Action, ...], float | None]


def noted(status: Status, seen: Seen) -> Status:
    """The most replicas that an autoscaler has given the primary since this revision began."""
    primary = seen.primary
    if primary is None or not primary.autoscaled or not status.phase.analysing or status.ending:
        return status
    return replace(status, replicas=max(status.replicas, primary.replicas))


def needed(status: Status, primary: Primary) -> int:
    """How many replicas bear all of the traffic."""
    return max(status.replicas, primary.replicas) if primary.autoscaled else primary.replicas


def fits(spec: Spec, canary: Canary, size: int) -> bool:
    """Whether a canary is as big as it should be: where it has an autoscaler of its own, that may make it bigger."""
    return (canary.replicas >= size and canary.least == size) if spec.autoscaler else canary.replicas == size


def rescue(status: Status, seen: Seen) -> tuple[Action, ...]:
    """Ask for the replicas that the primary had, where its autoscaler has taken some of them away."""
    promoted = status.ending is not None and status.ending.outcome is Outcome.SUCCEEDED
    if promoted and seen.primary and seen.primary.available:
        return ()  # its autoscaler has seen all of the load
    return _ask(_had(status, seen.primary), seen.primary)


def returning(spec: Spec, status: Status, seen: Seen, now: datetime) -> Step | None:
    """The next step on the weight's way back to a promoted primary: status, actions, and when to look again.

    None when all that is left may go back now. `stepWeightPromotion` is the same way: there, each share lasts for
    `interval`, and the next one needs a primary that is ready.
    """
    assert status.ending
    primary, canary = seen.primary, seen.canary
    if primary is None or canary is None or not canary.available or seen.unroutable:
        return None
    if status.ending.outcome is not Outcome.SUCCEEDED:
        return _woken(status, seen, now)
    share = _next_share(spec, status, primary)
    need = status.asked or _replicas(status, primary, share)
    held = -seconds_left(status.returned or status.step_time, 0, now)
    longest = max(spec.progress_deadline, 3 * FOLLOWS, 3 * _interval(spec))
    if held >= longest:
        return None
    wait = max(min(_lasts(spec, status, primary, need), longest) - held, seen.deaf)
    if wait > 0:
        return _wait(status, seen, wait, now)
    if primary.available < need and not (status.asked and primary.replicas):
        return _first_the_replicas(status, seen, need)
    if share == ALL:
        return None
    after = replace(status, weight=ALL - share, returned=now, asked=0)
    told = Emit(f"Advance {seen.who} primary weight {share}")
    return after, (told, Route(after.weight, status.revision, status.iterations)), AGAIN


def _woken(status: Status, seen: Seen, now: datetime) -> Step | None:
    """Not to nobody: a primary may have been scaled to nothing while the canary had all requests (KEDA does that)."""
    left = seconds_left(status.step_time, FOLLOWS, now)
    if left <= 0 or not _had(status, seen.primary) or (seen.primary and seen.primary.available):
        return None
    return status, rescue(status, seen), left


def _next_share(spec: Spec, status: Status, primary: Primary) -> int:
    """The primary's next share of the traffic: what the strategy says, or less if it has fewer replicas than it had.

    That is a third more than it has. The first may be more, if what the replicas bore before that it has now is more.
    Nobody knows the share of an A/B test: there, all of it comes back.
    """
    stated, had = ALL - spec.strategy.before(status.weight), _had(status, primary)
    if not had or spec.strategy.is_ab_test:
        return stated
    first = status.returned is None and (not status.asked or status.weight == ALL)
    borne = ALL * primary.available // had if first else 0
    return min(stated, max((ALL - status.weight) * 4 // 3 + 1, borne))


def _replicas(status: Status, primary: Primary, share: int) -> int:
    """How many replicas a share needs: as many as it had for it, or as many more as the share is more, if these are
    fewer. 0 where nobody but people scales the primary.
    """
    had, present = _had(status, primary), ALL - status.weight
    if not had:
        return 0
    more = math.ceil(primary.available * share / present) if present and primary.available else had
    return min(replicas_for(had, share), more)


def _lasts(spec: Spec, status: Status, primary: Primary, need: int) -> float:
    """For how many seconds the present share lasts, before anything is done for the next."""
    interval = _interval(spec)
    if not need:  # as many as people have given it
        return math.inf if interval and not primary.ready else interval if status.returned else 0.0
    settled = max(interval, FOLLOWS) if status.returned else 0.0
    if not (status.asked and primary.replicas):
        return settled
    if not primary.available:
        return math.inf
    return settled + FOLLOWS if primary.available < status.asked <= primary.replicas else settled


def _interval(spec: Spec) -> float:
    """How long each share lasts where the Canary asks for steps; 0 where it does not."""
    return spec.interval if spec.strategy.promotion_step else 0.0


def _wait(status: Status, seen: Seen, wait: float, now: datetime) -> Step:
    assert seen.primary
    had, actions = _had(status, seen.primary), list[Action]()
    if seen.weight != status.weight:
        actions.append(Route(status.weight, status.revision, status.iterations))
    problem = f"the primary has {seen.primary.available} of the {had} replicas that it had" if had else ""
    returned = now if seen.deaf and status.returned else status.returned
    return replace(status, returned=returned, problem=problem), tuple(actions), wait


def _first_the_replicas(status: Status, seen: Seen, need: int) -> Step:
    """Ask for what the next share needs. It is told once what this is about."""
    assert seen.primary
    had = _had(status, seen.primary)
    problem = f"the primary has {seen.primary.available} of the {had} replicas that it had"
    told = f"Returning the traffic of {seen.who} step by step: {problem}, before its autoscaler scaled it down"
    news = () if status.returned else (Emit(told, milestone=True),)
    return replace(status, asked=need, problem=problem), (*news, *_ask(need, seen.primary)), FOLLOWS


def _had(status: Status, primary: Primary | None) -> int:
    """How many replicas the primary had; 0 if none were taken away but by people."""
    return status.replicas if primary and primary.autoscaled else 0


def _ask(replicas: int, primary: Primary | None) -> tuple[Action, ...]:
    """Upwards only."""
    return (Scale(replicas),) if primary and not primary.deleting and primary.replicas < replicas else ()

"""The canary's share on the wire: at each step beside its weight, and from the last step to the end of the promotion.

After the swap the primary's new pods and the canary's run the same version, so an answer is told apart by its pod.
"""

from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise

from tests.bench.answers import Answer, between, highest_share, share, tally
from tests.bench.application import Application
from tests.bench.figure import SHORT, Figure, say
from tests.bench.timeline import Moment, Timeline, story
from tests.cluster.kubectl import eventually
from tests.cluster.namespaces import unique

STEP, MOST = (25, 50) if SHORT else (5, 50)
INTERVAL = 10
RATE = 60
TOLERANCE = 2.0  # percentage points
WINDOW = 200  # requests; fewer would show the router's rounding
ENOUGH = 400  # requests at a step
PROPAGATION = 1.0  # seconds that the router may take to follow its Ingress; as `analyzer.spec.Spec.propagation`
DEADLINE = INTERVAL * MOST / STEP + 90


def figures() -> list[Figure]:
    """One promotion by the seed's steps, and users of it from before its first step until nothing is left of it."""
    steps = {"interval": f"{INTERVAL}s", "threshold": 1, "stepWeight": STEP, "maxWeight": MOST}
    application = Application(unique("bench-shares"), analysis=steps, verdict=1)
    timeline = Timeline()
    with timeline.watching():
        try:
            application.open()
            answers = _promote(application, timeline)
            moments = timeline.of(application.namespace)
        finally:
            application.close()
    failed = [
        story(answer, timeline.choice(application.host, answer.number), moments).text
        for answer in answers
        if answer.failure
    ]
    details = tally(answers).text, *failed
    return [at_each_step(answers, moments, details), after_the_last(answers, moments)]


def _promote(application: Application, timeline: Timeline) -> list[Answer]:
    with closing(application.traffic(RATE, int(RATE * (DEADLINE + 30)))) as traffic:
        traffic.start()
        say(f"share on the wire: {MOST // STEP} steps of {INTERVAL} s to {MOST} %, at {RATE}/s")
        application.update(0)
        eventually(
            lambda: phase_since(timeline.of(application.namespace, "canary"), "Succeeded"),
            "the end of the promotion",
            DEADLINE,
            lambda: [moment.text for moment in timeline.of(application.namespace)][-10:],
        )
        return traffic.stop()


def at_each_step(answers: Sequence[Answer], moments: Sequence[Moment], details: Sequence[str] = ()) -> Figure:
    """The share at each weight, from when the route has it until it is given the next."""
    lines, furthest, fewest = [], 0.0, len(answers)
    seen = steps(moments)
    for weight, begin, end in seen:
        sent = between(answers, begin + PROPAGATION, end)
        found = share(sent)
        furthest, fewest = max(furthest, abs(found - weight)), min(fewest, len(sent))
        lines.append(f"weight {weight:2} %: share {found:5.2f} % of {len(sent)} requests in {end - begin:.1f} s")
    wanted = list(range(STEP, MOST + 1, STEP))
    return Figure(
        name="canary's share on the wire, at each step",
        goal=f"within {TOLERANCE:.0f} points of the weight",
        measured=f"at most {furthest:.2f} points off, {len(seen)} steps",
        reference="the weight itself",
        holds=[weight for weight, _, _ in seen] == wanted and furthest <= TOLERANCE and fewest >= ENOUGH,
        details=(*lines, *details),
    )


def after_the_last(answers: Sequence[Answer], moments: Sequence[Moment]) -> Figure:
    """The highest share from the promotion to the end, in any window of at least `WINDOW` requests."""
    canary = [moment for moment in moments if moment.kind == "canary"]
    promoting = phase_since(canary, "Promoting")
    after = between(answers, promoting, float("inf")) if promoting else []
    highest = highest_share(after, WINDOW)
    phases = [
        f"{moment.at - promoting:+.2f} s {' '.join(moment.values)}" for moment in canary if moment.at >= promoting
    ]
    return Figure(
        name="canary's share on the wire, from the promotion to the end",
        goal=f"never above {MOST} % + {TOLERANCE:.0f} points",
        measured=f"at most {highest:.2f} % in any {WINDOW} requests or more",
        reference=f"last weight {MOST} %",
        holds=len(after) >= WINDOW and highest <= MOST + TOLERANCE,
        details=(
            f"{len(after)} requests, {sum(answer.from_canary for answer in after)} answered by the canary",
            *phases,
        ),
    )


def steps(moments: Sequence[Moment]) -> list[tuple[int, float, float]]:
    """Weight, begin and end, of each weight above 0 that the canary's Ingress had, in order.

    The last step is over when the promotion begins, since from then on the primary's pods come and go.
    """
    changes: list[tuple[int, float]] = []
    for moment in moments:
        if moment.kind == "ingress" and moment.values[0].isdecimal():
            weight = 0 if moment.event == "DELETED" else int(moment.values[0])
            if not changes or changes[-1][0] != weight:
                changes.append((weight, moment.at))
    promoting = phase_since([moment for moment in moments if moment.kind == "canary"], "Promoting") or float("inf")
    return [(weight, begin, min(end, promoting)) for (weight, begin), (_, end) in pairwise(changes) if weight]


def phase_since(canary: Sequence[Moment], phase: str) -> float:
    """When the Canary first was in this phase; 0 if it never was."""
    return next((moment.at for moment in canary if moment.values[0] == phase), 0.0)

"""What a diverted update costs its user: a template PATCH through the API server, beside the same answer from Go."""

from collections.abc import Callable
from statistics import median

from tests.bench import bare, idle
from tests.bench.distribution import Ratio, milliseconds, percentile, summary
from tests.bench.figure import SHORT, Figure, say
from tests.bench.idle import Object
from tests.bench.load import Change, Lane, Series, Times, alternate
from tests.cluster.kubectl import get
from tests.cluster.namespaces import namespace
from tests.cluster.podless import MANAGED
from webhook import stash

AT_ONCE = 16
GOAL = 1.1
ROUNDS = 4 if SHORT else 20
EACH_ALONE, EACH_AT_ONCE = 48, 24
"""Writes a lane in each block: 960 of each kind one at a time, and 7,680 of each at sixteen."""
WITHOUT, BARE, DETOUR = "no webhook", "bare Go server", "Detour"
# The analyzer follows what bears the label of a revision; it shall hear of both servers' writes, or only one would pay.
LABELS = {WITHOUT: {}, BARE: {bare.LABEL: "yes", stash.REVISION: "0" * 10}, DETOUR: MANAGED}


def figures() -> list[Figure]:
    """The median of a template PATCH, one at a time and sixteen at a time."""
    with namespace("bench-patches") as where:
        names = {kind: [f"{kind.split()[0].lower()}-{number}" for number in range(AT_ONCE)] for kind in LABELS}
        for kind, labels in LABELS.items():
            idle.deploy(where, names[kind], labels)
        with bare.server(where):
            lanes = {kind: [Lane(where, name) for name in names[kind]] for kind in LABELS}
            same_answer(where, {kind: lanes[kind][0] for kind in (BARE, DETOUR)}, names)
            alone = alternate("one at a time", _series(lanes, 1), ROUNDS, EACH_ALONE)
            at_once = alternate(f"{AT_ONCE} at a time", _series(lanes, AT_ONCE), ROUNDS, EACH_AT_ONCE)
    return [_figure("one at a time", alone), _figure(f"{AT_ONCE} at a time", at_once)]


def same_answer(where: str, lanes: dict[str, Lane], names: dict[str, list[str]]) -> None:
    """Raises AssertionError unless both servers make the same of the same update, to the byte but for two digits."""
    for lane in lanes.values():
        lane.patch(lambda number: Change(idle.counting(number)))
    one, other = (_outcome(bare.renamed(get("-n", where, "deployment", names[kind][0]))) for kind in (BARE, DETOUR))
    if one != other:
        raise AssertionError(f"the two servers do not give the same answer: {one} and {other}")
    say(f"  both servers write the same {sum(map(len, map(str, one.values())))} bytes")


def _outcome(found: Object) -> Object:
    waiting, notes = stash.diverted(found), found["metadata"]["annotations"]
    return {
        "template": found["spec"]["template"],
        "waiting": waiting and waiting.template,
        "annotations": {key: len(value) for key, value in sorted(notes.items())},
        "revision": len(found["metadata"]["labels"][stash.REVISION]),
        "author": stash.diverted_by(found),
    }


def _series(lanes: dict[str, list[Lane]], count: int) -> list[Series]:
    def change(number: int) -> Change:
        return Change(idle.counting(number))

    right: dict[str, Callable[[int, Object], bool]] = {WITHOUT: _changed, BARE: _renamed, DETOUR: idle.diverted}
    return [Series(kind, lanes[kind][:count], change, right[kind]) for kind in LABELS]


def _changed(number: int, answer: Object) -> bool:
    return idle.counter(answer["spec"]["template"]) == str(number)


def _renamed(number: int, answer: Object) -> bool:
    return idle.diverted(number, bare.renamed(answer))


def _figure(how: str, times: dict[str, Times]) -> Figure:
    middle = {kind: milliseconds(median(times[kind].all)) for kind in times}
    ratio = Ratio.of(times[DETOUR].blocks, times[BARE].blocks)
    plain = Ratio.of(times[DETOUR].blocks, times[WITHOUT].blocks)
    details = [f"{kind}: {summary(times[kind].all)}" for kind in times]
    details += [
        f"Detour to the bare Go server, medians of paired blocks: {ratio.spread}",
        f"Detour to no webhook: {plain.spread}",
    ]
    details += [f"processor's milliseconds for a write, {kind}: {times[kind].processor_each}" for kind in times]
    return Figure(
        name=f"template PATCH, {how}, p50",
        goal=f"≤ {GOAL} × the same answer from a bare Go server",
        measured=f"{middle[DETOUR]} ({ratio}), p99 {milliseconds(percentile(times[DETOUR].all, 99))}",
        reference=f"{BARE} {middle[BARE]}; {WITHOUT} {middle[WITHOUT]}",
        holds=ratio.middle <= GOAL,
        details=tuple(details),
    )

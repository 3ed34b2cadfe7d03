"""What Detour costs all other writes of a managed Deployment: nothing, since the API server calls nobody for them."""

from statistics import median

from tests.bench import idle
from tests.bench.api import Api
from tests.bench.distribution import Ratio, milliseconds, summary
from tests.bench.figure import SHORT, Figure
from tests.bench.load import MERGE, Change, Lane, Series, Times, alternate
from tests.cluster import podless
from tests.cluster.namespaces import namespace

AT_ONCE = 16
ROUNDS, EACH = (2, 4) if SHORT else (20, 8)
"""Blocks, and writes a lane in each: 2,560 of each of the four kinds, so 10,240 to managed Deployments."""
CONTROL = 25
"""Template PATCHes that must be counted, a call each: only then does a zero mean anything."""
OURS = "divert-"
"""How the names of Detour's webhooks begin."""
MANAGED, PLAIN = "managed", "unmanaged"


def _labelled(number: int) -> Change:
    return Change({"metadata": {"labels": {"bench": f"n{number}"}}}, MERGE)


def _annotated(number: int) -> Change:
    return Change({"metadata": {"annotations": {"bench": f"n{number}"}}}, MERGE)


def _scaled(number: int) -> Change:
    return Change({"spec": {"replicas": 1 + number % 2}}, MERGE, "/scale")


def _resized(number: int) -> Change:
    return Change({"spec": {"replicas": 1 + number % 2}}, MERGE)


WRITES = {"label": _labelled, "annotation": _annotated, "scale": _scaled, "spec.replicas": _resized}


def figures() -> list[Figure]:
    """The API server's own count of calls, for ten thousand writes to Deployments that are managed in either way."""
    with namespace("bench-silence", podless.MANAGED) as by_namespace, namespace("bench-plain") as plain:
        half = AT_ONCE // 2
        idle.deploy(by_namespace, [f"theirs-{number}" for number in range(half)])
        idle.deploy(plain, [f"own-{number}" for number in range(half)], podless.MANAGED)
        idle.deploy(plain, [f"plain-{number}" for number in range(AT_ONCE)])
        managed = [Lane(by_namespace, f"theirs-{number}") for number in range(half)]
        managed += [Lane(plain, f"own-{number}") for number in range(half)]
        unmanaged = [Lane(plain, f"plain-{number}") for number in range(AT_ONCE)]
        api = Api()
        before = api.webhook_calls(OURS)
        times = {}
        for kind, change in WRITES.items():
            series = [Series(MANAGED, managed, change), Series(PLAIN, unmanaged, change)]
            times[kind] = alternate(f"{kind} PATCHes", series, ROUNDS, EACH)
        calls = api.webhook_calls(OURS) - before
        counted = _control(api, managed[-1])
    return [_figure(times, calls, counted)]


def _control(api: Api, lane: Lane) -> int:
    """How many calls the same counter shows for `CONTROL` PATCHes of the template."""
    before = api.webhook_calls(OURS)
    for _ in range(CONTROL):
        lane.patch(lambda number: Change(idle.counting(number)))
    return api.webhook_calls(OURS) - before


def _figure(times: dict[str, dict[str, Times]], calls: int, counted: int) -> Figure:
    details = [f"{CONTROL} template PATCHes in the same run: {counted} calls by the same counter"]
    for kind, found in times.items():
        ratio = Ratio.of(found[MANAGED].blocks, found[PLAIN].blocks)
        details += [f"{kind}, {name}: {summary(found[name].all)}" for name in found]
        details.append(f"{kind}, managed to unmanaged, medians of paired blocks: {ratio.spread}")
    writes = sum(len(found[MANAGED].all) for found in times.values())
    middle = {name: median([s for found in times.values() for s in found[name].all]) for name in (MANAGED, PLAIN)}
    return Figure(
        name="label, annotation and scale PATCHes of managed Deployments",
        goal="no call of the webhook",
        measured=f"{calls} calls for {writes:,} writes; p50 {milliseconds(middle[MANAGED])}, {AT_ONCE} at a time",
        reference=f"unmanaged Deployments p50 {milliseconds(middle[PLAIN])}; {counted} calls for {CONTROL} templates",
        holds=calls == 0 and counted == CONTROL,
        details=tuple(details),
    )

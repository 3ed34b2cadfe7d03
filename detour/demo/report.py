"""What the demo concludes: a pure function of what was counted and seen, so that it can be doubted and tested."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from detour.demo.figures import Answer, Tally, figure, out_of_turn, share_during
from detour.demo.record import Moment, Record, unproven

EXPLANATION = {"Succeeded": "promoted", "Failed": "rolled back"}


@dataclass(frozen=True, slots=True)
class Shipment:
    """One `kubectl set image` and what came of it; times in seconds since it was typed, None for what never came.

    `shares` are the weights that the canary had, in percent, and its share in the answers meanwhile.
    """

    version: str
    expected: str
    outcome: str
    message: str
    checks: tuple[str, ...]
    shares: tuple[tuple[int, float | None], ...]
    canary: float | None
    answered: float | None
    switched: float | None
    withdrawn: float | None
    ended: float | None


@dataclass(frozen=True, slots=True)
class Report:
    """The whole story; `begin` is when the first version was shipped.

    `failures` are the times of the failed requests by the reason, `strays` the canary's answers while its weight was 0.
    """

    shipments: tuple[Shipment, ...]
    sent: int
    good: int
    faults: int
    failures: Mapping[str, tuple[float, ...]]
    strays: int
    moments: tuple[Moment, ...]
    begin: float


@dataclass(frozen=True, slots=True)
class Order:
    """A version was shipped at `at`, and waited for until `until`; `ending` is the Canary's own account, if any."""

    version: str
    expected: str
    at: float
    until: float
    ending: Mapping[str, Any] | None


def conclude(orders: tuple[Order, ...], record: Record, tally: Tally) -> Report:
    """Put together what was ordered, what the cluster did, and what the users got."""
    return Report(
        shipments=tuple(_shipment(order, record, tally) for order in orders),
        sent=tally.sent,
        good=tally.good,
        faults=tally.faults,
        failures={why: _times(tally.failures, why) for why in sorted({answer.failure for answer in tally.failures})},
        strays=out_of_turn(tally.canary_times, record.trials),
        moments=tuple(record.moments),
        begin=orders[0].at if orders else 0.0,
    )


def _times(failures: list[Answer], why: str) -> tuple[float, ...]:
    return tuple(sorted(answer.at for answer in failures if answer.failure == why))


def _shipment(order: Order, record: Record, tally: Tally) -> Shipment:
    ending = order.ending or {}

    def since(times: list[float]) -> float | None:
        return next((at - order.at for at in times if order.at <= at <= order.until), None)

    return Shipment(
        version=order.version,
        expected=order.expected,
        outcome=str(ending.get("outcome", "")),
        message=str(ending.get("message", "")),
        checks=tuple(str(check) for check in ending.get("checks") or ()),
        shares=tuple(
            (step.weight, share_during(step, tally.canary_times, tally.primary_times))
            for step in record.steps
            if order.at <= step.begin <= order.until
        ),
        canary=since(record.canaries),
        answered=since(tally.canary_times),
        switched=since([moment.at for moment in record.moments if moment.version == order.version]),
        withdrawn=since([trial.end for trial in record.trials if trial.end is not None]),
        ended=order.until - order.at if order.ending else None,
    )


def problems(report: Report) -> tuple[str, ...]:
    """Why the demo did not show what it promises, one sentence each; empty if it did."""
    found = [f"requests failed: {len(times)} × {why}" for why, times in report.failures.items()]
    if report.strays:
        found.append(f"{report.strays} requests were answered by the canary while its weight was 0")
    if not report.sent:
        found.append("no request was sent")
    found += [f"the primary ran {version}, which no analysis had passed" for version in unproven(report.moments)]
    for shipment in report.shipments:
        if shipment.outcome != shipment.expected:
            came = shipment.outcome or "no outcome"
            why = f" ({shipment.message})" if shipment.message else ""
            found.append(f"{shipment.version} should have been {EXPLANATION[shipment.expected]}: {came}{why}")
    if len(report.shipments) < 2:
        found.append("not both versions were shipped")
    return tuple(found)


def summary(report: Report) -> tuple[str, ...]:
    """The account in lines of text."""
    failed = sum(len(times) for times in report.failures.values())
    lines = ["", "Requests", f"  sent {report.sent}, answered well {report.good}, failed {failed}"]
    lines += [f"    {len(times)} × {why}, {_span(times, report.begin)}" for why, times in report.failures.items()]
    lines.append(f"  {report.faults} errors of the bad version itself reached users while it was on trial")
    lines.append(f"  {report.strays} answers of a canary while its weight was 0")
    for shipment in report.shipments:
        lines += ["", *_story(shipment)]
    lines += ["", "What the primary ran, by seconds since the first kubectl set image"]
    lines += [f"  {moment.at - report.begin:6.1f} s  {moment}" for moment in report.moments]
    lines.append("")
    wrong = problems(report)
    lines += [f"NOT AS PROMISED: {problem}" for problem in wrong]
    if not wrong:
        lines.append("No request failed, and the primary ran nothing that was not proven.")
    return tuple(lines)


def _span(times: tuple[float, ...], begin: float) -> str:
    first, last = times[0] - begin, times[-1] - begin
    return f"at {first:.1f} s" if len(times) == 1 else f"from {first:.1f} s to {last:.1f} s"


def _story(shipment: Shipment) -> list[str]:
    rows: tuple[tuple[str, float | None], ...] = (
        ("canary Deployment exists", shipment.canary),
        ("first answer of the canary", shipment.answered),
        ("primary's template switched", shipment.switched),
        ("canary's weight back to 0", shipment.withdrawn),
        (f"{EXPLANATION.get(shipment.outcome, 'ended')}, nothing left over", shipment.ended),
    )
    shown: Callable[[float], str] = "{:6.1f} s".format
    reached = EXPLANATION.get(shipment.outcome, shipment.outcome or "no outcome")
    lines = [f"{shipment.version}: {reached}" + (f" ({shipment.message})" if shipment.message else "")]
    lines += [f"  last check: {check}" for check in shipment.checks]
    seen = ", ".join(f"{weight} % → {figure(share, '%').strip()}" for weight, share in shipment.shares)
    lines += [f"  canary's weight → its share in the answers: {seen}"] if seen else []
    return lines + [f"  {shown(after)}  {what}" for what, after in rows if after is not None]

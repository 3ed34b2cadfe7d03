"""The same snapshot as a line and as a picture."""

import io
from dataclasses import replace

from rich.console import Console

from detour.demo.figures import Moving
from detour.demo.view import Picture, Plain, Snapshot, choose, line, picture

SNAPSHOT = Snapshot(
    at=12.34,
    chapter="1 of 2: 6.0.1, a good version",
    phase="Progressing",
    weight=40,
    canary="6.0.1",
    primary="template 6.0.0   pods 2 × 6.0.0",
    event="Advance podinfo.detour-demo canary weight 40",
    moving=Moving(per_second=39.8, share=38.7, success=100.0, p99=21.4),
    sent=487,
    failed=0,
    faults=0,
)


def test_a_line_has_every_figure() -> None:
    assert line(SNAPSHOT) == (
        "  12.3 s  Progressing weight  40 %  canary's share  38.7 %  success 100.0 %  p99  21.4 ms  39.8/s  "
        "sent 487  failed 0  primary template 6.0.0   pods 2 × 6.0.0"
    )


def test_a_figure_that_there_is_none_of_is_a_dash() -> None:
    nothing = replace(SNAPSHOT, moving=Moving(0.0, None, None, None))
    assert "canary's share     – %  success     – %  p99     – ms" in line(nothing)


def plain() -> tuple[Plain, io.StringIO]:
    text = io.StringIO()
    return Plain(Console(file=text, width=80)), text


def test_plain_lines_come_when_something_changes_and_else_every_two_seconds() -> None:
    view, text = plain()
    for at, weight in ((0.0, 0), (0.2, 0), (0.4, 20), (0.6, 20), (2.5, 20)):
        view.show(replace(SNAPSHOT, at=at, weight=weight))
    lines = text.getvalue().splitlines()
    assert [shown[:8] for shown in lines if "weight " in shown and "event" not in shown] == [
        "   0.0 s",
        "   0.4 s",
        "   2.5 s",
    ]


def test_an_event_is_told_once() -> None:
    view, text = plain()
    for at in (0.0, 3.0, 6.0):
        view.show(replace(SNAPSHOT, at=at))
    assert text.getvalue().count("event: Advance podinfo.detour-demo canary weight 40") == 1


def test_what_is_said_is_not_taken_for_markup() -> None:
    view, text = plain()
    view.say("$ kubectl set image [bold]x[/bold]")
    assert text.getvalue() == "$ kubectl set image [bold]x[/bold]\n"


def test_the_picture_shows_the_same_figures() -> None:
    text = io.StringIO()
    Console(file=text, width=100).print(picture(SNAPSHOT))
    shown = text.getvalue()
    for part in ("1 of 2: 6.0.1", "Progressing", "40 %", "38.7 %", "100.0 %", "21.4 ms", "487 sent", SNAPSHOT.event):
        assert part in shown


def test_the_live_picture_leaves_what_was_said_above_it() -> None:
    text = io.StringIO()
    with Picture(Console(file=text, width=100, force_terminal=True)) as view:
        view.show(SNAPSHOT)
        view.say("deployment.apps/podinfo image updated")
    assert "deployment.apps/podinfo image updated" in text.getvalue()


def test_without_a_terminal_there_are_plain_lines() -> None:
    assert isinstance(choose(plain=False), Plain)

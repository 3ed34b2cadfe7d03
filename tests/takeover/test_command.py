"""What a person types, and sees."""

import pytest
from click.testing import CliRunner

from detour import person
from detour.cli import main
from detour.person import Place
from tests.takeover.leftovers import NEWER, flaggers
from tests.takeover.world import World


def typed(monkeypatch: pytest.MonkeyPatch, world: World, *arguments: str) -> tuple[int, str]:
    """The exit status, and all that was said."""
    monkeypatch.setattr(person, "place", lambda *_: Place(world, "shop"))
    done = CliRunner().invoke(main, ["take-over", *arguments])
    return done.exit_code, done.output


def test_without_yes_the_steps_are_shown_and_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    world = flaggers(newer=NEWER, phase="Failed")
    code, said = typed(monkeypatch, world, "web")
    assert (code, world.requests) == (0, 0)
    assert "  1. suspend Canary web for the time being" in said
    assert "Service web selects app=web, tier=front again" in said
    assert "web:2 was rejected by Flagger, and stays so: kubectl detour retry web" in said
    assert "Nothing was changed: --yes does it." in said


def test_a_reason_against_it_is_shown_with_the_steps_and_is_the_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    world = flaggers(phase="Progressing")
    world.beside = True
    code, said = typed(monkeypatch, world)
    assert code == 3
    assert "shop/web: not now: Flagger is in the middle of something (phase Progressing)" in said


def test_one_that_flagger_has_nothing_to_do_with_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    world = flaggers()
    for key in [key for key in world.things if key[1] in ("web-primary", "web-canary", "settings-primary")]:
        del world.things[key]
    code, said = typed(monkeypatch, world, "web", "--yes")
    assert code == 0
    assert "nothing of Flagger's is there" in said
    assert world.requests == 0


def test_names_and_everything_are_not_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = typed(monkeypatch, flaggers(), "web", "-A")
    assert code == 2
    assert "--all-namespaces" in said

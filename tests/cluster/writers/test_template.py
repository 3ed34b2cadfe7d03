"""Whoever changes the template: the primary keeps its own, the new one waits, and all else is as without Detour."""

import time
from dataclasses import dataclass

import pytest

from tests.cluster.audit import Heard, listening
from tests.cluster.kubectl import Object, Said
from tests.cluster.pair import Pairs, Places, beside, owned
from tests.cluster.writers.commands import NEW, typed
from tests.cluster.writers.table import TEMPLATE, Writer
from webhook import stash

USER = "kubernetes-admin"


@dataclass(frozen=True, slots=True)
class Update:
    """One row that was typed, with the template before, what kubectl said, and what the API server recorded."""

    writer: Writer
    pair: Places
    before: Object
    said: Said
    heard: Heard


@pytest.fixture(scope="module", params=TEMPLATE, ids=str)
def update(request: pytest.FixtureRequest, pairs: Pairs) -> Update:
    """Every row, typed once for all the promises beneath."""
    writer: Writer = request.param
    pair = pairs(writer.created)
    before = pair.managed.live
    with listening(pair.managed.namespace) as heard:
        said, _ = pair.both(writer.command)
    return Update(writer, pair, before, said, heard)


def test_the_template_waits_and_is_what_a_twin_without_detour_runs(update: Update) -> None:
    assert update.pair.managed.live == update.before
    assert update.pair.managed.waiting == update.pair.twin.live != update.before


def test_all_else_is_as_on_the_twin_and_every_field_belongs_to_the_same_manager(update: Update) -> None:
    managed, twin = update.pair.managed.settled(), update.pair.twin.settled()
    assert beside(managed) == beside(twin)
    assert owned(managed) == owned(twin)


def test_its_writer_is_told_and_the_webhook_is_asked_once_a_request(update: Update) -> None:
    place = update.pair.managed
    stored = place.primary
    which = f"{place.name}: revision {stored['metadata']['labels'][stash.REVISION]}"
    first, *rest = [line for line in update.said.warnings if place.name in line]
    assert first == f"{which} runs as a canary first; watch: kubectl -n {place.namespace} get canary -w"
    assert all(line.startswith(f"{which} is on its way as a canary already") for line in rest)
    asked = [write for write in update.heard.writes if write.resource == "deployments"]
    assert [write.calls for write in asked] == [1] * len(asked)
    assert [write.decision for write in asked] == ["diverted"] + ["unchanged"] * (len(asked) - 1)
    assert stash.diverted_by(stored) == stash.Author(USER, asked[0].manager)


def test_the_same_again_writes_nothing_and_says_so(update: Update) -> None:
    place = update.pair.managed
    before = place.settled()
    said = update.writer.command(place)
    assert " is on its way as a canary already; watch: " in said.warnings[-1]
    assert place.settled() == before


@pytest.mark.parametrize("writer", TEMPLATE, ids=str)
def test_on_top_of_what_waits_it_is_what_the_twin_runs(writer: Writer, pairs: Pairs) -> None:
    pair = pairs(writer.created)
    before = pair.managed.live
    pair.both(typed("set env deployment/APP TEAM=shop"))
    pair.both(writer.command)
    assert pair.managed.waiting == pair.twin.live
    assert pair.managed.live == before


@pytest.mark.parametrize("writer", [row for row in TEMPLATE if row.name in ("apply", "set image")], ids=str)
def test_the_same_again_after_the_controllers_have_written_writes_nothing(writer: Writer, pairs: Pairs) -> None:
    place = pairs(writer.created).managed
    writer.command(place)
    time.sleep(1.1)  # the clock of managedFields has seconds
    place("annotate", f"deployment/{place.name}", "note=new")
    before = place.settled()
    time.sleep(1.1)
    writer.command(place)
    assert place.settled() == before


def test_changes_in_a_pause_wait_together_and_neither_pause_nor_resume_asks_the_webhook(pairs: Pairs) -> None:
    pair = pairs(paused=False)
    before = pair.managed.live
    with listening(pair.managed.namespace) as heard:
        pair.both(typed("rollout pause deployment/APP"))
        pair.both(typed(f"set image deployment/APP podinfo={NEW}"))
        pair.both(typed("set env deployment/APP COLOR=blue"))
        pair.both(typed("rollout resume deployment/APP"))
    assert [write.decision for write in heard.writes] == ["", "diverted", "diverted", ""]
    assert pair.managed.live == before
    assert pair.managed.waiting == pair.twin.live

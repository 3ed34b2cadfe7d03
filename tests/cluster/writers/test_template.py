"""Whoever changes the template: the primary keeps its own, the new one waits, and all else is as without Detour."""

import time

import pytest

from tests.cluster.audit import listening
from tests.cluster.kubectl import Object
from tests.cluster.writers.commands import NEW, typed
from tests.cluster.writers.pair import Pairs, beside, owned
from tests.cluster.writers.table import TEMPLATE, Writer
from webhook import stash

each = pytest.mark.parametrize("writer", TEMPLATE, ids=str)
USER = "kubernetes-admin"


@each
def test_the_template_waits_and_is_what_a_twin_without_detour_runs(writer: Writer, pairs: Pairs) -> None:
    pair = pairs(writer.created)
    before = pair.managed.template
    pair.both(writer.command)
    assert pair.managed.template == before
    assert pair.managed.waiting == pair.twin.template != before


@each
def test_all_else_is_as_on_the_twin_and_every_field_belongs_to_the_same_manager(writer: Writer, pairs: Pairs) -> None:
    pair = pairs(writer.created)
    pair.both(writer.command)
    managed, twin = pair.managed.settled(), pair.twin.settled()
    assert beside(managed) == beside(twin)
    assert owned(managed) == owned(twin)


@each
def test_its_writer_is_told_and_the_webhook_is_asked_once_a_request(writer: Writer, pairs: Pairs) -> None:
    place = pairs(writer.created).managed
    with listening(place.namespace) as heard:
        said = writer.command(place)
    first, *rest = [line for line in said.warnings if place.name in line]
    stored = place.deployment
    which = f"{place.name}: revision {stored['metadata']['labels'][stash.REVISION]}"
    assert first == f"{which} runs as a canary first; watch: kubectl -n {place.namespace} get canary -w"
    assert all(line.startswith(f"{which} is on its way as a canary already") for line in rest)
    asked = [write for write in heard.writes if write.resource == "deployments"]
    assert [write.calls for write in asked] == [1] * len(asked)
    assert [write.decision for write in asked] == ["diverted"] + ["unchanged"] * (len(asked) - 1)
    assert stash.diverted_by(stored) == stash.Author(USER, asked[0].manager)


@each
def test_the_same_again_changes_nothing_and_says_so(writer: Writer, pairs: Pairs) -> None:
    place = pairs(writer.created).managed
    writer.command(place)
    before = place.settled()
    said = writer.command(place)
    assert " is on its way as a canary already; watch: " in said.warnings[-1]
    assert unclocked(place.settled()) == unclocked(before)


@pytest.mark.xfail(strict=True, reason="the API server sorts managedFields by time, and forgives times in place only")
@pytest.mark.parametrize("writer", [row for row in TEMPLATE if row.name in ("apply", "set image")], ids=str)
def test_the_same_again_after_the_controllers_have_written_writes_nothing(writer: Writer, pairs: Pairs) -> None:
    place = pairs(writer.created).managed
    writer.command(place)
    time.sleep(1.1)  # the clock of managedFields has seconds
    place("scale", f"deployment/{place.name}", "--replicas=2")
    before = place.settled()
    time.sleep(1.1)
    writer.command(place)
    assert place.settled() == before


def test_changes_in_a_pause_wait_together_and_neither_pause_nor_resume_asks_the_webhook(pairs: Pairs) -> None:
    pair = pairs(paused=False)
    before = pair.managed.template
    with listening(pair.managed.namespace) as heard:
        for line in (
            "rollout pause APP",
            f"set image APP podinfo={NEW}",
            "set env APP COLOR=blue",
            "rollout resume APP",
        ):
            pair.both(typed(line.replace("APP", "deployment/APP")))
    assert [write.decision for write in heard.writes] == ["", "diverted", "diverted", ""]
    assert pair.managed.template == before
    assert pair.managed.waiting == pair.twin.template


def unclocked(deployment: Object) -> Object:
    """The Deployment without what tells the time of a write."""
    metadata = {key: part for key, part in deployment["metadata"].items() if key != "resourceVersion"}
    entries = [{key: part for key, part in entry.items() if key != "time"} for entry in metadata["managedFields"]]
    metadata["managedFields"] = sorted(entries, key=str)
    return deployment | {"metadata": metadata}

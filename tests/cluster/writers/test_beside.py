"""What is not the template goes through at once, whoever changes it: alone it never reaches the webhook."""

import pytest

from tests.cluster.audit import listening
from tests.cluster.kubectl import Said
from tests.cluster.pair import Command, Pairs, Place, beside
from tests.cluster.writers.commands import sent, typed
from tests.cluster.writers.table import BESIDE, MIXED, Writer
from webhook import stash


@pytest.mark.parametrize("writer", BESIDE, ids=str)
@pytest.mark.parametrize("waits", [False, True], ids=["at rest", "while an update waits"])
def test_what_is_not_the_template_never_reaches_the_webhook(writer: Writer, waits: bool, pairs: Pairs) -> None:
    pair = pairs()
    if waits:
        pair.both(sent())
    before, waiting = pair.managed.live, pair.managed.waiting
    with listening(pair.managed.namespace) as heard:
        said, _ = pair.both(writer.command)
    assert len(heard.writes) == 1
    assert heard.calls == 0
    assert said.warnings == []
    assert beside(pair.managed.primary) == beside(pair.twin.primary)
    assert (pair.managed.live, pair.managed.waiting) == (before, waiting)


def test_a_call_leaves_its_mark_whatever_the_answer(pairs: Pairs) -> None:
    """Or else the test above could not fail."""
    place = pairs().managed
    with listening(place.namespace) as heard:
        typed("label deployment/APP detour.dev/revision=1")(place)
        typed("annotate deployment/APP detour.dev/history=forged --dry-run=server")(place)
        place("annotate", f"deployment/{place.name}", f"{stash.PROMOTE}=go", check=False)
    assert [(write.calls, write.decision, write.code) for write in heard.writes] == [
        (1, "untouched", 200),
        (1, "untouched", 200),
        (1, "denied", 403),
    ]


@pytest.mark.parametrize("writer", MIXED, ids=str)
def test_only_the_template_waits_and_the_rest_of_the_request_does_not(writer: Writer, pairs: Pairs) -> None:
    pair = pairs(writer.created)
    before = pair.managed.primary
    pair.both(writer.command)
    after = pair.managed.primary
    assert after["spec"]["template"] == before["spec"]["template"]
    assert pair.managed.waiting == pair.twin.live
    assert beside(after) == beside(pair.twin.primary) != beside(before)
    assert after["spec"]["replicas"] == 3


def caused(place: Place) -> Said:
    """The cause in the manifest."""
    manifest = place.manifest("6.0.1")
    manifest["metadata"]["annotations"] = {stash.CHANGE_CAUSE: "new colours"}
    return place.send(manifest)


def caused_afterwards(place: Place) -> Said:
    """The cause by `kubectl annotate`, as the documentation of Kubernetes has it."""
    place.send(place.manifest("6.0.1"))
    return typed("annotate deployment/APP", f"{stash.CHANGE_CAUSE}=new colours")(place)


@pytest.mark.parametrize("command", [caused, caused_afterwards])
def test_the_change_cause_of_an_update_waits_with_it(command: Command, pairs: Pairs) -> None:
    place = pairs().managed
    command(place)
    stored = place.primary
    waiting = stash.diverted(stored)
    assert waiting
    assert waiting.change_cause == "new colours"
    assert stash.CHANGE_CAUSE not in stored["metadata"]["annotations"]

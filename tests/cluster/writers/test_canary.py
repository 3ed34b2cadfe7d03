"""Whoever changes the template: the canary runs it, and goes on when the same comes again."""

import pytest

from tests.cluster.kubectl import Object, eventually, get
from tests.cluster.pair import Place, Running
from tests.cluster.writers.table import TEMPLATE, Writer


@pytest.mark.parametrize("writer", TEMPLATE, ids=str)
def test_the_canary_runs_what_waits_and_goes_on_when_it_comes_again(writer: Writer, running: Running) -> None:
    place = running(writer.created)
    before = place.live
    writer.command(place)
    canary = eventually(lambda: canary_of(place), "there is a canary", 30)
    waiting, runs = place.waiting, canary["spec"]["template"]
    assert waiting
    assert runs["spec"] == waiting["spec"]
    labels = waiting["metadata"]["labels"]
    assert [key for key in labels if runs["metadata"]["labels"][key] != labels[key]] == ["app"]

    started = status(place)["startTime"]
    writer.command(place)
    assert status(place)["startTime"] == started
    assert canary_of(place)["metadata"]["generation"] == canary["metadata"]["generation"]
    assert place.live == before


def canary_of(place: Place) -> Object:
    """The canary's Deployment, empty as long as there is none."""
    found = place("get", "deployment", f"{place.name}-canary", "--ignore-not-found", "-o", "name").out
    return get("-n", place.namespace, "deployment", f"{place.name}-canary") if found else {}


def status(place: Place) -> Object:
    return dict(get("-n", place.namespace, "canary", place.name)["status"])

"""A newer version while an older one is on its way: the last one wins, and nothing unproven is ever promoted.

Every version of every object is recorded, and judged by the laws of `tests.soak.law`: that the route has weight 0
before the canary is another one, and that the primary runs only what has just passed.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby

import pytest

from tests.cluster.kubectl import Object, eventually
from tests.cluster.shop import QUICK, OpenShop, Shop, tag_of
from tests.soak.law import judge
from tests.soak.recording import Recording, Version, recording
from tests.soak.story import around
from webhook import revision, stash

SEED, TIMES, ROUNDS, LONGEST = 5, 12, 3, 14.0
DELAYS = [round(random.Random(SEED + number).uniform(0, LONGEST), 1) for number in range(TIMES)]
"""Seconds; a quick analysis with its promotion takes about twelve."""
STAMP = "example.com/number"


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """Its analysis and promotion take about twelve seconds."""
    return open_shop(replicas=1, analysis=QUICK)


@contextmanager
def lawful(shop: Shop) -> Iterator[Recording]:
    """In this block, and until everything has come to rest, no law is broken."""
    with recording(shop.namespace) as record:
        yield record
        at_rest(shop)
        versions = record.complete()
        judgement = judge(versions)
        assert not judgement.broken, "\n".join(around(versions, judgement))


def at_rest(shop: Shop) -> None:
    """Nothing waits, nothing is left over, and the last word is written."""
    ended = ("Succeeded", "Failed")
    eventually(lambda: shop.waiting is None and shop.phase in ended, "everything is over", 90, lambda: shop.status)
    shop.until_gone()


def live(versions: list[Version], told: Callable[[Object], str]) -> list[str]:
    """What the primary ran, one after the other, as `told` by its templates."""
    ours = (found for found in versions if found.name == "podinfo" and found.kind == "Deployment")
    return [what for what, _ in groupby(told(found.object["spec"]["template"]) for found in ours)]


def live_images(versions: list[Version]) -> list[str]:
    """The tags."""
    return live(versions, tag_of)


def stamped(number: int) -> Object:
    """A template that is like no other."""
    return {"metadata": {"annotations": {STAMP: str(number)}}}


def stamp_of(template: Object) -> str:
    return str(template["metadata"].get("annotations", {}).get(STAMP, ""))


def outcomes(shop: Shop) -> list[tuple[str, str]]:
    """How the revisions ended, with the tag of each."""
    history: list[Object] = shop.status["history"]
    return [(entry["images"][0].rpartition(":")[2], entry["outcome"]) for entry in history]


def test_a_second_and_a_third_version_during_a_canary_supersede_each_other(shop: Shop) -> None:
    with lawful(shop) as record:
        shop.set_image("6.0.1")
        shop.until_weight(25)
        warning = shop.set_image("6.0.2").warnings[0]
        assert "as the canary" in warning
        shop.until_weight(25)
        shop.set_image("6.0.3")
    assert live_images(record.versions()) == ["6.0.0", "6.0.3"]
    assert outcomes(shop) == [("6.0.3", "Succeeded")]


def test_versions_at_once_leave_only_the_last(shop: Shop) -> None:
    with lawful(shop) as record:
        for tag in ("6.0.1", "6.0.2", "6.0.3"):
            shop.set_image(tag)
    assert live_images(record.versions()) == ["6.0.0", "6.0.3"]


def test_a_version_that_comes_during_a_promotion_waits_for_its_end_and_has_its_own_analysis(shop: Shop) -> None:
    with lawful(shop) as record:
        shop.set_image("6.0.1")
        eventually(lambda: shop.live_image == "6.0.1", "the promotion is under way")
        assert stash.PREVIOUS in shop.primary["metadata"]["annotations"]
        shop.set_image("6.0.2")
        assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.1", "6.0.2")
    assert live_images(record.versions()) == ["6.0.0", "6.0.1", "6.0.2"]
    assert outcomes(shop) == [("6.0.1", "Succeeded"), ("6.0.2", "Succeeded")]


def test_a_step_back_during_a_promotion_is_immediate(shop: Shop) -> None:
    with lawful(shop) as record:
        shop.apply(shop.deployment("6.0.1"))
        eventually(lambda: shop.live_image == "6.0.1", "the promotion is under way")
        shop.apply(shop.deployment("6.0.0"))
        assert (shop.live_image, shop.waiting) == ("6.0.0", None)
    assert live_images(record.versions()) == ["6.0.0", "6.0.1", "6.0.0"]
    assert outcomes(shop) == [("6.0.1", "Cancelled")]


def test_a_promotion_that_somebody_pauses_goes_on_when_it_is_resumed(open_shop: OpenShop) -> None:
    deadline = 15
    leisurely = {"httpGet": {"path": "/readyz", "port": "http"}, "initialDelaySeconds": 5, "periodSeconds": 1}
    shop = open_shop(replicas=2, analysis=QUICK, spec={"progressDeadlineSeconds": deadline})
    with lawful(shop) as record:
        shop.apply(shop.deployment("6.0.1", readinessProbe=leisurely))
        eventually(lambda: shop.live_image == "6.0.1", "the promotion is under way")
        shop("rollout", "pause", "deployment/podinfo")
        time.sleep(deadline + 2)
        assert (shop.phase, shop.live_image) == ("Promoting", "6.0.1")
        shop("rollout", "resume", "deployment/podinfo")
    assert live_images(record.versions()) == ["6.0.0", "6.0.1"]
    assert outcomes(shop) == [("6.0.1", "Succeeded")]


def test_back_to_the_second_version_from_the_third_is_an_analysis_of_the_second_anew(shop: Shop) -> None:
    with lawful(shop) as record:
        for tag in ("6.0.1", "6.0.2"):
            shop.set_image(tag)
            shop.until_weight(25)
        started = shop.status["startTime"]
        shop.set_image("6.0.1")
        eventually(lambda: shop.status["startTime"] != started, "the analysis has begun anew", 30)
        assert shop.status.get("canaryWeight", 0) < 50
    assert live_images(record.versions()) == ["6.0.0", "6.0.1"]


@pytest.mark.parametrize("how", [(), ("--server-side",)], ids=["client side", "server side"])
def test_there_and_back_and_there_again_runs_the_canary_anew(open_shop: OpenShop, how: tuple[str, ...]) -> None:
    shop = open_shop(replicas=1, analysis=QUICK)
    if how:
        shop.apply(shop.deployment("6.0.0"), arguments=(*how, "--force-conflicts"))
    with lawful(shop) as record:
        for tag in ("6.0.1", "6.0.0", "6.0.1"):
            shop.apply(shop.deployment(tag), arguments=how)
            time.sleep(2)
    assert live_images(record.versions()) == ["6.0.0", "6.0.1"]
    assert outcomes(shop) == [("6.0.1", "Cancelled"), ("6.0.1", "Succeeded")]


@pytest.mark.parametrize("delays", [DELAYS[first::ROUNDS] for first in range(ROUNDS)], ids=str)
def test_whenever_newer_versions_come_the_last_one_wins_and_nothing_unproven_is_promoted(
    shop: Shop, delays: list[float]
) -> None:
    with lawful(shop) as record:
        for number, delay in enumerate((0.0, *delays)):
            time.sleep(delay)
            shop("patch", "deployment", "podinfo", "-p", json.dumps({"spec": {"template": stamped(number)}}))
    lived = [int(stamp) for stamp in live(record.versions(), stamp_of) if stamp]
    assert lived == sorted(set(lived)), "it never went back"
    assert lived[-1] == len(delays)
    assert shop.status["history"][-1]["revision"] == revision.digest(shop.live)

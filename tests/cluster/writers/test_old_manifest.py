"""The manifest before, while the new one waits: sent in the same way, it takes the update back."""

import json
from collections.abc import Callable

import pytest

from tests.cluster.audit import listening
from tests.cluster.kubectl import Object
from tests.cluster.pair import Command, Pairs, Place, Places
from tests.cluster.shop import IMAGE, OpenShop
from tests.cluster.writers.commands import NEW, SERVER_SIDE, container, edited, patched, sent, template, typed
from webhook import stash

OLD = f"{IMAGE}:6.0.0"


def image(place: Place) -> Object:
    """The next version."""
    return place.manifest("6.0.1")


def image_and_more(place: Place) -> Object:
    """The next version, which has an environment variable, a port and a label that the one before has not."""
    ports = [{"name": "http", "containerPort": 9898}, {"name": "grpc", "containerPort": 9999}]
    manifest = place.manifest("6.0.1", env=[{"name": "COLOR", "value": "blue"}], ports=ports)
    manifest["spec"]["template"]["metadata"]["labels"]["tier"] = "web"
    return manifest


FORTH = typed(f"set image deployment/APP podinfo={NEW}")
UNSEEN = {
    "set image": (FORTH, typed(f"set image deployment/APP podinfo={OLD}")),
    "set env": (typed("set env deployment/APP COLOR=blue"), typed("set env deployment/APP COLOR-")),
    "patch": (FORTH, patched("strategic", template(spec=container(image=OLD)))),
    "edit": (FORTH, edited(f"s#image: .*#image: {OLD}#")),
    "apply of the manifest that was applied last": (FORTH, sent(tag="6.0.0")),
}
"""What is typed, and what would take it back if the primary did not still run the old version."""

each_way = pytest.mark.parametrize("way", ["apply", SERVER_SIDE, "replace"])
each_change = pytest.mark.parametrize("new", [image, image_and_more])


@each_way
@each_change
def test_the_old_manifest_takes_the_update_back_and_says_so(
    way: str, new: Callable[[Place], Object], pairs: Pairs
) -> None:
    pair = updated(pairs, way, new)
    said, _ = pair.both(lambda place: place.send(place.manifest(), way))
    assert "cancelled, the primary stays" in said.warnings[-1]
    assert pair.managed.ours == set()
    assert pair.managed.live == pair.twin.live
    again = pair.managed.send(pair.managed.manifest(), way)
    assert again.warnings == []


@each_way
@each_change
def test_a_dry_run_of_the_old_manifest_shows_that_and_stores_nothing(
    way: str, new: Callable[[Place], Object], pairs: Pairs
) -> None:
    place = updated(pairs, way, new).managed
    before = place.settled()
    assert stash.diverted(shown(place, place.manifest(), way)) is None
    assert place.settled() == before


@each_way
@each_change
def test_the_new_manifest_takes_nothing_back_nor_does_its_dry_run(
    way: str, new: Callable[[Place], Object], pairs: Pairs
) -> None:
    place = updated(pairs, way, new).managed
    stored = place.primary
    found = shown(place, new(place), way)
    assert found["spec"]["template"] == stored["spec"]["template"]
    place.send(new(place), way)
    assert stash.diverted(found) == stash.diverted(stored) == stash.diverted(place.primary) is not None


@pytest.mark.parametrize("way", ["replace", f"{SERVER_SIDE} --force-conflicts"])
def test_what_states_everything_takes_back_what_another_command_brought(way: str, pairs: Pairs) -> None:
    pair = pairs()
    pair.both(FORTH)
    pair.both(lambda place: place.send(place.manifest(), way))
    assert pair.managed.waiting is None
    assert pair.managed.live == pair.twin.live


@pytest.mark.parametrize(("forth", "back"), UNSEEN.values(), ids=UNSEEN)
def test_what_kubectl_finds_no_difference_in_takes_nothing_back(forth: Command, back: Command, pairs: Pairs) -> None:
    place = pairs().managed
    forth(place)
    waiting = place.waiting
    with listening(place.namespace) as heard:
        said = back(place)
    assert heard.calls == 0
    assert said.warnings == []
    assert place.waiting == waiting is not None


def test_the_old_manifest_during_a_canary_ends_it(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, analysis={"interval": "5m"})
    shop.apply(shop.deployment("6.0.1"))
    shop.until_weight(25)
    shop.apply(shop.deployment("6.0.0"))
    shop.until("Failed", 30)
    promoted = shop.status["conditions"][0]
    assert (promoted["type"], promoted["reason"]) == ("Promoted", "Cancelled")
    assert shop.leftovers() == []
    assert (shop.live_image, shop.waiting) == ("6.0.0", None)


def updated(pairs: Pairs, way: str, new: Callable[[Place], Object]) -> Places:
    """A pair whose new manifest came in the same way as the one before."""
    pair = pairs("create" if way == "replace" else way)
    pair.both(lambda place: place.send(new(place), way))
    return pair


def shown(place: Place, manifest: Object, way: str) -> Object:
    """What a dry run on the server says that would be stored."""
    return dict(json.loads(place.send(manifest, f"{way} --dry-run=server -o json").out))

"""`kubectl rollout undo`: it names no field manager, and puts the annotations of an old ReplicaSet on the Deployment.

The controller has copied ours there, so an undo brings them back; they must not count.
"""

import pytest

from tests.cluster.audit import listening
from tests.cluster.kubectl import Object, eventually
from tests.cluster.pair import REPLICA_SET, Command, Pairs, Place, Places
from tests.cluster.shop import IMAGE, OpenShop, tag_of
from tests.cluster.writers.commands import SERVER_SIDE, container, template, typed
from webhook import revision, stash

UNDO = typed("rollout undo deployment/APP")


def set_image(tag: str, manager: str = "kubectl-set") -> Command:
    """`kubectl set image`, by this field manager."""
    return typed(f"set image deployment/APP podinfo={IMAGE}:{tag} --field-manager={manager}")


@pytest.fixture
def pair(pairs: Pairs) -> Places:
    """Two revisions, of which the second lives; neither has passed here. A third waits."""
    pair = pairs(paused=False)
    pair.both(Place.settled)
    pair.both(set_image("6.0.1", manager="detour-bypass"))
    pair.both(Place.settled)
    pair.both(set_image("6.0.2"))
    pair.both(Place.settled)
    eventually(lambda: stash.TEMPLATE in copied(pair.managed, 2), "the ReplicaSet has a copy of our keys", 60)
    return pair


def test_an_undo_while_an_update_waits_drops_it_and_the_primary_stays(pair: Places) -> None:
    before = pair.managed.live
    with listening(pair.managed.namespace) as heard:
        said, _ = pair.both(UNDO)
    assert "cancelled, the primary stays" in said.warnings[-1]
    assert [(write.manager, write.decision) for write in heard.writes] == [("", "cancelled")]
    assert pair.managed.live == before == pair.twin.live
    assert pair.managed.ours == set()


def test_a_second_undo_goes_further_back_and_is_a_canary(pair: Places) -> None:
    before = pair.managed.live
    pair.managed("rollout", "undo", f"deployment/{pair.managed.name}")
    said = UNDO(pair.managed)
    assert " runs as a canary first; " in said.warnings[-1]
    assert tag_of(pair.managed.waiting) == "6.0.0"
    assert pair.managed.live == before
    assert pair.managed.ours == {stash.TEMPLATE, stash.REVISION, stash.DIVERTED_BY}


def test_an_undo_to_a_revision_that_never_passed_is_a_canary_and_brings_none_of_our_keys_back(
    pair: Places,
) -> None:
    place = pair.managed
    proper = place.live
    UNDO(place)
    set_image("6.0.3", manager="detour-bypass")(place)
    assert {stash.TEMPLATE, stash.DIVERTED_BY} <= copied(place, 2).keys()
    place("rollout", "undo", f"deployment/{place.name}", "--to-revision=2")
    assert (tag_of(place.live), place.waiting) == ("6.0.3", proper)
    assert stash.diverted_by(place.primary) == stash.Author("kubernetes-admin")


def test_a_history_on_a_replica_set_proves_nothing(pair: Places) -> None:
    place = pair.managed
    undone_to(place, f"{stash.HISTORY}={revision.digest(place.live)}")
    assert (tag_of(place.live), tag_of(place.waiting)) == ("6.0.3", "6.0.1")
    assert stash.HISTORY not in place.ours


def test_a_promotion_that_lies_on_a_replica_set_hinders_no_undo(pair: Places) -> None:
    place = pair.managed
    undone_to(place, f"{stash.PROMOTE}={stash.promote_request(stash.GO, revision.digest(place.live))}")
    assert (tag_of(place.live), tag_of(place.waiting)) == ("6.0.3", "6.0.1")


def test_what_an_undo_has_dropped_is_still_owned_and_has_to_be_taken_by_force_once(pair: Places) -> None:
    """A difference that stays (docs/changes.md): the books are written before the webhook is asked."""
    place = pair.managed
    UNDO(place)
    typed("set env deployment/APP COLOR=blue")(place)
    UNDO(place)
    apply = f"{SERVER_SIDE} --field-manager=gitops"
    with pytest.raises(AssertionError, match='conflicts with "kubectl-set"'):
        place.send(coloured(place, "red"), apply)
    place.send(coloured(place, "red"), f"{apply} --force-conflicts")
    assert place.waiting
    assert place.waiting["spec"]["containers"][0]["env"] == [{"name": "COLOR", "value": "red"}]


def test_an_undo_to_what_lives_is_not_even_sent(pair: Places) -> None:
    place = pair.managed
    with listening(place.namespace) as heard:
        said = place("rollout", "undo", f"deployment/{place.name}", "--to-revision=2")
    assert "skipped rollback" in said.out
    assert heard.writes == []
    assert tag_of(place.waiting) == "6.0.2"


def test_an_undo_to_what_was_proven_goes_at_once_and_brings_none_of_our_keys_back(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, spec={"skipAnalysis": True})
    place = Place(shop.namespace, "podinfo", paused=False, runs=True)
    shop.set_image("6.0.1")
    shop.until("Succeeded")
    history = stash.history(shop.primary)
    assert len(history) == 2
    assert stash.TEMPLATE in copied(place, 1)
    undone = UNDO(place)
    assert "back to proven revision" in undone.warnings[-1]
    assert (shop.live_image, shop.waiting) == ("6.0.0", None)
    assert place.ours == {stash.POLICY, stash.HISTORY}
    assert stash.history(shop.primary) == history


def coloured(place: Place, color: str) -> Object:
    """The part of a manifest that states an environment variable."""
    spec = template(spec=container(env=[{"name": "COLOR", "value": color}]))["spec"]
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": place.name}, "spec": spec}


def undone_to(place: Place, note: str) -> None:
    """Undo to the second revision from a third one, when the ReplicaSet of the second has this annotation."""
    UNDO(place)
    set_image("6.0.3", manager="detour-bypass")(place)
    eventually(lambda: copied(place, 3), "the next revision has a ReplicaSet", 60)
    place("annotate", f"replicaset/{replica_set(place, 2)['metadata']['name']}", note)
    place("rollout", "undo", f"deployment/{place.name}", "--to-revision=2")


def replica_set(place: Place, number: int) -> Object:
    """The ReplicaSet of a revision, as `kubectl rollout history` counts them; empty where there is none."""
    found = place.get("replicasets", "-l", f"app={place.name}")["items"]
    return next((one for one in found if one["metadata"]["annotations"][REPLICA_SET] == str(number)), {})


def copied(place: Place, number: int) -> Object:
    """The annotations of that ReplicaSet."""
    found = replica_set(place, number)
    return dict(found["metadata"]["annotations"]) if found else {}

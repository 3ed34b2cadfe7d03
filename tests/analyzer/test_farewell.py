"""What stays on a Deployment when Detour goes: an update that waits, and nothing else."""

from typing import Any

import pytest

from analyzer.farewell import farewell, is_outdated, waits
from webhook import stash
from webhook.revision import digest

Object = dict[str, Any]


def template(tag: str) -> Object:
    return {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "shop", "image": f"shop:{tag}"}]}}


def deployment(live: str = "1", **marks: Any) -> Object:
    metadata = {"name": "shop", "namespace": "shop", "resourceVersion": "7", **marks}
    return {"metadata": metadata, "spec": {"template": template(live)}}


WAITING = stash.encode(stash.Stash(template("2")))
AT_REST = deployment(
    labels={"app": "shop", stash.POLICY: stash.POLICY_CANARY, stash.STATE: stash.STATE_REJECTED},
    annotations={stash.HISTORY: "0" * 64, "example.com/mine": "yes"},
)
PENDING = deployment(
    labels={stash.POLICY: stash.POLICY_CANARY, stash.REVISION: "2" * 10, stash.STATE: stash.STATE_ANALYSING},
    annotations={stash.TEMPLATE: WAITING, stash.DIVERTED_BY: '{"user":"ann"}', stash.PROMOTE: "go:" + "2" * 64},
)


def left(found: Object, *, keep: bool = True) -> Object:
    """The Deployment after a JSON merge patch (RFC 7396) of it, as the API server would make it."""
    patch = farewell(found, keep=keep)
    assert patch
    assert patch["metadata"].pop("resourceVersion") == "7"
    metadata = dict(found["metadata"])
    for kind, changes in patch["metadata"].items():
        merged = metadata.get(kind, {}) | changes
        metadata[kind] = {key: value for key, value in merged.items() if value is not None}
    return {**found, "metadata": metadata}


def ours(found: Object) -> set[str]:
    metadata = found["metadata"]
    return {key for key in {**metadata["labels"], **metadata["annotations"]} if key.startswith("detour.dev/")}


def test_where_nothing_waits_nothing_of_ours_is_left_and_the_users_own_is() -> None:
    after = left(AT_REST)
    assert ours(after) == set()
    assert after["metadata"]["labels"] == {"app": "shop"}
    assert after["metadata"]["annotations"] == {"example.com/mine": "yes"}


def test_a_policy_that_its_user_chose_stays_his() -> None:
    after = left(deployment(labels={stash.POLICY: "careful", stash.STATE: "rejected"}, annotations={}))
    assert after["metadata"]["labels"] == {stash.POLICY: "careful"}


def test_what_waits_is_kept_and_says_so() -> None:
    after = left(PENDING)
    assert waits(after)
    assert after["metadata"]["labels"][stash.STATE] == stash.STATE_PENDING
    assert after["metadata"]["annotations"][stash.TEMPLATE] == WAITING
    assert stash.PROMOTE not in after["metadata"]["annotations"]


def test_what_waits_is_dropped_if_that_is_asked_for() -> None:
    assert ours(left(PENDING, keep=False)) == set()


@pytest.mark.parametrize("found", [AT_REST, PENDING])
def test_said_twice_it_changes_nothing(found: Object) -> None:
    assert farewell(left(found)) is None


def test_a_deployment_that_detour_made_is_left_to_the_way_out() -> None:
    assert farewell(deployment(labels={stash.CANARY_OF: "shop", stash.REVISION: "2" * 10})) is None


def test_what_was_kept_counts_for_the_primary_that_it_was_put_off_for_and_for_no_other() -> None:
    kept = left(PENDING)
    assert not is_outdated(kept)
    assert is_outdated({**kept, "spec": {"template": template("3")}})
    assert is_outdated({**kept, "spec": {"template": template("2")}})
    assert not is_outdated(PENDING)
    assert stash.history(kept)[-1:] == (digest(template("1")),)

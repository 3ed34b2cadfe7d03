"""What holds the primary's ConfigMaps and Secrets, against an API server that keeps the rules of the real one."""

import pytest

from analyzer.holdings import LABEL
from analyzer.kube.errors import ApiError, Conflict, Refused
from tests.analyzer.pantry import KEY, Pantry, stocked, using, with_secret

CONFIG, SECRET = "ConfigMap", "Secret"
MARK = "web.detour.dev/in-use"


@pytest.fixture
def pantry() -> Pantry:
    """What v1 needs is there."""
    return stocked()


@pytest.fixture
def holding(pantry: Pantry) -> Pantry:
    """A canary has begun, and the ConfigMap of the running version is held."""
    pantry.runs(using("old", "shared"), waiting=using("new", "shared"))
    pantry.settle()
    return pantry


def test_what_only_the_running_version_needs_is_held_by_one_request(holding: Pantry) -> None:
    assert holding.marks(CONFIG, "old") == [MARK]
    assert holding.marks(CONFIG, "shared") == []
    assert holding.api.requests == ["mark old"]
    holding.settle()
    assert holding.api.requests == ["mark old"]


def test_at_rest_nothing_is_asked(pantry: Pantry) -> None:
    pantry.runs(using("old"))
    pantry.settle()
    assert pantry.api.requests == []


def test_a_canary_that_needs_the_same_asks_for_nothing(pantry: Pantry) -> None:
    pantry.runs(using("old"), waiting=using("old", serviceAccountName="other"))
    pantry.settle()
    assert pantry.api.requests == []


def test_what_was_deleted_goes_when_the_promotion_is_done(holding: Pantry) -> None:
    holding.api.prune(CONFIG, "old")
    holding.hear()
    holding.runs(using("new", "shared"), previous=using("old", "shared"))
    holding.settle()
    assert holding.marks(CONFIG, "old") == [MARK]
    holding.runs(using("new", "shared"))
    holding.settle()
    assert holding.marks(CONFIG, "old") is None


def test_what_nobody_deleted_stays_and_bears_no_mark_of_ours(holding: Pantry) -> None:
    holding.runs(using("new", "shared"))
    holding.settle()
    assert holding.api.stored[CONFIG, "old"]["metadata"]["labels"] == {"app": "web"}
    assert holding.marks(CONFIG, "old") == []


def test_what_was_deleted_is_kept_while_the_primary_needs_it_and_that_is_told_once(holding: Pantry) -> None:
    holding.api.prune(CONFIG, "old")
    holding.hear()
    holding.runs(using("old", "shared"))
    holding.settle()
    holding.settle()
    assert holding.marks(CONFIG, "old") == [MARK]
    (told,) = holding.api.told
    assert told == (
        "ConfigMap old was deleted and is kept until web.shop no longer runs the version that needs it; by force: "
        """kubectl -n shop patch configmap old --type=merge -p '{"metadata":{"finalizers":null}}'"""
    )


def test_of_two_holders_the_last_one_lets_it_go(holding: Pantry) -> None:
    holding.runs(using("old"), waiting=using("new"), name="api")
    holding.settle("api")
    assert holding.marks(CONFIG, "old") == ["api.detour.dev/in-use", MARK]
    holding.api.prune(CONFIG, "old")
    holding.hear()
    holding.runs(using("new", "shared"))
    holding.settle()
    assert holding.marks(CONFIG, "old") == ["api.detour.dev/in-use"]
    assert LABEL in holding.api.stored[CONFIG, "old"]["metadata"]["labels"]
    holding.hear()
    holding.runs(using("new"), name="api")
    holding.settle("api")
    assert holding.marks(CONFIG, "old") is None


def test_the_next_process_lets_go_of_what_the_one_before_has_held(holding: Pantry) -> None:
    holding.api.prune(CONFIG, "old")
    holding.runs(using("new", "shared"))
    holding.touched.clear()
    holding.begin()
    assert holding.touched == [KEY]
    holding.settle()
    assert holding.marks(CONFIG, "old") is None


def test_a_deployment_that_is_gone_holds_nothing(holding: Pantry) -> None:
    holding.is_gone()
    holding.settle()
    assert holding.marks(CONFIG, "old") == []


def test_a_deployment_that_is_going_holds_nothing(holding: Pantry) -> None:
    holding.runs(using("old"), waiting=using("new"), deletionTimestamp="2026-01-01T00:00:00Z")
    holding.settle()
    assert holding.marks(CONFIG, "old") == []


@pytest.fixture
def keeping(holding: Pantry) -> Pantry:
    """The canary was cancelled, after a tool had deleted what the primary needs."""
    holding.api.prune(CONFIG, "old")
    holding.hear()
    holding.runs(using("old", "shared"))
    holding.settle()
    holding.touched.clear()
    return holding


def test_a_namespace_that_is_going_is_not_held_up(keeping: Pantry) -> None:
    going = {"name": "shop", "resourceVersion": "2", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    keeping.cluster.namespaces.learn({"metadata": going})
    assert set(keeping.touched) == {KEY}
    keeping.settle()
    assert keeping.marks(CONFIG, "old") is None


def test_when_the_primary_changes_what_was_kept_for_it_is_looked_at(keeping: Pantry) -> None:
    keeping.runs(using("new"))
    assert set(keeping.touched) == {KEY}
    keeping.settle()
    assert keeping.marks(CONFIG, "old") is None


def test_what_cannot_be_read_changes_nothing(holding: Pantry) -> None:
    holding.runs(using("old"), annotations={"detour.dev/template": "nonsense"})
    holding.settle()
    assert holding.marks(CONFIG, "old") == [MARK]


def test_a_mark_that_somebody_takes_away_is_put_on_again(holding: Pantry) -> None:
    holding.api.put(CONFIG, "old")
    holding.cluster.holdings.watches[0]._remove({"metadata": holding.api.stored[CONFIG, "old"]["metadata"]})
    holding.settle()
    assert holding.marks(CONFIG, "old") == [MARK]


def test_a_secret_that_may_not_be_held_is_told_with_the_role_that_allows_it(pantry: Pantry) -> None:
    pantry.api.failing = Refused(403, "Forbidden", "secrets is forbidden")
    pantry.runs(with_secret("key"), waiting=with_secret("new"))
    pantry.settle()
    (told,) = pantry.api.told
    assert "Secret key" in told
    assert "ClusterRole detour-secret-holder" in told


def test_an_api_server_in_trouble_holds_up_no_rollout(pantry: Pantry) -> None:
    pantry.api.failing = ApiError(500, "InternalError", "failed calling webhook")
    pantry.runs(using("old"), waiting=using("new"))
    pantry.settle()
    assert pantry.again == [(KEY, 1.0)]
    pantry.api.failing = None
    pantry.settle()
    assert pantry.marks(CONFIG, "old") == [MARK]


def test_what_cannot_be_let_go_of_is_tried_again_later(holding: Pantry) -> None:
    holding.api.failing = Refused(403, "Forbidden", "configmaps is forbidden")
    holding.runs(using("new"))
    holding.settle()
    assert holding.again == [(KEY, 30.0)]


def test_a_secret_deleted_unnoticed_is_kept_all_the_same(pantry: Pantry) -> None:
    pantry.runs(with_secret("key"), waiting=with_secret("new"))
    pantry.settle()
    pantry.api.prune(SECRET, "key")
    pantry.runs(with_secret("key"))
    pantry.settle()
    assert pantry.again == [(KEY, 1.0)]
    pantry.settle()
    assert pantry.marks(SECRET, "key") == [MARK]
    assert "Secret key was deleted and is kept" in pantry.api.told[0]


def test_the_next_process_finds_held_secrets_where_it_may_look(pantry: Pantry) -> None:
    pantry.runs(with_secret("key"), waiting=with_secret("new"))
    pantry.settle()
    pantry.runs(with_secret("new"))
    pantry.begin()
    pantry.touched.clear()
    pantry.cluster.holdings.find_secrets("shop")
    assert pantry.touched == [KEY]
    pantry.settle()
    assert pantry.marks(SECRET, "key") == []


def test_secrets_are_not_even_asked_for_where_they_may_not_be_listed(pantry: Pantry) -> None:
    pantry.api.granted = False
    pantry.cluster.holdings.find_secrets("shop")
    assert pantry.api.requests == ["may I"]


def test_a_release_that_comes_too_late_is_none(holding: Pantry) -> None:
    holding.api.prune(CONFIG, "old")
    del holding.api.stored[CONFIG, "old"]
    holding.runs(using("new"))
    holding.settle()
    assert holding.again == []


def test_a_conflict_is_looked_at_again(holding: Pantry) -> None:
    holding.api.failing = Conflict(409, "Conflict", "the object has been modified")
    holding.runs(using("new"))
    holding.settle()
    assert holding.again == [(KEY, 1.0)]

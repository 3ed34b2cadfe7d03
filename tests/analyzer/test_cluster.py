"""Which applications a change concerns."""

from typing import Any

import pytest

from analyzer.cluster import Cluster
from analyzer.kube.client import Client
from analyzer.scope import Scope
from webhook import stash

Touched = list[tuple[str, str]]
OWNER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "uid": "1"}


def told(**metadata: Any) -> Touched:
    """Which application is looked at when such an object changes."""
    touched: Touched = []
    changed = {"namespace": "here", "name": "shop-canary", "resourceVersion": "1", **metadata}
    Cluster.follow(Client(None), touched.append, "detour").diverted.learn({"metadata": changed})
    return touched


@pytest.mark.parametrize("owners", [[OWNER], [], None], ids=["owned", "restored", "orphaned"])
def test_an_object_of_a_canary_is_its_primarys_with_and_without_an_owner(owners: list[Any] | None) -> None:
    assert told(labels={stash.CANARY_OF: "shop"}, ownerReferences=owners) == [("here", "shop")]


def test_the_owner_counts_where_the_label_is_shortened() -> None:
    assert told(labels={stash.CANARY_OF: "sho-0123456789"}, ownerReferences=[OWNER]) == [("here", "shop")]


def test_what_does_not_bear_the_label_is_an_application_of_its_own() -> None:
    assert told(labels={}, ownerReferences=[OWNER]) == [("here", "shop-canary")]


def canary(where: str, **reference: str) -> Any:
    """One whose only metric refers to a template."""
    spec = {"targetRef": {"name": "shop"}, "analysis": {"metrics": [{"name": "m", "templateRef": reference}]}}
    return {"metadata": {"namespace": where, "name": "shop", "resourceVersion": "1"}, "spec": spec}


def test_a_metric_template_concerns_those_that_name_it_and_nobody_whose_own_has_the_same_name() -> None:
    touched: Touched = []
    cluster = Cluster.follow(Client(None), touched.append, "detour")
    for each in (
        canary("here", name="rate"),
        canary("there", name="rate"),
        canary("far", name="rate", namespace="here"),
    ):
        cluster.canaries.learn(each)
    touched.clear()
    cluster.templates.learn({"metadata": {"namespace": "here", "name": "rate", "resourceVersion": "1"}})
    assert touched == [("here", "shop"), ("far", "shop")]


def scoped(touched: Touched, *namespaces: str) -> Cluster:
    """An analyzer that looks at these alone, and has heard of the same Deployment's Service everywhere."""
    return Cluster.follow(Client(None), touched.append, "detour", Scope(*namespaces))


def part(namespace: str) -> dict[str, Any]:
    labels = {stash.CANARY_OF: "shop"}
    return {"metadata": {"namespace": namespace, "name": "shop-canary", "resourceVersion": "1", "labels": labels}}


@pytest.mark.parametrize(
    ("named", "looked_at"), [((), ["here", "there"]), (("here",), ["here"]), (("here", "there"), ["here", "there"])]
)
def test_only_the_namespaces_that_the_operator_names_are_looked_at(
    named: tuple[str, ...], looked_at: list[str]
) -> None:
    touched: Touched = []
    cluster = scoped(touched, *named)
    for namespace in ("here", "there"):
        cluster.services.learn(part(namespace))
    assert touched == [(namespace, "shop") for namespace in looked_at]


def test_every_watch_of_what_may_be_acted_on_knows_nothing_of_the_others() -> None:
    cluster = scoped([], "here")
    followed = (cluster.canaries, cluster.diverted, *cluster.holdings.watches)
    assert [watch._admits("there") for watch in followed] == [False] * len(followed)
    assert all(watch._admits("here") for watch in followed)
    assert cluster.ingresses._admits("there"), "a host may be another's"
    assert cluster.targets._admits("there"), "Flagger may run there"


def test_a_deployment_elsewhere_concerns_nobody_unless_it_is_flaggers() -> None:
    touched: Touched = []
    targets = scoped(touched, "here").targets
    metadata = {"namespace": "there", "name": "shop", "resourceVersion": "1", "labels": {stash.POLICY: "canary"}}
    targets.learn({"metadata": metadata})
    assert touched == []
    targets.learn({"metadata": {**metadata, "name": "flagger", "labels": {"app": "flagger"}}})
    assert touched == [("", "flagger")]


def test_that_an_update_waits_where_nobody_looks_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    scope = Scope("here")
    for _ in range(2):
        scope.admits_diverted("there")
    assert caplog.text.count("an update waits in namespace there, which is not looked at") == 1

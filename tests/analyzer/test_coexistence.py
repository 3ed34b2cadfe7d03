"""Flagger in the same cluster: which Canaries are whose."""

from typing import Any

import pytest

from analyzer.cluster import Cluster
from analyzer.coexistence import EVERYWHERE, TAKE, is_flagger, left_by_flagger, missing, scope
from analyzer.flagger import REVIEWS
from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import Resource
from analyzer.policy import canary_by, is_by_policy
from analyzer.spec import parse

Object = dict[str, Any]

KEY = ("shop", "podinfo")
CHART = {"app.kubernetes.io/name": "flagger", "app.kubernetes.io/instance": "flagger"}


def flagger(*args: str, version: int = 1, replicas: int = 1, status: Object | None = None) -> Object:
    """Its Deployment, as its chart makes it."""
    metadata = {"namespace": "flagger-system", "name": "flagger", "labels": CHART, "resourceVersion": str(version)}
    pod = {
        "serviceAccountName": "flagger",
        "containers": [{"name": "flagger", "command": ["./flagger", "-log-level=info"], "args": list(args)}],
    }
    return {"metadata": metadata, "spec": {"replicas": replicas, "template": {"spec": pod}}, "status": status or {}}


def canary(*, marked: bool = False, namespace: str = "shop", version: int = 2, **spec: Any) -> Object:
    """One of podinfo."""
    labels = {TAKE: "true"} if marked else {}
    metadata = {"namespace": namespace, "name": "podinfo", "labels": labels, "resourceVersion": str(version)}
    metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
    target = {"kind": "Deployment", "name": "podinfo"}
    return {"metadata": metadata, "spec": {"targetRef": target, "analysis": {"stepWeight": 10}, **spec}}


class Api(Client):
    """Mock of an API server that has one Deployment, and counts who asks for it."""

    def __init__(self) -> None:
        super().__init__(None)
        self.deployment: Object | None = None
        self.rights: Object = {"system:serviceaccount:flagger-system:flagger": ("", "shop", "test")}
        self.asked = 0

    def get(self, *_: Any) -> Object:
        """That one."""
        self.asked += 1
        if self.deployment is None:
            raise NotFound(404, "NotFound", "gone")
        return self.deployment

    def create(self, resource: Resource, body: Object) -> Object:
        """An access review."""
        assert resource == REVIEWS
        asked = body["spec"]["resourceAttributes"]
        assert (asked["verb"], asked["resource"], asked["subresource"]) == ("update", "canaries", "status")
        return {"status": {"allowed": asked["namespace"] in self.rights.get(body["spec"]["user"], ())}}


class Here:
    """A cluster with Canaries in it, in which a Flagger may come and go."""

    def __init__(self, *canaries: Object) -> None:
        self.api = Api()
        self.touched: list[tuple[str, str]] = []
        self.cluster = Cluster.follow(self.api, self.touched.append, "detour")
        for each in canaries:
            self.cluster.canaries.learn(each)

    def runs(self, deployment: Object) -> "Here":
        """The watch tells of this Deployment, of which it knows the metadata, and the analyzer attends to it."""
        self.touched.clear()
        self.api.deployment = deployment
        self.cluster.targets.learn({"metadata": deployment["metadata"]})
        for key in self.touched[:]:
            self.cluster.flagger.settle(key, self.cluster.targets.all)
        return self

    @property
    def ours(self) -> bool:
        """Whether the Canary is Detour's."""
        return self.cluster.canary_for(KEY) is not None


def test_without_flagger_every_canary_is_detours() -> None:
    assert Here(canary()).ours
    assert Here(canary(suspend=True)).ours


def test_while_flagger_runs_only_what_is_marked_and_suspended_is_detours() -> None:
    assert not Here(canary()).runs(flagger()).ours
    assert not Here(canary(marked=True)).runs(flagger()).ours
    assert not Here(canary(suspend=True)).runs(flagger()).ours
    assert Here(canary(marked=True, suspend=True)).runs(flagger()).ours
    assert not Here(canary(marked=True, suspend=True, revertOnDeletion=True)).runs(flagger()).ours


def test_a_flagger_that_looks_at_one_namespace_has_no_other() -> None:
    assert Here(canary()).runs(flagger("-namespace=test")).ours
    assert not Here(canary()).runs(flagger("-namespace=shop")).ours


def test_its_canary_is_detours_again_once_flagger_is_scaled_away_and_its_last_pod_gone() -> None:
    here = Here(canary()).runs(flagger())
    assert not here.runs(flagger(version=2, replicas=0, status={"replicas": 1})).ours
    assert here.runs(flagger(version=3, replicas=0)).ours
    assert KEY in here.touched, "it is looked at anew"


def test_flaggers_label_counts_for_nothing_without_flaggers_rights() -> None:
    tenants = flagger()
    tenants["metadata"]["namespace"] = "tenant"
    assert Here(canary()).runs(tenants).ours


def test_whoever_may_act_in_one_namespace_speaks_for_no_other() -> None:
    def here() -> Here:
        found = Here(canary())
        found.api.rights = {"system:serviceaccount:flagger-system:flagger": ("test",)}
        return found

    assert here().runs(flagger()).ours
    assert here().runs(flagger("-namespace=shop")).ours
    assert here().runs(flagger("-namespace=test")).ours
    assert not Here(canary(namespace="test")).runs(flagger("-namespace=test")).cluster.canary_for(("test", "podinfo"))


def test_a_deployment_of_flaggers_is_asked_for_once_a_change() -> None:
    here = Here(canary()).runs(flagger())
    here.cluster.flagger.look(here.cluster.targets.all())
    assert here.api.asked == 1
    assert here.runs(flagger(version=2)).api.asked == 2


def test_a_flagger_that_was_deleted_sees_nothing() -> None:
    here = Here(canary()).runs(flagger())
    here.cluster.flagger.look([])
    assert here.ours


@pytest.mark.parametrize(
    ("labels", "known"),
    [
        (CHART, True),
        ({"app": "flagger"}, True),
        ({"app": "flagger-loadtester"}, False),
        ({"app.kubernetes.io/name": "loadtester"}, False),
        (None, False),
    ],
)
def test_flagger_is_known_by_the_labels_of_its_chart_and_of_its_kustomization(
    labels: dict[str, str] | None, known: bool
) -> None:
    assert is_flagger({"metadata": {"labels": labels}}) is known


@pytest.mark.parametrize(
    ("args", "seen"),
    [
        ((), EVERYWHERE),
        (("-namespace=test",), "test"),
        (("--namespace=test",), "test"),
        (("-namespace", "test"), "test"),
        (("-namespace=",), EVERYWHERE),
        (("-leader-election-namespace=kube-system",), EVERYWHERE),
    ],
)
def test_what_flagger_sees_is_in_its_arguments(args: tuple[str, ...], seen: str) -> None:
    assert scope(flagger(*args)) == seen


def test_a_flagger_without_any_arguments_sees_everything() -> None:
    bare = flagger()
    bare["spec"]["template"]["spec"]["containers"] = [{"name": "flagger"}]
    assert scope(bare) == EVERYWHERE


def test_suspend_of_a_marked_canary_is_addressed_to_flagger() -> None:
    assert not parse(canary(marked=True, suspend=True)).suspend
    assert parse(canary(suspend=True)).suspend


def test_who_marks_a_canary_that_flagger_acts_on_is_told_what_it_lacks() -> None:
    assert "set spec.suspend: true" in missing(canary(marked=True))
    assert "take spec.revertOnDeletion out" in missing(canary(marked=True, suspend=True, revertOnDeletion=True))
    assert missing(canary()) == missing(canary(marked=True, suspend=True)) == ""


def test_the_canary_that_a_policy_gives_is_born_such_that_flagger_leaves_it_alone() -> None:
    policy = {"metadata": {"name": "default"}, "spec": {"analysis": {"stepWeight": 10}}}
    deployment = {"metadata": {"name": "podinfo", "namespace": "shop", "uid": "1"}}
    given = canary_by(policy, deployment, beside_flagger=True)
    assert left_by_flagger(given)
    assert given["metadata"]["labels"][TAKE] == "true"
    assert is_by_policy(given)
    assert not parse(given).suspend

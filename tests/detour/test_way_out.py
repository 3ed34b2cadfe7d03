"""Which pods of canaries have to leave the Services of their primaries before they may go."""

from typing import Any, cast

from analyzer.kube.resources import DEPLOYMENTS, PODS, Resource
from analyzer.members import JOINS
from detour.installation import Installation
from detour.way_out import joined
from webhook.stash import CANARY_OF

Object = dict[str, Any]
OWN = {"app": "web-canary", CANARY_OF: "web"}


class Cluster:
    """What of canaries there is in it."""

    def __init__(self, *pods: Object, joins: bool = True) -> None:
        metadata = {"name": "web-canary", "namespace": "shop", "annotations": {JOINS: "true"} if joins else {}}
        self._found = {DEPLOYMENTS: [{"metadata": metadata, "spec": {"template": {"metadata": {"labels": OWN}}}}]}
        self._found[PODS] = list(pods)

    def made(self, *resources: Resource) -> list[tuple[Resource, Object]]:
        return [(resource, found) for resource in resources for found in self._found[resource]]


def pod(
    name: str, namespace: str = "shop", *, of: str = "web", ending: bool = False, app: str = "web-canary"
) -> Object:
    time = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if ending else {}
    labels = {**OWN, "app": app, "hash": "1", CANARY_OF: of}
    return {"metadata": {"name": name, "namespace": namespace, "labels": labels, **time}}


def leaving(cluster: Cluster) -> list[tuple[str, Object]]:
    found = joined(cast("Installation", cluster))
    return [(pod["metadata"]["name"], dict(labels)) for pod, labels in found]


def test_a_pod_that_has_joined_gets_the_labels_of_its_own_template_back() -> None:
    assert leaving(Cluster(pod("in", app="web"), pod("out"))) == [("in", {"app": "web-canary"})]


def test_one_that_ends_or_is_of_another_canary_is_left_alone() -> None:
    others = pod("elsewhere", "other", app="web"), pod("anothers", app="web", of="api")
    assert leaving(Cluster(pod("ending", app="web", ending=True), *others)) == []


def test_no_pod_is_changed_where_canaries_have_routes() -> None:
    assert leaving(Cluster(pod("edited", app="web"), joins=False)) == []

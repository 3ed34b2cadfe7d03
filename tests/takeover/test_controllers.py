"""Flagger is found wherever it runs, and whatever it is called there."""

from typing import Any

import pytest

from analyzer.kube.resources import DEPLOYMENTS, PODS
from detour.takeover.controllers import controllers, looking_at
from tests.takeover.world import Object, World


def running(pods: bool = True, labels: Object | None = None, **container: Any) -> World:
    """One Deployment, and its pod."""
    world = World()
    template = {"metadata": {"labels": {"x": "y"}}, "spec": {"containers": [{"name": "c", **container}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"x": "y"}}, "template": template}
    world.add(DEPLOYMENTS, {"metadata": {"name": "delivery", "labels": labels or {}}, "spec": spec})
    if pods:
        world.add(PODS, {"metadata": {"name": "delivery-1"}})
    return world


@pytest.mark.parametrize(
    "what",
    [
        {"image": "ghcr.io/fluxcd/flagger:1.44.0"},
        {"image": "registry:5000/mirror/flagger@sha256:0af3"},
        {"image": "own", "command": ["/home/flagger/flagger", "-mesh-provider=nginx"]},
        {"image": "own", "labels": {"app.kubernetes.io/name": "flagger"}},
    ],
)
def test_it_is_known_by_its_image_its_program_or_its_label(what: Object) -> None:
    assert looking_at(controllers(running(**what)), "anywhere") == ("Deployment shop/delivery",)


@pytest.mark.parametrize("image", ["ghcr.io/fluxcd/flagger-loadtester:0.38.0", "podinfo", "flagger/podinfo:6"])
def test_others_are_not_taken_for_it(image: str) -> None:
    assert controllers(running(image=image)) == {}


def test_without_pods_it_does_not_run() -> None:
    assert controllers(running(pods=False, image="flagger")) == {}


def test_it_may_look_at_one_namespace_only() -> None:
    found = controllers(running(image="flagger", args=["-namespace=shop"]))
    assert looking_at(found, "shop")
    assert not looking_at(found, "other")

"""A kind that the cluster may not have, and may come to have."""

import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.optional import OptionalWatch
from analyzer.kube.resources import DEFINITIONS, HTTP_ROUTES, Resource
from tests.cluster.kubectl import eventually

Object = dict[str, Any]

DEFINITION = {"metadata": {"name": "httproutes.gateway.networking.k8s.io", "resourceVersion": "7"}}


class Server(Client):
    """Knows of HTTPRoutes while it has their definition; a watch of it lasts, and tells what is put into `news`."""

    def __init__(self, *, has_kind: bool, has_version: bool = True) -> None:
        self.has_kind = has_kind
        self.has_version = has_version
        self.news: queue.Queue[tuple[str, Object]] = queue.Queue()
        self.asked_for_routes = 0

    def list_for_watch(self, resource: Resource, query: Mapping[str, str], accept: str = "") -> Object:
        if resource == DEFINITIONS:
            assert query == {"fieldSelector": "metadata.name=httproutes.gateway.networking.k8s.io"}
            return {"metadata": {"resourceVersion": "5"}, "items": [DEFINITION] if self.has_kind else []}
        self.asked_for_routes += 1
        if not (self.has_kind and self.has_version):
            raise NotFound(404, "NotFound", "the server could not find the requested resource")
        route = {"metadata": {"namespace": "shop", "name": "web", "resourceVersion": "6"}}
        return {"metadata": {"resourceVersion": "6"}, "items": [route]}

    def watch(self, resource: Resource, query: Mapping[str, str], seconds: int, accept: str = "") -> Iterator[Object]:
        if resource != DEFINITIONS:
            threading.Event().wait()  # one that ended would be begun again and again, beside all the tests to come
        while True:
            kind, found = self.news.get()
            yield {"type": kind, "object": found}


def following(server: Server) -> tuple[OptionalWatch, list[str]]:
    told: list[str] = []
    watch = OptionalWatch(server, HTTP_ROUTES, lambda found: told.append(found["metadata"]["name"]))
    watch.start()
    eventually(lambda: watch.synced, "it is known what there is", 5)
    return watch, told


def test_a_cluster_without_the_kind_is_not_asked_for_it() -> None:
    server = Server(has_kind=False)
    watch, told = following(server)
    assert (watch.all(), watch.in_namespace("shop"), watch.get("shop", "web"), told) == ((), (), None, [])
    assert not watch.is_known
    assert server.asked_for_routes == 0


def test_a_kind_without_the_version_that_is_asked_for_keeps_nobody_waiting() -> None:
    server = Server(has_kind=True, has_version=False)
    watch, _ = following(server)
    assert watch.all() == ()
    server.has_version = True
    eventually(watch.all, "it is followed once it is served", 10)


def test_where_the_kind_is_there_its_objects_are_followed() -> None:
    watch, told = following(Server(has_kind=True))
    assert watch.get("shop", "web")
    assert told == ["web"]


def test_a_kind_that_comes_later_is_noticed_and_one_that_goes_is_forgotten() -> None:
    server = Server(has_kind=False)
    watch, told = following(server)
    server.has_kind = True
    server.news.put(("ADDED", DEFINITION))
    eventually(lambda: watch.synced and bool(watch.all()), "it is followed", 5)
    assert told == ["web"]
    server.has_kind = False
    server.news.put(("DELETED", {"metadata": {**DEFINITION["metadata"], "resourceVersion": "9"}}))
    eventually(lambda: not watch.is_known, "it is forgotten", 5)
    assert (watch.synced, watch.all()) == (True, ())

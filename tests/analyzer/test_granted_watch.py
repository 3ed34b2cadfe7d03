"""A kind that may be watched only in the namespaces whose owners grant it."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from analyzer.kube import granted
from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Refused, Unreachable
from analyzer.kube.granted import GrantedWatch
from analyzer.kube.resources import ACCESS_REVIEWS, SECRETS, Resource
from tests.cluster.kubectl import eventually

Object = dict[str, Any]

LABEL = "detour.dev/revision"


class Server(Client):
    """Has a Secret in each namespace, and knows where they may be watched. A watch of it tells what is in `news`."""

    def __init__(self, *grants: str) -> None:
        self.grants = {*grants}
        self.asked: list[str] = []
        self.listed: list[str] = []
        self.news: queue.Queue[Object | ApiError | None] = queue.Queue()

    def create(self, resource: Resource, body: Object) -> Object:
        assert resource == ACCESS_REVIEWS
        attributes = body["spec"]["resourceAttributes"]
        assert (attributes["verb"], attributes["group"], attributes["resource"]) == ("watch", "", "secrets")
        self.asked.append(attributes["namespace"])
        return {"status": {"allowed": attributes["namespace"] in self.grants}}

    def list_for_watch(self, resource: Resource, query: Mapping[str, str], accept: str = "") -> Object:
        namespace = resource.path().split("/")[-2]
        self.listed.append(namespace)
        assert query == {"labelSelector": LABEL}
        if namespace not in self.grants:
            raise Refused(403, "Forbidden", "secrets is forbidden")
        return {"metadata": {"resourceVersion": "6"}, "items": [secret(namespace, "key", 6)]}

    def watch(self, resource: Resource, query: Mapping[str, str], seconds: int, accept: str = "") -> Iterator[Object]:
        while found := self.news.get():
            if isinstance(found, ApiError):
                raise found
            yield {"type": "MODIFIED", "object": found}
        threading.Event().wait()


def secret(namespace: str, name: str, version: int) -> Object:
    return {"metadata": {"namespace": namespace, "name": name, "resourceVersion": str(version)}}


Following = Callable[..., tuple[GrantedWatch, list[str]]]


@pytest.fixture
def following() -> Iterator[Following]:
    """Nothing is begun twice, or goes on beside the tests to come."""
    begun: list[GrantedWatch] = []

    def follow(server: Server) -> tuple[GrantedWatch, list[str]]:
        told: list[str] = []
        watch = GrantedWatch(server, SECRETS, lambda found: told.append(found["metadata"]["name"]), selector=LABEL)
        watch.start()
        begun.append(watch)
        return watch, told

    yield follow
    for each in begun:
        each.stop()


def test_at_rest_nothing_is_asked_and_nobody_waits(following: Following) -> None:
    server = Server("shop")
    watch, told = following(server)
    assert (watch.synced, watch.all(), watch.in_namespace("shop"), watch.get("shop", "key"), told) == (
        True,
        (),
        (),
        None,
        [],
    )
    watch.learn(secret("shop", "key", 7))
    assert (server.asked, server.listed, watch.all()) == ([], [], ())


def test_a_namespace_is_followed_once_it_is_needed_and_no_other(following: Following) -> None:
    server = Server("shop", "bank")
    watch, told = following(server)
    assert watch.follow("shop")
    assert watch.get("shop", "key")
    assert watch.all() == watch.in_namespace("shop")
    assert (watch.in_namespace("bank"), told, server.listed) == ((), ["key"], ["shop"])


def test_what_is_followed_is_not_asked_for_again(following: Following) -> None:
    server = Server("shop")
    watch, _ = following(server)
    assert [watch.follow("shop") for _ in range(3)] == [True] * 3
    assert (server.asked, server.listed) == (["shop"], ["shop"])


def test_a_change_is_told_and_so_is_what_we_have_written_ourselves(following: Following) -> None:
    server = Server("shop")
    watch, told = following(server)
    watch.follow("shop")
    server.news.put(secret("shop", "other", 8))
    eventually(lambda: watch.get("shop", "other"), "it is heard of", 5)
    watch.learn(secret("shop", "third", 9))
    assert watch.get("shop", "third")
    eventually(lambda: told == ["key", "other", "third"], "each is told", 5, lambda: told)


def test_where_it_is_not_granted_nothing_is_listed(following: Following) -> None:
    server = Server()
    watch, _ = following(server)
    assert not watch.follow("shop")
    assert not watch.follows("shop")
    assert not watch.follow("shop")
    assert (server.asked, server.listed) == (["shop"], [])


def test_what_is_granted_later_is_followed_when_it_is_needed_again(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    watch, _ = following(server)
    assert not watch.follow("shop")
    server.grants.add("shop")
    monkeypatch.setattr(granted, "AGAIN", 0)
    assert watch.follow("shop")
    assert watch.follows("shop")


def test_two_who_need_it_at_once_begin_one_watch(following: Following) -> None:
    server = Server("shop")
    watch, _ = following(server)
    both = [threading.Thread(target=watch.follow, args=("shop",)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert (watch.follows("shop"), server.listed) == (True, ["shop"])


def test_a_server_that_cannot_say_is_no_refusal(following: Following) -> None:
    class Away(Server):
        def create(self, resource: Resource, body: Object) -> Object:
            raise Unreachable("nobody answers")

    watch, _ = following(Away("shop"))
    with pytest.raises(Unreachable):
        watch.follow("shop")
    assert not watch.follows("shop")


def test_a_right_that_is_taken_away_ends_it_with_a_word(
    following: Following, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("shop")
    watch, told = following(server)
    watch.follow("shop")
    monkeypatch.setattr(granted, "LONGEST_GAP", 0)
    server.grants.clear()
    with caplog.at_level(logging.WARNING):
        server.news.put(Refused(403, "Forbidden", "secrets is forbidden"))
        eventually(lambda: told == ["key", "key"], "whoever used it is looked at", 5, lambda: told)
    assert (watch.follows("shop"), watch.all()) == (False, ())
    assert "the secrets of namespace shop may no longer be watched" in caplog.text


def test_a_server_that_has_just_come_up_may_refuse_for_a_moment(following: Following) -> None:
    server = Server("shop")
    watch, _ = following(server)
    watch.follow("shop")
    server.news.put(Refused(403, "Forbidden", "clusterrole.rbac.authorization.k8s.io not found"))
    server.news.put(secret("shop", "other", 8))
    eventually(lambda: watch.get("shop", "other"), "it goes on", 5)
    assert watch.follows("shop")
    assert watch.get("shop", "key")

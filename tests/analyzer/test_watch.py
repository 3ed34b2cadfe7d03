"""The cache that follows a kind of object, against a scripted API server: what it holds, and what it tells."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from analyzer.kube.client import Client
from analyzer.kube.errors import Expired, Unreachable
from analyzer.kube.resources import SERVICES
from analyzer.kube.watch import Watch
from tests.cluster.kubectl import eventually

Object = dict[str, Any]


def service(name: str, version: int) -> Object:
    return {"metadata": {"namespace": "shop", "name": name, "resourceVersion": str(version), "managedFields": [{}]}}


def event(kind: str, found: Object) -> Object:
    return {"type": kind, "object": {"apiVersion": "v1", "kind": "Service", **found}}


class Script(Client):
    """Stands in for the API server: lists and watches in turn; at the end it can no longer be reached."""

    def __init__(self, lists: list[list[Object]], watches: list[list[Object] | Exception]) -> None:
        self.lists, self.watches = lists, watches
        self.watched_from: list[str] = []
        self.at = 10**6  # the version that the server has come to

    def list_for_watch(self, _: object, query: Mapping[str, str], *__: Any) -> Object:
        if "limit" in query:
            return {"metadata": {"resourceVersion": str(self.at)}, "items": []}
        if not self.lists:
            raise Unreachable("the script is over")
        items = self.lists.pop(0)
        latest = max((int(item["metadata"]["resourceVersion"]) for item in items), default=1)
        return {"metadata": {"resourceVersion": str(latest)}, "items": items}

    def watch(self, resource: object, query: Mapping[str, str], seconds: int, accept: str = "") -> Iterator[Object]:
        self.watched_from.append(query["resourceVersion"])
        found = self.watches.pop(0) if self.watches else Unreachable("the script is over")
        if isinstance(found, Exception):
            raise found  # at once, as where the server does not take the request
        return iter(found)


def followed(script: Script) -> tuple[Watch, list[str]]:
    told: list[str] = []
    watch = Watch(script, SERVICES, lambda found: told.append(found["metadata"]["name"]))
    watch.start()
    eventually(lambda: not script.lists and not script.watches, "the script is played", 5)
    watch.stop()
    return watch, told


def test_of_a_namespace_that_is_not_admitted_nothing_is_kept_or_told() -> None:
    told = list[Object]()
    script = Script([[service("a", 5)]], [[event("ADDED", service("b", 6)), event("DELETED", service("a", 7))]])
    watch = Watch(script, SERVICES, told.append, admits=lambda namespace: namespace != "shop")
    watch.start()
    eventually(lambda: not script.lists and not script.watches, "the script is played", 5)
    watch.stop()
    assert (watch.synced, watch.all(), told) == (True, (), [])


def test_what_is_listed_has_its_kind_like_what_is_watched() -> None:
    watch, told = followed(Script([[service("a", 5)]], []))
    found = watch.get("shop", "a")
    assert found
    assert (found["apiVersion"], found["kind"]) == ("v1", "Service")
    assert "managedFields" not in found["metadata"]
    assert told == ["a"]


def test_changes_are_told_and_what_is_deleted_is_forgotten() -> None:
    changes = [event("ADDED", service("b", 6)), event("MODIFIED", service("a", 7)), event("DELETED", service("b", 8))]
    watch, told = followed(Script([[service("a", 5)]], [changes]))
    assert told[:6] == ["a", "b", "a", "a", "b", "b"]
    assert [found["metadata"]["name"] for found in watch.all()] == ["a"]


def test_after_a_gap_only_what_changed_in_it_is_told() -> None:
    lists = [[service("a", 5), service("b", 6)], [service("a", 5), service("c", 9)]]
    _, told = followed(Script(lists, [Expired(410, "Expired", "too old")]))
    assert (sorted(told[:2]), sorted(told[2:])) == (["a", "b"], ["b", "c"])


def test_a_connection_that_broke_is_taken_up_where_it_broke_and_nothing_is_listed_again() -> None:
    lists = [[service("a", 5)], [service("never", 6)]]
    script = Script(lists, [[event("ADDED", service("b", 8))], Unreachable("cut"), [event("ADDED", service("c", 9))]])
    watch = Watch(script, SERVICES, lambda _: None)
    watch.start()
    eventually(lambda: len(script.watched_from) > 3, "the script is played", 5)
    watch.stop()
    assert script.watched_from[:4] == ["5", "8", "8", "9"]
    assert [found["metadata"]["name"] for found in watch.all()] == ["a", "b", "c"]


def test_after_a_silence_that_is_too_long_everything_is_listed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analyzer.kube.watch.LONGEST_GAP", 0.0)
    watch, _ = followed(Script([[service("a", 5)], [service("b", 9)]], [Unreachable("nothing was said")]))
    assert [found["metadata"]["name"] for found in watch.all()] == ["b"]


def test_a_cluster_that_was_restored_from_a_backup_is_believed() -> None:
    lists = [[service("a", 50), service("b", 60)], [service("a", 20)]]
    watch, told = followed(Script(lists, [Expired(410, "Expired", "too old")]))
    assert [found["metadata"]["resourceVersion"] for found in watch.all()] == ["20"]
    assert sorted(told[2:]) == ["a", "a", "b"]


def test_an_object_that_cannot_be_told_keeps_no_other_back() -> None:
    told: list[str] = []

    def tell(found: Object) -> None:
        if found["metadata"]["name"] == "odd":
            raise KeyError("spec")
        told.append(found["metadata"]["name"])

    others = [service(name, 5) for name in "abcdef"]
    changes = [event("MODIFIED", service("odd", 6)), event("ADDED", service("g", 7))]
    watch = Watch(Script([[service("odd", 4), *others]], [changes]), SERVICES, tell)
    watch.start()
    eventually(lambda: "g" in told, "the script is played", 5)
    watch.stop()
    assert sorted(told) == list("abcdefg")


def test_what_an_object_was_is_told_too_since_it_may_have_concerned_another_application() -> None:
    def aimed(version: int, at: str) -> Object:
        return {**service("a", version), "spec": {"targetRef": {"name": at}}}

    told: list[str] = []
    script = Script([[aimed(5, "old")]], [[event("MODIFIED", aimed(6, "new"))]])
    watch = Watch(script, SERVICES, lambda found: told.append(found["spec"]["targetRef"]["name"]))
    watch.start()
    eventually(lambda: len(told) >= 3, "the change is told", 5)
    watch.stop()
    assert told == ["old", "old", "new"]


def test_an_answer_that_the_watch_has_got_past_is_not_learned() -> None:
    watch, _ = followed(Script([[service("a", 5)]], [[event("DELETED", service("a", 9))]]))
    watch.learn({"kind": "Service", **service("a", 7)})
    assert watch.get("shop", "a") is None
    watch.learn({"kind": "Service", **service("a", 12)})
    assert watch.get("shop", "a")


def test_what_we_have_just_written_is_not_forgotten_for_a_list_that_is_older() -> None:
    class Slow(Script):
        def list_for_watch(self, *arguments: Any, **options: Any) -> Object:
            answer = super().list_for_watch(*arguments, **options)
            watch.learn({"kind": "Service", **service("mine", 9)})
            return answer

    script = Slow([[service("a", 5)]], [])
    watch = Watch(script, SERVICES, lambda _: None)
    watch.start()
    eventually(lambda: not script.lists and watch.synced, "the list is read", 5)
    watch.stop()
    assert watch.get("shop", "mine")


def test_what_was_deleted_and_made_anew_is_there_though_the_news_of_its_end_comes_late() -> None:
    class Late(Script):
        def watch(self, *arguments: Any, **options: Any) -> Iterator[Object]:
            watch.learn({"kind": "Service", **service("a", 9)})
            return super().watch(*arguments, **options)

    script = Late([[service("a", 5)]], [[event("DELETED", service("a", 8))]])
    watch = Watch(script, SERVICES, lambda _: None)
    watch.start()
    eventually(lambda: not script.watches, "the script is played", 5)
    watch.stop()
    assert watch.get("shop", "a")


def test_a_server_that_finds_every_version_too_old_is_not_asked_without_a_pause() -> None:
    lists = [[service("a", number)] for number in range(1, 50)]
    script = Script(list(lists), [Expired(410, "Expired", "too old") for _ in lists])
    watch = Watch(script, SERVICES, lambda _: None)
    watch.start()
    eventually(lambda: len(script.lists) < len(lists), "it begins", 5)
    threading.Event().wait(0.3)
    watch.stop()
    assert len(script.lists) > len(lists) - 5


def test_what_is_in_a_namespace_follows_lists_and_events() -> None:
    there = {**service("d", 7), "metadata": service("d", 7)["metadata"] | {"namespace": "there"}}
    script = Script(
        [[service("a", 4), service("b", 5)], [service("c", 9), service("e", 10)]],
        [[event("ADDED", there), event("DELETED", service("b", 8))], Expired(410, "Gone", "too old")],
    )
    watch = Watch(script, SERVICES, lambda _: None)
    seen = []
    for _ in range(2):
        with suppress(Expired):
            watch._list()
            watch._follow()
        seen.append([[found["metadata"]["name"] for found in watch.in_namespace(name)] for name in ("shop", "there")])
    assert seen == [[["a"], ["d"]], [["c", "e"], []]]
    assert [found["metadata"]["name"] for found in watch.all()] == ["c", "e"]


def test_a_server_that_comes_back_with_a_backup_is_asked_for_everything() -> None:
    script = Script([[service("a", 90)], [service("b", 40)]], [Unreachable("away"), []])
    script.at = 40
    watch, _ = followed(script)
    assert [found["metadata"]["name"] for found in watch.all()] == ["b"]
    assert script.watched_from[:2] == ["90", "40"]

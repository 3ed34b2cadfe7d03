"""A cache that follows a kind of object: one list, then one long request, nothing per application.

The store is read by the workers without asking the API server; every change is told to a callback, once with the
object as it was and once as it is now.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from analyzer.kube.client import JSON, METADATA, METADATA_LIST, Client
from analyzer.kube.errors import ApiError, Expired, Unreachable
from analyzer.kube.resources import Resource

Object = dict[str, Any]
Key = tuple[str, str]
OnChange = Callable[[Object], None]
OnRefused = Callable[[float], None]
Admits = Callable[[str], bool]

SECONDS_PER_WATCH = (1800, 3600)  # between these, so that not all end at once
SHORTEST_WATCH = 1.0
FIRST_BACKOFF, LONGEST_BACKOFF = 0.2, 15.0
LONGEST_GAP = 150.0  # after which everything is listed again: the server says something every two minutes at least
LONGEST_ABSENCE = 3.0  # between tries while nobody answers: users wait for us as soon as the API server is back

_CHANCE = random.Random()  # of its own: threads of one test must not take numbers from another's

log = logging.getLogger(__name__)


class Watch:
    """Follows `resource` in all namespaces, in a thread of its own.

    `on_change` gets every object that appeared, changed or went, before and after. With `metadata_only`,
    neither spec nor status crosses the network. Of a namespace that `admits` says no to, nothing is kept or told.
    `on_refused` hears of every refusal, with the seconds since the server last said anything.
    """

    def __init__(
        self,
        client: Client,
        resource: Resource,
        on_change: OnChange,
        *,
        selector: str = "",
        field_selector: str = "",
        metadata_only: bool = False,
        admits: Admits = lambda _namespace: True,
        on_refused: OnRefused = lambda _seconds: None,
    ) -> None:
        self.resource = resource
        self._client = client
        self._on_change = on_change
        self._admits = admits
        self._on_refused = on_refused
        self._query: Mapping[str, str] = {
            key: value for key, value in (("labelSelector", selector), ("fieldSelector", field_selector)) if value
        }
        self._forms = (METADATA_LIST, METADATA) if metadata_only else (JSON, JSON)
        self._store: dict[Key, Object] = {}
        self._namespaces: dict[str, dict[Key, Object]] = {}
        self._past = 0
        self._heard = 0.0
        self._broken = False
        self.refused = False  # the last list was; then nothing is known, and there may be nothing to know
        self._version = ""  # where to go on watching; "" if everything is to be listed first
        self._lock = threading.Lock()
        self._synced = threading.Event()
        self._stop = threading.Event()

    @property
    def synced(self) -> bool:
        """Whether the first list has come in: before that, 'not in the store' means nothing."""
        return self._synced.is_set()

    def get(self, namespace: str, name: str) -> Object | None:
        """The object as last heard of. It is shared: never change it."""
        with self._lock:
            return self._store.get((namespace, name))

    def in_namespace(self, namespace: str) -> tuple[Object, ...]:
        """All the objects of a namespace."""
        with self._lock:
            return tuple(self._namespaces.get(namespace, {}).values())

    def all(self) -> tuple[Object, ...]:
        """All objects."""
        with self._lock:
            return tuple(self._store.values())

    def learn(self, found: Object) -> None:
        """Take in an answer to our own write, so that the store is not behind what we have just done.

        What the watch has got past already is not taken: the object may have been deleted since.
        """
        self._put(found, ours=True)

    def start(self) -> None:
        """Begin to follow."""
        threading.Thread(target=self._run, name=f"watch-{self.resource.plural}", daemon=True).start()

    def stop(self) -> None:
        """End after the event at hand."""
        self._stop.set()

    def _run(self) -> None:
        """A connection that broke is taken up where it broke; everything is listed again only if that cannot be."""
        backoff = FIRST_BACKOFF
        while not self._stop.is_set():
            begun, longest, known = time.monotonic(), LONGEST_BACKOFF, False
            try:
                if not self._version or (self._broken and self._is_from_a_backup()):
                    self._list()
                while not self._stop.is_set():
                    self._watched()
            except Expired:
                log.info("the watch of %s is too far behind; listing again", self.resource.plural)
            except Unreachable as error:
                longest, known = LONGEST_ABSENCE, time.monotonic() - self._heard < LONGEST_GAP
                self._broke(error)
            except ApiError as error:
                level = logging.DEBUG if self.refused else logging.WARNING
                log.log(level, "the watch of %s was refused, and is tried again: %s", self.resource.plural, error)
                self.refused = True
                self._on_refused(time.monotonic() - self._heard)
            except Exception:
                log.exception("the watch of %s met what it does not understand", self.resource.plural)
            self._version = self._version if known else ""
            if time.monotonic() - begun > LONGEST_BACKOFF:
                backoff = FIRST_BACKOFF
            backoff = self._pause(min(backoff, longest))

    def _watched(self) -> None:
        begun = time.monotonic()
        self._follow()
        if time.monotonic() - begun < SHORTEST_WATCH:
            raise Unreachable("the API server ended it at once")

    def _broke(self, error: Unreachable) -> None:
        """An API server that is away is told once by each watch, not every few seconds."""
        level = logging.DEBUG if self._broken else logging.WARNING
        log.log(level, "the watch of %s broke off, and is tried again: %s", self.resource.plural, error)
        self._broken = True

    def _goes_on(self) -> None:
        if self._broken:
            log.info("the watch of %s goes on", self.resource.plural)
        self._broken = False

    def _pause(self, backoff: float) -> float:
        self._stop.wait(backoff * _CHANCE.uniform(0.7, 1.3))
        return min(backoff * 2, LONGEST_BACKOFF)

    def _is_from_a_backup(self) -> bool:
        """Whether the server has yet to come to where we are: until then it would tell nothing of what happens."""
        answer = self._client.list_for_watch(self.resource, {**self._query, "limit": "1"}, self._forms[0])
        return int(answer["metadata"]["resourceVersion"]) < int(self._version)

    def _list(self) -> None:
        """Items of a list carry no kind of their own; those of a watch do."""
        answer = self._client.list_for_watch(self.resource, self._query, self._forms[0])
        kind = {"apiVersion": self.resource.api_version, "kind": self.resource.kind}
        listed = {_key(item): _lean(kind | item) for item in answer.get("items") or () if self._admits(_key(item)[0])}
        version = int(answer["metadata"]["resourceVersion"])
        with self._lock:
            before = self._store
            restored = version < self._past  # an older state of etcd, from a backup: what we know never was
            learned = {key: item for key, item in before.items() if _version(item) > version and not restored}
            self._store, self._namespaces = {}, {}
            for key, item in (listed | learned).items():
                self._keep(key, item)
            self._past = version
        self._version, self._heard = str(version), time.monotonic()
        self.refused = False
        self._synced.set()
        for key in before.keys() | listed.keys():
            if _version(before.get(key)) != _version(listed.get(key)):
                self._tell(before.get(key), listed.get(key))

    def _follow(self) -> None:
        query = {**self._query, "resourceVersion": self._version}
        events = self._client.watch(self.resource, query, _CHANCE.randint(*SECONDS_PER_WATCH), self._forms[1])
        self._goes_on()
        for event in events:
            found = event["object"]
            if event["type"] == "ERROR":
                raise Expired(int(found.get("code", 410)), found.get("reason", ""), found.get("message", ""))
            self._version, self._heard = found["metadata"]["resourceVersion"], time.monotonic()
            if event["type"] != "BOOKMARK" and self._admits(_key(found)[0]):
                self._remove(found) if event["type"] == "DELETED" else self._put(found)
            if self._stop.is_set():
                break

    def _put(self, found: Object, *, ours: bool = False) -> None:
        key = _key(found)
        with self._lock:
            stored = self._store.get(key)
            if _version(stored) >= _version(found) or (ours and self._past >= _version(found)):
                return
            self._keep(key, _lean(found))
            self._past = self._past if ours else _version(found)
        self._tell(stored, found)

    def _keep(self, key: Key, found: Object) -> None:
        self._store[key] = found
        self._namespaces.setdefault(key[0], {})[key] = found

    def _remove(self, found: Object) -> None:
        key = _key(found)
        with self._lock:
            stored = self._store.get(key)
            if stored and _version(stored) <= _version(found):  # or it is there again, as we have learned already
                del self._store[key], self._namespaces[key[0]][key]
            self._past = _version(found)
        self._tell(stored, found)

    def _tell(self, before: Object | None, after: Object | None) -> None:
        """What it was and what it is may concern different applications. An object that is odd keeps no other back."""
        for found in (before, after):
            try:
                if found is not None:
                    self._on_change(found)
            except Exception:
                log.exception("a change of %s %s could not be told", self.resource.plural, _key(found or {}))


def _key(found: Object) -> Key:
    return found["metadata"].get("namespace", ""), found["metadata"]["name"]


def _version(found: Object | None) -> int:
    return int(found["metadata"].get("resourceVersion") or 0) if found else 0


def _lean(found: Object) -> Object:
    found["metadata"].pop("managedFields", None)
    return found

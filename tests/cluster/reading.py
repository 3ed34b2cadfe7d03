"""Reads what `kubectl get -o json` reads, over one kept connection.

A test that waits looks a hundred times, and kubectl costs a tenth of a second of the processor each time. What users
type goes through the real program; what they do not, such as making a test's namespace, may go over this connection.
"""

import argparse
import base64
import functools
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3

Object = dict[str, Any]

AS_LISTS = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
DEADLINE = 60.0
"""Seconds for any one answer."""


_PARSING = threading.Lock()
"""The parser changes itself while it parses intermixed arguments."""


class Absent(Exception):
    """There is no such object; the message is the API server's."""


def credentials(kubeconfig: Path) -> tuple[str, str, str]:
    """The server's address, its authority's certificate as PEM, and the user's token."""
    config = json.loads(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    return cluster["server"], base64.b64decode(cluster["certificate-authority-data"]).decode(), user["token"]


class Reader:
    """One kubeconfig's user. Every thread has a connection of its own."""

    def __init__(self, kubeconfig: Path) -> None:
        self._server, authority, self._token = credentials(kubeconfig)
        self._pool = urllib3.PoolManager(ca_cert_data=authority, timeout=DEADLINE, retries=3)

    def get(self, *arguments: str) -> Object:
        """What kubectl would print as JSON. Raises Absent, and AssertionError for any other refusal."""
        with _PARSING:
            asked = _arguments().parse_intermixed_args(arguments)
        kinds, _, name = asked.kind.partition("/")
        name = asked.name or name
        found = [self._read(kind, name, asked) for kind in kinds.split(",")]
        if name:
            return found[0]
        return {"apiVersion": "v1", "kind": "List", "items": [item for one in found for item in one["items"]]}

    def _read(self, kind: str, name: str, asked: argparse.Namespace) -> Object:
        resource = self._resource(kind.lower())
        wide = asked.all_namespaces or not resource["namespaced"]
        path = (
            resource["path"] + ("" if wide else f"/namespaces/{asked.namespace or 'default'}") + f"/{resource['name']}"
        )
        query = {"labelSelector": asked.selector, "fieldSelector": asked.field_selector}
        given = urlencode({key: value for key, value in query.items() if value})
        found = self._ask(f"{path}/{name}" if name else f"{path}?{given}")
        for item in found["items"] if not name else ():
            item |= {"apiVersion": resource["version"], "kind": resource["kind"]}
        for item in [found] if name else found["items"]:
            if not asked.show_managed_fields:
                item["metadata"].pop("managedFields", None)
        return found

    def send(self, method: str, path: str, body: Object | None = None) -> Object:
        """The answer of the API server. Raises Absent, and AssertionError for any other refusal."""
        return self._ask(path, method=method, json=body)

    def _ask(self, path: str, accept: str = "application/json", method: str = "GET", **content: Any) -> Object:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": accept}
        answer = self._pool.request(method, self._server + path, headers=headers, **content)
        body: Object = json.loads(answer.data)
        if answer.status == 404:
            raise Absent(f"Error from server (NotFound): {body['message']}")
        assert answer.status < 300, f"{method} {path}: {answer.status} {body}"
        return body

    def _resource(self, kind: str) -> Object:
        """A kind that is not known yet may have come since."""
        if kind not in self._resources():
            Reader._resources.cache_clear()
        return self._resources()[kind]

    @functools.lru_cache(maxsize=1)  # noqa: B019 - there are as many readers as kubeconfigs
    def _resources(self) -> dict[str, Object]:
        """Every name that a kind goes by, as kubectl knows it from discovery; the first group that has it wins."""
        found: dict[str, Object] = {}
        for root in ("/api", "/apis"):
            for group in self._ask(root, AS_LISTS)["items"]:
                for name, resource in _names(group):
                    found.setdefault(name, resource)
        return found


def _names(group: Object) -> Iterator[tuple[str, Object]]:
    group_name, version = group["metadata"].get("name", ""), group["versions"][0]
    whole = f"{group_name}/{version['version']}" if group_name else version["version"]
    for listed in version["resources"]:
        resource = {
            "name": listed["resource"],
            "kind": listed["responseKind"]["kind"],
            "namespaced": listed["scope"] == "Namespaced",
            "version": whole,
            "path": f"/apis/{whole}" if group_name else f"/api/{whole}",
        }
        for name in (listed["resource"], listed["singularResource"], *listed.get("shortNames", ())):
            yield name, resource
            yield f"{name}.{group_name}", resource


@functools.cache
def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("kubectl get", allow_abbrev=False)
    parser.add_argument("-n", "--namespace")
    parser.add_argument("-A", "--all-namespaces", action="store_true")
    parser.add_argument("-l", "--selector")
    parser.add_argument("--field-selector")
    parser.add_argument("--show-managed-fields", action="store_true")
    parser.add_argument("kind")
    parser.add_argument("name", nargs="?")
    return parser

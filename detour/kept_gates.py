"""The load tester's gates in a ConfigMap: `gate.podinfo.test: open`. Nothing of them is remembered here.

Each check asks the API server, which only a rollout that waits causes. So gates outlive the pod and its node, two pods
of a rolling update agree, and whoever may write the ConfigMap can open a gate without the load tester.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, NotFound, Unreachable
from analyzer.kube.resources import CONFIG_MAPS
from loadtester.errors import Away

OPEN = "open"


class KeptGates:
    """Gates, as `loadtester.gates` has them."""

    def __init__(self, client: Client, namespace: str, name: str) -> None:
        self._client, self._place = client, (CONFIG_MAPS, namespace, name)

    def is_open(self, name: str) -> bool:
        """Whether it says so, and nothing else."""
        with self._asked():
            data = self._client.get(*self._place).get("data") or {}
        return bool(data.get(name) == OPEN)

    def open(self, name: str) -> None:
        """Write it down."""
        self._write(name, OPEN)

    def close(self, name: str) -> None:
        """Take it out."""
        self._write(name, None)

    def _write(self, name: str, value: str | None) -> None:
        with self._asked():
            self._client.merge(*self._place, {"data": {name: value}})

    @contextmanager
    def _asked(self) -> Iterator[None]:
        where = f"the ConfigMap {self._place[1]}/{self._place[2]}, where gates are kept,"
        try:
            yield
        except NotFound as error:
            raise Away(f"{where} is not there: install the load tester's manifests again") from error
        except ApiError as error:
            raise Away(f"{where} cannot be used: {error.message}") from error
        except Unreachable as error:
            raise Away(f"{where} cannot be reached: the API server does not answer; come again") from error

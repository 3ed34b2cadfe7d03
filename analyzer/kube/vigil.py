"""How a replica waits for the lease: it is told of every renewal, and asks only when it hears of none."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from analyzer.kube.client import Client
from analyzer.kube.resources import LEASES
from analyzer.kube.watch import Watch

Object = dict[str, Any]


class Vigil:
    """Follows one Lease. `is_free` is given each state of it, in the thread that waits.

    A holder renews its lease far more often than every `silence` seconds: when nothing is heard for longer, either the
    holder is dead or the watch is, and `wait` keeps nobody from asking.
    """

    def __init__(
        self, client: Client, namespace: str, name: str, is_free: Callable[[Object], bool], silence: float
    ) -> None:
        only = f"metadata.name={name}"
        self._watch = Watch(client, LEASES.within(namespace), self._tell, field_selector=only)
        self._key, self._is_free, self._silence = (namespace, name), is_free, silence
        self._changed = threading.Event()
        self._begun, self._heard = False, -math.inf

    def wait(self) -> None:
        """Return when the lease is worth asking for: it is free or deleted, or nothing has been heard of it."""
        if not self._begun:
            self._begun = True
            self._watch.start()
        while self._changed.wait(max(0.0, self._heard + self._silence - time.monotonic())):
            self._changed.clear()
            self._heard = time.monotonic()
            lease = self._watch.get(*self._key)
            if lease is None or self._is_free(lease):
                return

    def end(self) -> None:
        """Follow it no more."""
        self._watch.stop()

    def _tell(self, _: Object) -> None:
        self._changed.set()

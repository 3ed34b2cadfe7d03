"""Keeps this replica's certificate and the caBundle right, for as long as the analyzer runs."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from analyzer import telemetry
from analyzer.kube.client import Client, Object
from analyzer.kube.resources import SECRETS, WEBHOOK_CONFIGURATIONS
from analyzer.kube.watch import Watch
from analyzer.removal import CONFIGURATION
from certs import directory
from certs.brought import Brought
from certs.rotation import Rotation, Standing
from detour.certificates import SECRET, SERVICE, ClusterStore, host_name

FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0
LONGEST_WAIT = 3600.0  # seconds; the clock that waits are measured by stands still while a machine sleeps
LOOK_AT_FILES = 2.0  # seconds; the kubelet tells nobody when it has replaced a mounted Secret

OWN, MOUNTED, INJECTED = "own-ca", "secret", "cert-manager"
SOURCES = (OWN, MOUNTED, INJECTED)
"""Who issues, and who writes the caBundle: we and we, others and we, others and others."""

log = logging.getLogger(__name__)
Tell = Callable[[str], None]


class Certificates(Protocol):
    """`certs.rotation.Rotation`, or `certs.brought.Brought`."""

    def ensure(self) -> Standing:
        """Make everything right, and say how it stands."""


class Keeper:
    """Looks in a thread: when something is due, and when somebody changed what the certificates depend on."""

    def __init__(self, certificates: Certificates, mounted: Path | None, tell: Tell) -> None:
        """`mounted`: where a Secret is mounted that others change. `tell` is given each new reason for complaint."""
        self._certificates, self._mounted, self._tell = certificates, mounted, tell
        self._watches: list[Watch] = []
        self._look = threading.Event()
        self._problem = "waiting for the caBundle"
        self._told = ""

    def follow(self, client: Client, namespace: str) -> "Keeper":
        """Look again as soon as one of the two objects changes."""

        def changed(_: Object) -> None:
            self._look.set()

        followed = [(WEBHOOK_CONFIGURATIONS, CONFIGURATION)]
        if self._mounted is None:
            followed.append((SECRETS.within(namespace), SECRET))
        for resource, name in followed:
            only = f"metadata.name={name}"
            # Without content: the CA's key is asked for only when it is to sign.
            self._watches.append(Watch(client, resource, changed, field_selector=only, metadata_only=True))
        return self

    @property
    def problem(self) -> str:
        """Why updates may not be diverted, in one line; "" if the caBundle and the certificate were right at last."""
        if self._watches and not self._watches[0].all():
            return f"there is no MutatingWebhookConfiguration {CONFIGURATION}"
        return self._problem

    def start(self) -> None:
        """Begin to look after them."""
        for watch in self._watches:
            watch.start()
        threading.Thread(target=self._run, name="certificates", daemon=True).start()

    def _run(self) -> None:
        backoff = FIRST_BACKOFF
        while True:
            seen = self._files()
            try:
                wait, backoff = self._once(), FIRST_BACKOFF
            except Exception as error:
                self._complain(error, backoff)
                wait, backoff = backoff, min(backoff * 2, LONGEST_BACKOFF)
            self._wait(wait, seen)

    def _once(self) -> float:
        """Seconds until the next look."""
        standing = self._certificates.ensure()
        for certificate, ends in (("ca", standing.ca_expires), ("serving", standing.serving_expires)):
            if ends:
                telemetry.CERTIFICATE_EXPIRES.labels(certificate).set(ends.timestamp())
        self._problem = self._told = ""
        return min(max(1.0, standing.wait.total_seconds()), LONGEST_WAIT)

    def _complain(self, error: Exception, backoff: float) -> None:
        self._problem = " ".join(str(error).split()) or type(error).__name__
        log.warning("the certificates could not be put right, again in %.1f s: %s", backoff, self._problem)
        if self._problem != self._told:
            self._told = self._problem
            self._tell(self._problem)

    def _wait(self, seconds: float, seen: str) -> None:
        """Until then, or until something has changed."""
        step = LOOK_AT_FILES if self._mounted else seconds
        while seconds > 0 and self._files() == seen and not self._look.wait(min(seconds, step)):
            seconds -= step
        self._look.clear()

    def _files(self) -> str:
        return directory.version(self._mounted) if self._mounted else ""


@dataclass(frozen=True, slots=True)
class Source:
    """Where certificates come from: one of `SOURCES`; for two of them the files of a Secret, and `orders.SETTLE`."""

    kind: str
    mounted: Path
    settle: timedelta


def keeper(client: Client, namespace: str, target: Path, source: Source, tell: Tell) -> Keeper:
    """The keeper of the certificate that is served from `target`."""
    store = ClusterStore(client, namespace)
    if source.kind == OWN:
        own = Rotation(store, target, SERVICE, namespace)
        return Keeper(own, None, tell).follow(client, namespace)
    bundled = source.kind == MOUNTED
    brought = Brought(store, source.mounted, target, host_name(namespace), bundled=bundled, settle=source.settle)
    return Keeper(brought, source.mounted, tell).follow(client, namespace)

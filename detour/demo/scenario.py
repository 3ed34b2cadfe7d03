"""The story: a good version goes out and is promoted, a bad one goes out and is rolled back, and users go on asking."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from analyzer.kube.client import Client
from detour.demo import stage, venue
from detour.demo.entrance import entrance
from detour.demo.kubectl import DemoError, Kubectl
from detour.demo.observation import NAMESPACE, Observer
from detour.demo.report import Order, Report, conclude
from detour.demo.traffic import Traffic
from detour.demo.venue import Venue, Version
from detour.demo.view import Snapshot, View

LONGEST = 120.0  # seconds for one version, from `set image` to its end
REST = 4.0  # seconds of ordinary operation before, between and after
FRAME = 0.2


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to play: `ingress` is the controller's address as seen from here, `prometheus` as seen in the cluster.

    Either may be "": then the one is found, the other brought along (`prometheus_image`); the sandbox has its own.
    """

    kubeconfig: str
    kubectl: str
    in_sandbox: bool
    ingress: str
    prometheus: str
    prometheus_image: str
    ingress_class: str
    keep: bool


def play(settings: Settings, view: View) -> Report:
    """The whole demo. Raises DemoError where it cannot be run; what goes wrong in it is in the report."""
    client = Client.connect(settings.kubeconfig)
    kubectl = Kubectl(settings.kubectl, settings.kubeconfig, view.say)
    stage.check(client)
    where = _venue(client, settings)
    try:
        stage.build(kubectl, where)
        with ExitStack() as stack:
            url = settings.ingress
            if not url:
                assert where.seen
                url = stack.enter_context(entrance(client, kubectl, where.seen))
            traffic, observer = Traffic(url), Observer(client)
            view.say(f"waiting for podinfo to answer through {url}")
            if failure := traffic.await_first(60.0):
                raise DemoError(f"no answer of podinfo through {url} ({failure}); see --ingress")
            stack.enter_context(view)
            observer.start()
            return Story(kubectl, traffic, observer, view, where.versions).tell()
    finally:
        if not settings.keep:
            stage.clear(kubectl, wait=False)


def _venue(client: Client, settings: Settings) -> Venue:
    if settings.in_sandbox:
        return venue.sandbox(settings.prometheus)
    return venue.elsewhere(client, settings.prometheus, settings.prometheus_image, settings.ingress_class)


class Story:
    """Ships the versions, and shows what happens meanwhile."""

    def __init__(
        self, kubectl: Kubectl, traffic: Traffic, observer: Observer, view: View, versions: tuple[Version, ...]
    ) -> None:
        self._kubectl = kubectl
        self._traffic = traffic
        self._observer = observer
        self._view = view
        self._versions = versions
        self._begin = time.monotonic()
        self._chapter = "podinfo 6.0.0 at rest"
        self._orders: list[Order] = []

    def tell(self) -> Report:
        """Every version, the second only if the first came to an end."""
        self._traffic.start()
        try:
            self._rest()
            for number, version in enumerate(self._versions, start=1):
                if not self._ship(f"{number} of {len(self._versions)}: {version.tag}, {version.what}", version):
                    break
                self._rest()
        finally:
            tally, record = self._traffic.stop(), self._observer.stop()
        return conclude(tuple(self._orders), record, tally)

    def _ship(self, chapter: str, version: Version) -> bool:
        """As a user does it. Whether it came to an end in time."""
        self._chapter = chapter
        before, at = len(self._observer.endings()), time.monotonic()
        self._kubectl.typed(f"-n {NAMESPACE} {version.command}")
        ended = self._until(lambda: len(self._observer.endings()) > before, LONGEST)
        ending = self._observer.endings()[-1] if ended else None
        self._orders.append(Order(version.tag, version.expected, at, time.monotonic(), ending))
        return ended

    def _rest(self) -> None:
        self._until(lambda: False, REST)

    def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        until = time.monotonic() + seconds
        while not done():
            if time.monotonic() > until:
                return False
            self._view.show(self._snapshot())
            time.sleep(FRAME)
        return True

    def _snapshot(self) -> Snapshot:
        seen = self._observer.now()
        moving, sent, failed, faults = self._traffic.look()
        return Snapshot(
            at=time.monotonic() - self._begin,
            chapter=self._chapter,
            phase=seen.phase,
            weight=seen.weight,
            canary=seen.canary_version,
            primary=str(seen.primary or "unknown"),
            event=seen.event,
            moving=moving,
            sent=sent,
            failed=failed,
            faults=faults,
        )

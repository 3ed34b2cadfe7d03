"""Fixtures of the tests with Helm: releases that run, and twins that do not."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from sandbox import build
from sandbox.helm import PARTS, VERSIONS
from tests.cluster.helm.release import Helm, Twins
from tests.cluster.kubectl import Object
from tests.cluster.namespaces import namespace
from tests.cluster.podless import MANAGED
from tests.cluster.shop import Shop

Charted = Callable[..., Helm]
Released = Callable[..., Helm]
Idle = Callable[[int], Twins]


@pytest.fixture(scope="session")
def programs() -> dict[str, Path]:
    """Both versions of Helm; built once, and kept like the sandbox's own parts."""
    return build.programs(PARTS)


@pytest.fixture(params=VERSIONS, ids="helm{}".format)
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def charted(programs: dict[str, Path], tmp_path: Path) -> Iterator[Charted]:
    """Makes namespaces for a release that is not there yet; they are deleted at the end."""
    with ExitStack() as stack:

        def make(version: int, labels: Mapping[str, str] | None = None, analysis: Object | None = None) -> Helm:
            shop = Shop(stack.enter_context(namespace("helm", labels)), analysis=analysis or {})
            return Helm(version, programs[f"helm{version}"], shop, tmp_path / shop.namespace)

        yield make


@pytest.fixture
def released(charted: Charted, version: int) -> Released:
    """Installs the whole application as one release, its Canary included, which guards it then."""

    def install(analysis: Object, **values: Any) -> Helm:
        helm = charted(version, analysis=analysis)
        shop = helm.shop
        helm.write_chart(shop.service(), shop.ingress(), shop.canary())
        helm.install("--wait", "--timeout=60s", **values)
        shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
        return helm

    return install


@pytest.fixture
def idle(charted: Charted) -> Idle:
    """Makes twins that run no pod, not installed yet: the chart has its own switch for what `podless.paused` does."""

    def make(version: int) -> Twins:
        twins = Twins(charted(version, MANAGED), charted(version))
        for helm in (twins.managed, twins.twin):
            helm.write_chart(idle=True)
        return twins

    return make


@pytest.fixture
def twins(idle: Idle, version: int) -> Twins:
    """Installed, and available."""
    twins = idle(version)
    twins.install(env={"LOG": "info"})
    return twins

"""A Prometheus that only pretends, and somebody to ask it, for whoever names them."""

from collections.abc import Iterator
from typing import Any

import pytest

from analyzer.metrics import prometheus
from analyzer.metrics.provider import Sample
from tests.analyzer.mock_prometheus import Ask, Mock, Prometheus, pretending


@pytest.fixture
def mock() -> Iterator[Mock]:
    with pretending() as found:
        yield found


@pytest.fixture
def ask(mock: Mock) -> Iterator[Ask]:
    opened: list[prometheus.Prometheus] = []

    def ask(query: str = "up", **options: Any) -> Sample:
        opened.append(Prometheus(mock.address, **options))
        return opened[-1].query(query)

    yield ask
    for provider in opened:
        provider.close()

"""Fixtures of the cluster tests."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.kubectl import kubectl
from tests.cluster.shop import OpenShop, Shop

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the sandbox. What takes minutes comes first, so that nothing waits for it."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.cluster)
    items.sort(key=lambda item: item.path.name != "test_seed.py")


@pytest.fixture
def open_shop() -> Iterator[OpenShop]:
    """Makes shops; their namespaces are deleted at the end."""
    shops: list[Shop] = []

    def make(**options: Any) -> Shop:
        shop = Shop(f"shop-{secrets.token_hex(3)}", **options)
        shops.append(shop)
        shop.open()
        return shop

    yield make
    for shop in shops:
        kubectl("delete", "namespace", shop.namespace, "--wait=false", "--ignore-not-found")


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """An application with a Canary that guards it."""
    return open_shop()

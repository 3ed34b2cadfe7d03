"""Whatever a user types, the template waits, everything else goes through, and the user is told."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster.kubectl import eventually
from tests.cluster.shop import IMAGE, OpenShop, Shop, tag_of

SLOW = {"interval": "30s"}


@pytest.fixture
def shop(open_shop: OpenShop) -> Shop:
    """Its analysis takes long, so that there is time to look."""
    return open_shop(analysis=SLOW)


def set_image(shop: Shop, _: Path) -> list[str]:
    return shop.set_image("6.0.1").warnings


def set_env(shop: Shop, _: Path) -> list[str]:
    return shop("set", "env", "deployment/podinfo", "COLOR=blue").warnings


def apply(shop: Shop, _: Path) -> list[str]:
    return shop.apply(shop.deployment("6.0.1")).warnings


def apply_server_side(shop: Shop, _: Path) -> list[str]:
    return shop.apply(shop.deployment("6.0.1"), arguments=("--server-side", "--force-conflicts")).warnings


def patch(shop: Shop, _: Path) -> list[str]:
    container = f'{{"name":"podinfo","image":"{IMAGE}:6.0.1"}}'
    change = f'{{"spec":{{"template":{{"spec":{{"containers":[{container}]}}}}}}}}'
    return shop("patch", "deployment/podinfo", "-p", change).warnings


def edit(shop: Shop, folder: Path) -> list[str]:
    editor = folder / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/podinfo:6.0.0/podinfo:6.0.1/" "$1"\n')
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    return shop("edit", "deployment/podinfo", env={**os.environ, "EDITOR": str(editor)}).warnings


Write = Callable[[Shop, Path], list[str]]


@pytest.mark.parametrize("write", [set_image, set_env, apply, apply_server_side, patch, edit])
def test_an_update_is_diverted_and_its_writer_is_told(write: Write, shop: Shop, tmp_path: Path) -> None:
    before = shop.primary["spec"]["template"]
    warnings = write(shop, tmp_path)
    assert "as a canary first" in warnings[0]
    assert all(len(warning) <= 120 and "cancelled" not in warning for warning in warnings)
    assert shop.primary["spec"]["template"] == before
    assert shop.waiting not in (None, before)


def test_the_same_update_again_changes_nothing(shop: Shop) -> None:
    for _ in range(2):
        shop.apply(shop.deployment("6.0.1"))
    shop.until_weight(25)
    stored, started = shop.primary["metadata"]["annotations"], shop.status["startTime"]
    shop.apply(shop.deployment("6.0.1"))
    shop.set_image("6.0.1")
    assert shop.primary["metadata"]["annotations"] == stored
    assert shop.status["startTime"] == started


def test_what_one_command_adds_the_next_one_keeps(shop: Shop) -> None:
    shop.set_image("6.0.1")
    shop("set", "env", "deployment/podinfo", "COLOR=blue")
    waiting = shop.waiting
    assert waiting
    assert tag_of(waiting) == "6.0.1"
    assert waiting["spec"]["containers"][0]["env"] == [{"name": "COLOR", "value": "blue"}]


def test_replicas_and_labels_of_the_same_request_go_through_at_once(shop: Shop) -> None:
    changed = shop.deployment("6.0.1")
    changed["spec"]["replicas"] = 3
    changed["metadata"]["labels"]["team"] = "shop"
    shop.apply(changed)
    primary = shop.primary
    assert primary["spec"]["replicas"] == 3
    assert primary["metadata"]["labels"]["team"] == "shop"
    assert shop.live_image == "6.0.0"


def test_a_newer_template_supersedes_the_older_one(shop: Shop) -> None:
    shop.set_image("6.0.1")
    shop.until_weight(25)
    first = shop.status["revision"]
    shop.set_image("6.0.2")
    eventually(lambda: shop.status["revision"] != first, "the newer revision took over")
    shop.until_weight(25)
    assert tag_of(shop.get("deployment", "podinfo-canary")["spec"]["template"]) == "6.0.2"
    assert any(text.startswith("New revision detected! Restarting analysis") for text in shop.events())
    assert shop.live_image == "6.0.0"


def test_the_old_manifest_again_cancels_the_canary(shop: Shop) -> None:
    shop.apply(shop.deployment("6.0.1"))
    shop.until_weight(25)
    shop.apply(shop.deployment("6.0.0"))
    assert shop.waiting is None
    shop.until("Failed", 30)
    promoted = shop.status["conditions"][0]
    assert (promoted["type"], promoted["reason"]) == ("Promoted", "Cancelled")
    assert shop.leftovers() == []
    assert shop.live_image == "6.0.0"


def test_a_dry_run_shows_the_change_and_stores_nothing(shop: Shop) -> None:
    before = shop.primary["metadata"]["resourceVersion"]
    shop.apply(shop.deployment("6.0.1"), arguments=("--dry-run=server",))
    assert shop.waiting is None
    assert shop.primary["metadata"]["resourceVersion"] == before

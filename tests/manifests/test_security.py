"""SECURITY.md says which test shows what: these are there."""

import re

from tests.manifests.rendered import MANIFESTS

ROOT = MANIFESTS.parent


def test_what_the_page_names_is_there() -> None:
    text = (ROOT / "SECURITY.md").read_text()
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    named = set(re.findall(r"`([\w./-]+\.(?:py|yaml|md)|[\w/]+/)`", text))
    assert len(named) > 20
    for name in named:
        assert name in tests or (ROOT / name).exists() or (ROOT / "webhook" / name).exists() or name == "hatches.py", (
            name
        )

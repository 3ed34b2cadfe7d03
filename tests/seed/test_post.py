"""The post on releases with Flagger: its YAML and its last script, to the letter but for four marked words.

tests/cluster/test_seed.py runs them.
"""

import hashlib
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MARK = re.compile(r"(?P<ours>\S+)  # instead of `(?P<theirs>\S+)`: .+")
# File → the words of the post that are others here, and the SHA-256 of its text with these words in it.
POST = {
    "deploy.yaml": (["busybox", "Always"], "6fe6b680edb68c7e8e879d5d6936059c482a7baae00d74aa4f3076bbf107bb0d"),
    "ingress.yaml": ([], "b17c6dda33c83c60664c1e4f0fc056e50c009bbcc9a890fac8e447a30d4f2979"),
    "canary.yaml": (
        ["http://podinfo-canary.test.svc:9898"],
        "ed8b87b670aa6ab7721831d2821a01925eaf547cec9156a6418b46df2ca1ada3",
    ),
    "rule.yaml": ([], "f31e692fd133e7a83c5d24ace04324cfca007a5769763155c61ef86811f60d45"),
    "update.sh": (
        ["podinfod=stefanprodan/podinfo:3.0.1"],
        "ac80c3609c7167164dabf5cf5fefd15fe50609e5b645b084db84c39dad3b43a8",
    ),
}


@pytest.mark.parametrize("name", POST)
def test_nothing_but_the_marked_words_is_changed(name: str) -> None:
    text, (words, digest) = (HERE / name).read_text(), POST[name]
    assert [mark["theirs"] for mark in MARK.finditer(text)] == words
    assert hashlib.sha256(MARK.sub(r"\g<theirs>", text).encode()).hexdigest() == digest

"""The commands of the pages are typed in a real shell against the sandbox, and answer what the pages show.

What is not as it stands there: the names of the namespace, the policy and the host, since several such tests run side
by side, and the times of the analysis, which are for a Prometheus that scrapes more rarely than the sandbox's.
"""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kubectl import kubectl
from tests.cluster.namespaces import unique
from tests.docs.pages import DOCS, Block, blocks, pages
from tests.docs.session import Session, commands, is_as_shown

AGAIN, PATIENCE = "again until it answers so", 30.0  # seconds; events and the history come a moment later
START = DOCS / "start.md"
TIMES = {"interval: 10s": "interval: 4s", "interval: 1m": "interval: 4s"}
RUN = {page: [block for block in blocks(page) if block.note.startswith("run")] for page in pages()}
BEFORE = [block for block in RUN[START] if block.note == "run, also before other pages"]


class Reader:
    """Somebody who types what is on a page, in a namespace of his own."""

    def __init__(self, folder: Path) -> None:
        self._namespace = unique("shop")
        self._names = {r"\bshop\b": self._namespace, r"\bquick\b": f"{self._namespace}-quick"}
        self._session = Session(folder)

    def does(self, block: Block) -> None:
        """Type its commands. Fails the test where one fails, or answers something else than is shown."""
        for typed, shown in commands(block.language, block.text):
            deadline = time.monotonic() + (PATIENCE if block.note.endswith(AGAIN) else 0)
            while (wrong := self._wrong(typed, shown)) and time.monotonic() < deadline:
                time.sleep(0.5)
            assert not wrong, f"{block.where}: {typed}\n{wrong}"

    def _wrong(self, typed: str, shown: str | None) -> str:
        """What is wrong with the answer to a command; "" where it is as shown."""
        said, code = self._session.types(self._own(typed))
        if code:
            return f"exit status {code}\n{said}"
        return "" if shown is None or is_as_shown(said, self._own(shown)) else f"said: {said}\nshown: {shown}"

    def leaves(self) -> None:
        self._session.close()
        kubectl("delete", "namespace", self._namespace, "--wait=false", "--ignore-not-found")
        kubectl("delete", "canarypolicy", f"{self._namespace}-quick", "--wait=false", "--ignore-not-found")

    def _own(self, text: str) -> str:
        for shown, own in TIMES.items():
            text = text.replace(shown, own)
        for name, own in self._names.items():
            text = re.sub(name, own, text)
        return text


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    found = Reader(tmp_path)
    try:
        yield found
    finally:
        found.leaves()


@pytest.mark.cluster
def test_the_first_five_minutes_go_as_the_page_says(reader: Reader) -> None:
    for block in RUN[START]:
        reader.does(block)


@pytest.mark.cluster
def test_what_the_other_pages_have_one_type_answers_what_they_show(reader: Reader) -> None:
    for block in (*BEFORE, *(block for page, found in RUN.items() if page != START for block in found)):
        reader.does(block)


def test_there_is_something_to_run_and_a_shop_to_run_it_in() -> None:
    assert sum(map(len, RUN.values())) > 10
    assert len(BEFORE) > 1


@pytest.mark.parametrize(
    ("said", "shown", "right"),
    [
        ("deployment.apps/podinfo image updated\n", "deployment.apps/podinfo image updated\n", True),
        ("revision 0a1b runs\n", "revision … runs\n", True),
        ("one\ntwo\nthree\n", "one\n…\nthree\n", True),
        ("one\nthree\n", "one\n…\nthree\n", True),
        ("one\ntwo\n", "one\n", False),
        ("revision 0a1b\nruns\n", "revision … runs\n", False),
        ("", "something\n", False),
    ],
)
def test_an_answer_is_as_shown_where_only_the_gaps_differ(said: str, shown: str, right: bool) -> None:
    assert is_as_shown(said, shown) is right


def test_a_block_of_a_console_is_read_as_what_is_typed_and_what_is_shown() -> None:
    text = "$ one \\\n    two\nanswer\n$ three\n"
    assert list(commands("console", text)) == [("one two", "answer\n"), ("three", "")]

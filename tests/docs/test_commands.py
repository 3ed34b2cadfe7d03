"""The commands of the pages are typed in a real shell against the sandbox, and answer what the pages show.

What is not as it stands there: the names of the namespace, the policy and the host, since several such tests run side
by side, and the times of the analysis, which are for a Prometheus that scrapes more rarely than the sandbox's.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.kubectl import kubectl
from tests.cluster.namespaces import unique
from tests.docs.pages import DOCS, Block, blocks, pages
from tests.docs.session import Session, commands, is_as_shown

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
            said, code = self._session.types(self._own(typed))
            assert code == 0, f"{block.where}: {typed}\nexit status {code}\n{said}"
            if shown is not None:
                assert is_as_shown(said, self._own(shown)), f"{block.where}: {typed}\nsaid: {said}\nshown: {shown}"

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
@pytest.mark.parametrize("page", [page for page, found in RUN.items() if found], ids=lambda page: page.name)
def test_what_a_page_has_one_type_answers_what_it_shows(page: Path, reader: Reader) -> None:
    for block in [*([] if page == START else BEFORE), *RUN[page]]:
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

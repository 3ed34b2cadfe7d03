"""The pages as data: their lines, code spans, headings, links and blocks of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

_SPAN = re.compile(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)")
_LINK = re.compile(
    r"(?<!!)\[[^\]]+\]\((?P<target>[^)\s]+)\)|!\[[^\]]*\]\((?P<image>[^)\s]+)\)|(?:src|srcset)=\"(?P<source>[^\"]+)\""
)
_FENCE = re.compile(r"^(?P<mark>```+)(?P<language>\S*)[^\n]*\n(?P<text>.*?)^(?P=mark)\s*$", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"<!-- (?P<note>(?:(?!-->).)+?) -->\s*\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code. `note` is the comment right before it, which says how the block is to be run."""

    page: Path
    line: int
    language: str
    text: str
    note: str

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Everything that is written for people who use Detour."""
    return [ROOT / "README.md", ROOT / "SECURITY.md", *sorted(DOCS.glob("*.md"))]


def spans(text: str) -> list[str]:
    """What stands between backquotes, outside blocks."""
    lines = _FENCE.sub("", text).replace("\\|", "|").splitlines()
    return [found[2].strip() for line in lines for found in _SPAN.finditer(line)]


def cells(text: str) -> list[str]:
    """The first cell of each row of the tables."""
    rows = (line.replace("\\|", "\0") for line in text.splitlines() if line.startswith("| "))
    return [row.split("|")[1].replace("\0", "|").strip() for row in rows]


def blocks(page: Path) -> Iterator[Block]:
    """Its blocks, in their order."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        before = _NOTE.search(text, 0, found.start())
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page, line, found["language"], found["text"], before["note"] if before else "")


def links(text: str) -> list[str]:
    """Where its links and images lead."""
    return [next(filter(None, found.groups())) for found in _LINK.finditer(_FENCE.sub("", text))]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives its headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower())
        name = plain.strip().replace(" ", "-")
        same = sum(1 for each in found if re.fullmatch(rf"{re.escape(name)}(-\d+)?", each))
        found.add(f"{name}-{same}" if same else name)
    return found

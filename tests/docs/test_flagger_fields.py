"""docs/flagger-fields.md says once of every field of Flagger's definitions what became of it here, and counts right."""

import functools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.docs.fields import effect
from tests.docs.pages import DOCS, cells, spans
from tests.manifests.rendered import definitions, fields

PAGE = (DOCS / "flagger-fields.md").read_text(encoding="utf-8")
SAME, BETTER, ABSENT = VERDICTS = ("same", "better", "not applicable")
OWN = "Detour's own"
BELOW = "and below"
DEFINITIONS = ("Canary", "MetricTemplate", "AlertProvider")
KINDS = (*DEFINITIONS, "Status of a Canary")
COUNTED = ("Canary, what is written", "MetricTemplate", "AlertProvider", "Canary, its status")
CHOICES = {
    "Canary": ("targetRef.kind", "provider", "analysis.webhooks[].type"),
    "MetricTemplate": ("provider.type",),
    "AlertProvider": ("type",),
}
"""Fields of which some values are here and some are not."""


ALWAYS_SO = ("service.unmanagedMetadata",)
"""What Detour does whatever these say, so that nothing reads them."""
PARTS = (
    "autoscalerRef.primaryScalerQueries",
    "autoscalerRef.primaryScalerReplicas",
    "service.primary",
    "analysis.match[].queryParams",
    "analysis.match[].sourceLabels",
)
"""What is not here, of something that is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a row says of one field, or of all that is below it, too."""

    path: str
    whole: bool
    verdict: str
    why: str

    def covers(self, path: str) -> bool:
        return path == self.path or (self.whole and path.startswith(tuple(self.path + mark for mark in ".[{")))


def of_flagger(kind: str) -> list[str]:
    """The fields of a definition, those of its spec from there on."""
    definition, part = ("Canary", "status") if kind == "Status of a Canary" else (kind, "spec")
    found = [path for path in fields(schema(definition)[part]) if not path.endswith(("[]", "{}"))]
    return [f"status.{path}" for path in found] if part == "status" else found


@functools.cache
def schema(kind: str) -> dict[str, Any]:
    found = definitions()[kind]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    return dict(found)


def entries(heading: str) -> Iterator[Entry]:
    """The rows below a heading."""
    [(_, text)] = [found for found in sections() if found[0] == heading]
    for line in text.splitlines():
        if line.startswith("| `"):
            first, *others = (cell.strip() for cell in line.replace("\\|", "\0").strip("|").split("|"))
            verdict, why = (OWN, others[0]) if heading == OWN else (others[0], others[1])
            for path in spans(first):
                yield Entry(path, BELOW in first, verdict, why)


def sections() -> list[tuple[str, str]]:
    _, *parts = re.split(r"^#+ ", PAGE, flags=re.MULTILINE)
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def said(kind: str, path: str) -> list[Entry]:
    """The nearest rows about a field: its own, or of what it is below."""
    found = [entry for entry in (*entries(kind), *entries(OWN)) if entry.covers(path)]
    longest = max((len(entry.path) for entry in found), default=0)
    return [entry for entry in found if len(entry.path) == longest]


@pytest.mark.parametrize("kind", KINDS)
def test_of_every_field_the_page_says_once_what_became_of_it(kind: str) -> None:
    paths = of_flagger(kind)
    assert len(paths) > 5
    assert [path for path in paths if not said(kind, path)] == [], "say it in docs/flagger-fields.md"
    assert [path for path in paths if len(said(kind, path)) > 1] == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_about_a_field_that_is_there(kind: str) -> None:
    paths = of_flagger(kind)
    assert [entry.path for entry in entries(kind) if entry.path not in paths] == []


def test_a_field_of_detours_own_is_there_and_belongs_to_nobody_else() -> None:
    paths = {path for kind in KINDS for path in (*of_flagger(kind), *values(kind))}
    assert [entry.path for entry in entries(OWN) if entry.path not in paths] == []


@pytest.mark.parametrize("kind", [*KINDS, "Values"])
def test_a_verdict_is_one_of_three_and_whatever_is_not_the_same_says_how_or_why(kind: str) -> None:
    assert {entry.verdict for entry in entries(kind)} <= set(VERDICTS)
    assert [entry.path for entry in entries(kind) if entry.verdict != SAME and not entry.why] == []


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_what_the_page_says_to_be_here_is_carried_out_and_nothing_else_is(kind: str) -> None:
    """As docs/fields.md has it, which is held to the code by tests/docs/test_fields.py."""
    wrong = [
        f"{path}: {entry.verdict}, and {effect(kind, path) or 'carried out'}"
        for path in of_flagger(kind)
        for entry in said(kind, path)
        if entry.verdict in VERDICTS
        and (entry.verdict == ABSENT) is not bool(effect(kind, path))
        and not path.startswith((*ALWAYS_SO, *PARTS))
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", CHOICES)
def test_of_every_kind_that_can_be_chosen_the_page_says_what_became_of_it(kind: str) -> None:
    named = Counter(entry.path for heading in ("Values", OWN) for entry in entries(heading))
    assert values(kind)
    assert [value for value in values(kind) if not named[value]] == []


def test_the_page_names_no_value_twice_and_none_that_cannot_be_chosen() -> None:
    named = [entry.path for entry in entries("Values")]
    assert sorted(named) == sorted(set(named))
    assert set(named) <= {value for kind in CHOICES for value in values(kind)}


def values(kind: str) -> list[str]:
    """The values of the fields that are a choice, as `field: value`."""
    if kind not in CHOICES:
        return []
    found = fields(schema(kind)["spec"])
    return [f"{path}: {value}" for path in CHOICES[kind] for value in found[path]["enum"] if value]


@pytest.mark.parametrize(("kind", "title"), list(zip(KINDS, COUNTED, strict=True)))
def test_the_page_counts_right(kind: str, title: str) -> None:
    found = Counter(entry.verdict for path in of_flagger(kind) for entry in said(kind, path))
    counts = [found[verdict] for verdict in VERDICTS]
    row = f"| {' | '.join([title, *map(str, [*counts, sum(counts)])])} |"
    assert title in cells(PAGE)
    assert row in PAGE, f"it has to say {row}"

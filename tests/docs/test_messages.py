"""Whatever Detour says, a person who searches the documents for it finds it, and what they show is really said."""

import ast
import re

from analyzer.journal import REASON
from analyzer.status import Outcome, Phase
from analyzer.witness import OUTCOME
from tests.docs.pages import DOCS, ROOT, cells, spans
from tests.docs.sentences import GAP, of_the_code, of_the_policies, trimmed, words

TROUBLE = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
LINES = (DOCS / "certificates.md").read_text(encoding="utf-8")
SHOWN = [trimmed(span) for span in spans(TROUBLE) + spans(LINES)]


def missing(sentences: dict[str, str]) -> str:
    """The sentences that stand on none of the two pages, one a line."""
    absent = {said: where for said, where in sentences.items() if not any(said in span for span in SHOWN)}
    return "\n".join(f"{where}: {said}" for said, where in absent.items())


def test_every_warning_refusal_event_and_message_of_a_condition_is_explained() -> None:
    found = of_the_code()
    assert len(found) > 200, "they are still found"
    assert missing(found) == ""


def test_what_the_admission_policies_say_is_explained() -> None:
    found = of_the_policies()
    assert len(found) > 8, "they are still found"
    assert missing(found) == ""


def test_every_reason_and_phase_of_a_condition_and_every_outcome_is_explained() -> None:
    named = set(spans(TROUBLE))
    wanted = {phase.value for phase in Phase} - {""} | {outcome.value for outcome in Outcome} | {OUTCOME, REASON}
    assert sorted((wanted | reasons()) - named) == []


def reasons() -> set[str]:
    """The types and reasons that conditions are written with, and those of events other than the usual one."""
    found = set()
    for where, name, positions in (
        ("analyzer/conditions.py", "_condition", (0, 2)),
        ("detour/analyzer.py", "warn", (0,)),
    ):
        for node in ast.walk(ast.parse((ROOT / where).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
                given = (node.args[position] for position in positions if position < len(node.args))
                found |= {str(one.value) for one in given if isinstance(one, ast.Constant)}
    assert {"Promoted", "Guarded", "Diverting", "NotYet", "Certificates"} <= found, "they are still found"
    return found


def test_no_message_is_explained_that_is_no_longer_said() -> None:
    """A piece of a message, between two gaps, is part of a sentence of the code, or made of such."""
    said = [piece for sentence in [*of_the_code(), *of_the_policies()] for piece in pieces(sentence, 2)]
    stale = [
        f"{piece} (in: {span})"
        for cell in cells(TROUBLE[TROUBLE.index("## Messages") :])
        for span in spans(cell)
        for piece in pieces(span, 3)
        if not any(piece in sentence or sentence in piece for sentence in said)
    ]
    assert "\n".join(stale) == ""


def pieces(sentence: str, least: int) -> list[str]:
    """What stands between the gaps, if it has enough words to be told from others."""
    return [piece for piece in map(trimmed, sentence.split(GAP)) if words(piece) >= least]


def test_every_label_and_annotation_of_ours_is_explained() -> None:
    explained = (DOCS / "keys.md").read_text(encoding="utf-8")
    assert sorted(key for key in keys() if key not in explained) == []


def keys() -> set[str]:
    """Those that the code writes or reads, by its constants."""
    found: set[str] = set()
    for part in ("webhook", "analyzer", "certs", "detour"):
        for path in (ROOT / part).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
            found |= {text for text in texts if isinstance(text, str) and re.fullmatch(r"detour\.dev/[a-z-]+", text)}
    assert len(found) > 20, "they are still found"
    return found

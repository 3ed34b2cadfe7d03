"""What Detour can say to people, collected from the code: the sentences of its warnings, refusals, events, conditions.

A sentence is a text of two words or more in the sources of the three parts, with `…` where the code puts a value. What
only a log, a metric or whoever is not an API server is told is left out, and so are the words of others that the code
looks for in their answers.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
PARTS = ("webhook", "analyzer", "certs", "detour/analyzer.py", "detour/keeper.py")
GAP = "…"

ELSEWHERE = {
    "webhook/app.py": "answers to who is no API server",
    "webhook/review.py": "answers to who is no API server",
    "webhook/worker.py": "answers to who is no API server",
    "webhook/patience.py": "answers to who is no API server",
    "webhook/health.py": "answers to probes",
    "webhook/server.py": "answers to probes",
    "analyzer/kube/answers.py": "how a connection ended, for logs",
    "analyzer/kube/together.py": "how a connection ended, for logs",
    "analyzer/kube/mishap.py": "tests alone",
    "analyzer/metrics/builtin.py": "PromQL",
    "analyzer/census.py": "metrics",
    "analyzer/departure.py": "the last lines of a log",
    "certs/rotation.py": "progress, for logs, but for one line, which certificates.md has",
}
"""Files whose texts nobody finds in kubectl, and why."""

UNSEEN_CALLS = re.compile(r"(.*\.)?(log\.\w+|re\.compile|click\.\w+|ValueError|TypeError|Counter|Gauge|Histogram)")
POLICIES = ("manifests/policies", "manifests/enforce")
"""Those in manifests/rbac keep the analyzer itself within its bounds; nobody else ever reads what they say."""


def of_the_code() -> dict[str, str]:
    """Each sentence, and where it is written."""
    found: dict[str, str] = {}
    for path in sorted(path for part in PARTS for path in _sources(ROOT / part)):
        where = str(path.relative_to(ROOT))
        if where not in ELSEWHERE:
            for text, line in _texts(ast.parse(path.read_text(encoding="utf-8"))):
                found.setdefault(text, f"{where}:{line}")
    return found


def of_the_policies() -> dict[str, str]:
    """What the API server says in Detour's place: the messages of its admission policies."""
    found = {}
    for path in sorted(path for folder in POLICIES for path in (ROOT / folder).glob("*.yaml")):
        for message in _messages(list(yaml.safe_load_all(path.read_text(encoding="utf-8")))):
            found[message] = str(path.relative_to(ROOT))
    return found


def trimmed(text: str) -> str:
    """One line, with one gap where several stood beside each other, and none at its ends."""
    line = " ".join(text.split())
    return re.sub(rf"{GAP}(\W{{0,2}}{GAP})+", GAP, line).strip(f" .,;:{GAP}")


def words(text: str) -> int:
    """How many there are, of letters alone."""
    return sum(word.strip(",;:.'’()").isalpha() for word in text.split())


def _sources(part: Path) -> Iterator[Path]:
    yield from part.rglob("*.py") if part.is_dir() else [part]


def _texts(tree: ast.Module) -> Iterator[tuple[str, int]]:
    unseen = set(_unseen(tree))
    for node in ast.walk(tree):
        if id(node) in unseen:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if words(trimmed(text)) >= 2:
            yield trimmed(text), node.lineno


def _unseen(tree: ast.Module) -> Iterator[int]:
    """What is not said: docstrings, logs, the parts of an f-string by themselves, what is looked for in other texts."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield from (id(part) for part in node.values if isinstance(part, ast.Constant))
        elif (isinstance(node, ast.Call) and UNSEEN_CALLS.fullmatch(ast.unparse(node.func))) or (
            isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn)
        ):
            yield from (id(inner) for inner in ast.walk(node))


def _messages(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("message"), str):
            yield trimmed(value["message"])
        if isinstance(value.get("messageExpression"), str):
            yield trimmed(_of_cel(value["messageExpression"]))
    children: Iterable[Any] = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _messages(child)


def _of_cel(expression: str) -> str:
    """The strings of a CEL expression, with a gap for whatever stands between them."""
    pieces = re.split(r'("[^"]*")', expression)
    return "".join(piece[1:-1] if piece.startswith('"') else GAP if piece.strip(" +\n") else "" for piece in pieces)

"""What others have written (images, names of users, messages) tells nobody's terminal what to do."""

from dataclasses import replace

import pytest
from click.testing import CliRunner

from analyzer.kube.errors import Refused
from analyzer.kube.resources import CANARIES, DEPLOYMENTS
from analyzer.status import Ending, Outcome
from detour import person
from detour.cli import main
from tests.detour.objects import NOW, Object, canary, deployment
from tests.detour.test_person import RUNS, Server
from webhook import stash

EVIL = "\x1b]0;yours\x07\x1b[2Jno\u202ews\r\nforged"


def spoilt() -> tuple[Object, Object]:
    """A Deployment and its Canary in which everything that others may choose is meant for a terminal."""
    primary = deployment("1" + EVIL, diverted="2" + EVIL)
    primary["metadata"]["annotations"][stash.DIVERTED_BY] = stash.Author("ann" + EVIL, "kubectl" + EVIL).encode()
    running = replace(RUNS, revision=str(stash.diverted(primary).digest), problem=EVIL)  # type: ignore[union-attr]
    ended = replace(running, ending=Ending(Outcome.FAILED, EVIL), verdict=(EVIL,)).end(NOW)
    found = canary(ended)
    found["status"]["history"][-1] |= {"message": EVIL, "by": EVIL, "images": [EVIL], "checks": [EVIL]}
    return primary, found


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> "Said":
    primary, found = spoilt()
    server = Server((DEPLOYMENTS, primary), (CANARIES, found))
    monkeypatch.setattr(person, "place", lambda *_: person.Place(server, "shop"))
    return Said(server)


class Said:
    """Runs a command as in a terminal, and gives all that it writes."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def __call__(self, *arguments: str) -> str:
        return CliRunner().invoke(main, arguments, color=True).output


@pytest.mark.parametrize(
    "command",
    ["status web", "status", "status --all-namespaces", "status web -o json", "history web", "history web -o json",
     "diff web", "wait web --timeout 1s"],
)  # fmt: skip
def test_no_command_shows_more_than_text(said: Said, command: str) -> None:
    shown = said(*command.split())
    assert all(character.isprintable() or character == "\n" for character in shown), shown
    assert "yours" in shown
    assert not [line for line in shown.splitlines() if line.startswith("forged")]


def test_what_the_api_server_says_is_shown_as_text_too(said: Said) -> None:
    said.server.failing = lambda: Refused(403, "Forbidden", f"a policy {EVIL}")
    shown = said("status", "web")
    assert shown.startswith("Error: ")
    assert "nows forged" in shown
    assert all(character.isprintable() or character == "\n" for character in shown)

"""The reference is the Flagger that its name says, and sees nothing but its own namespace."""

import re
from pathlib import Path

from tests.bench import flagger
from tests.bench.flagger import PART


def test_the_version_that_the_table_names_is_the_one_that_is_built() -> None:
    pinned = (PART.folder / "go.mod").read_text()
    assert re.search(rf"^\s*github\.com/fluxcd/flagger v{re.escape(PART.version)}( //.*)?$", pinned, re.MULTILINE)


def test_its_programs_are_pinned_by_their_checksums() -> None:
    assert f"github.com/fluxcd/flagger v{PART.version} h1:" in (PART.folder / "go.sum").read_text()


def test_it_looks_at_its_own_namespace_only() -> None:
    [container] = flagger._deployment("scenario-1", Path("/cache/flagger"))["spec"]["template"]["spec"]["containers"]
    assert "-namespace=scenario-1" in container["command"]
    assert flagger._rights("scenario-1")["kind"] == "RoleBinding"


def test_the_api_server_knows_it_by_its_own_name() -> None:
    [subject] = flagger._rights("scenario-1")["subjects"]
    assert flagger.user("scenario-1") == f"system:serviceaccount:{subject['namespace']}:{subject['name']}"

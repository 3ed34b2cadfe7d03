"""What the documents refer to is there: pages, headings, files, commands, flags, targets of make, ClusterRoles."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from detour.cli import main
from tests.docs.pages import DOCS, ROOT, anchors, blocks, cells, links, pages, spans

PAGES = pages()
PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
COMMAND = re.compile(r"(?:^|[;&|(]\s*)(?:kubectl )?detour (?=[a-z])(?P<rest>[^;&|#()`]*)")
KUBECTLS = {
    *("--field-manager", "--cascade", "--to-revision", "--server-side", "--force-conflicts", "--dry-run", "--previous"),
    *("--type", "--wait", "--all", "--overwrite", "--for", "--all-namespaces"),
}
HELMS = {"--atomic", "--take-ownership", "--wait", "--force", "--force-replace", "--set", "--values"}
OTHERS = {"--metrics.prometheus", "--help"}
OURS = re.compile(r"(?:analyzer|webhook|certs|detour|loadtester|manifests|sandbox|tests|docs|release)/[\w./*-]+")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def typed(page: Path) -> Iterator[str]:
    """What a reader of a page may type or search for."""
    yield from spans(text_of(page))
    for block in blocks(page):
        if block.language in ("sh", "console"):
            yield from block.text.replace("\\\n", " ").splitlines()


@PAGE
def test_every_link_leads_to_a_page_and_to_a_heading_that_is_there(page: Path) -> None:
    broken = []
    for link in links(text_of(page)):
        if re.match(r"[a-z]+:", link):
            continue
        where, _, anchor = link.partition("#")
        target = (page.parent / where).resolve() if where else page
        if not target.exists() or (anchor and anchor not in anchors(text_of(target))):
            broken.append(link)
    assert broken == []


def test_the_map_names_every_page() -> None:
    named = {(DOCS / link.partition("#")[0]).resolve() for link in links(text_of(DOCS / "index.md"))}
    assert [page.name for page in DOCS.glob("*.md") if page.name != "index.md" and page not in named] == []


@PAGE
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = {path for said in spans(text_of(page)) for path in OURS.findall(said)}
    assert [path for path in sorted(named) if not [*ROOT.glob(path.rstrip("/."))]] == []


@PAGE
def test_every_command_of_detour_is_one_and_knows_the_flags_that_are_shown(page: Path) -> None:
    wrong = [problem for line in typed(page) for rest in COMMAND.findall(prompted(line)) if (problem := misuse(rest))]
    assert wrong == []


def prompted(line: str) -> str:
    return line.removeprefix("$ ")


def misuse(rest: str) -> str:
    """What is wrong with the words after `detour`; "" where nothing is."""
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    command: click.Command = main
    context = click.Context(main)
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(context, word)
            if found is None:
                return f"detour {rest}: there is no {word}"
            command = found
        elif word.startswith("-") and not known(command, word.partition("=")[0]):
            return f"detour {rest}: there is no {word}"
    return ""


def known(command: click.Command, flag: str) -> bool:
    """Whether a command has it, or every one does."""
    every = (name for param in command.params for name in (*param.opts, *param.secondary_opts))
    return flag in (*every, "--help", "--version")


def test_the_list_of_commands_has_them_all_with_flags_that_they_know() -> None:
    _, *listed = (spans(cell)[0] for cell in cells(text_of(DOCS / "commands.md")) if spans(cell))
    assert [problem for line in listed if (problem := misuse(re.sub(r"[\[\]…]", "", line)))] == []
    shown = " ".join(" ".join(spans(cell)) for cell in cells(text_of(DOCS / "commands.md"))).split()
    assert set(main.list_commands(click.Context(main))) - {"analyzer", "webhook", "loadtester"} - set(shown) == set()


@PAGE
def test_every_flag_that_is_named_by_itself_is_one_of_ours_or_of_kubectl_or_helm(page: Path) -> None:
    every = {name for command in all_commands(main) for param in command.params for name in param.opts}
    named = {said.partition("=")[0].split()[0] for said in spans(text_of(page)) if said.startswith("--")}
    assert sorted(named - every - KUBECTLS - HELMS - OTHERS) == []


def all_commands(group: click.Group) -> Iterator[click.Command]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        yield command
        if isinstance(command, click.Group):
            yield from all_commands(command)


@PAGE
def test_every_target_of_make_is_there(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {found[1] for line in typed(page) if (found := re.match(r"make ([a-z]+)(?= *($|#|[A-Z]+=))", line))}
    assert [name for name in sorted(targets) if not re.search(rf"^{name}:", makefile, re.MULTILINE)] == []


@PAGE
def test_every_cluster_role_that_is_named_is_among_the_manifests(page: Path) -> None:
    manifests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "manifests/rbac").glob("*.yaml"))
    named = set(re.findall(r"ClusterRole `?(detour-[a-z-]+)|--clusterrole=(detour-[a-z-]+)", text_of(page)))
    assert [role for pair in named for role in pair if role and f"name: {role}\n" not in manifests] == []


@PAGE
def test_every_block_says_what_it_is_and_commands_whether_they_are_run(page: Path) -> None:
    """A command that no test runs says why; one in an indented block would escape them all."""
    wrong = [f"{block.where}: no language" for block in blocks(page) if not block.language]
    wrong += [
        f"{block.where}: neither run nor `not run: REASON`"
        for block in blocks(page)
        if block.language in ("sh", "console") and not re.match(r"run\b|not run: .", block.note)
    ]
    wrong += re.findall(r"^(?: {4}|\t)(?:\$|kubectl|detour|make|helm) .*", text_of(page), re.MULTILINE)
    assert wrong == []

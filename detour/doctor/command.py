"""`detour doctor`: the options, the table, and the exit status."""

import json
from collections.abc import Sequence

import click
from rich.table import Table
from rich.text import Text

from analyzer.kube.errors import ApiError, Unreachable
from detour.doctor.finding import Finding, Level
from detour.doctor.look import look
from detour.doctor.verdict import diagnose, failed
from detour.person import Problem, place, sentence
from detour.terminal import console, say

MARKS = {Level.OK: ("ok", "green"), Level.WARN: ("warn", "yellow"), Level.FAIL: ("FAIL", "bold red")}


@click.command("doctor")
@click.option("--kubeconfig", help="by default $KUBECONFIG, else ~/.kube/config, else the pod's ServiceAccount")
@click.option("--home", default="detour", show_default=True, help="Detour's namespace, where its binding is gone")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", help="json: for programs")
def command(kubeconfig: str | None, home: str, output: str) -> None:
    """Say whether a cluster is fit for Detour, before and after it is installed. Nothing is changed.

    Exits with 0 if it is, also with warnings, with 1 if a check failed, and with 2 if that cannot be told.
    """
    try:
        client = place(kubeconfig, None).client
        findings = diagnose(look(client, home))
    except (ApiError, Unreachable) as error:
        raise Unanswered(sentence(error)) from error
    except Problem as problem:
        raise Unanswered(problem.message) from problem
    wrong = failed(findings)
    if output == "json":
        fit = {"server": client.server, "fit": not wrong, "checks": [each.as_json() for each in findings]}
        click.echo(json.dumps(fit, indent=2))
    else:
        console().print(table(findings))
        say(f"\n{conclusion(findings)}")
    raise SystemExit(1 if wrong else 0)


class Unanswered(Problem):
    """Whether the cluster is fit cannot be told."""

    exit_code = 2


def table(findings: Sequence[Finding]) -> Table:
    """One line a finding, what to do about it below."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), show_header=False)
    drawn.add_column(no_wrap=True)
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    before = ""
    for each in findings:
        mark, style = MARKS[each.level]
        says = Text(each.found)
        if each.remedy:
            says.append(f"\n→ {each.remedy}", style="dim" if each.level is Level.OK else style.removeprefix("bold "))
        drawn.add_row(Text(mark, style=style), Text("" if each.check == before else each.check, style="bold"), says)
        before = each.check
    return drawn


def conclusion(findings: Sequence[Finding]) -> str:
    """The last line."""
    warnings = sum(each.level is Level.WARN for each in findings)
    wrong = len(failed(findings))
    noted = f"{warnings} warning{'' if warnings == 1 else 's'}"
    if wrong:
        return f"Not fit for Detour: {wrong} of {len(findings)} checks failed, {noted}."
    return f"Fit for Detour: {len(findings)} checks, {noted}."

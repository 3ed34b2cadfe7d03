"""`detour diff`: what would change in the primary if what is diverted were promoted."""

import difflib
import sys

import click
import yaml

from detour.application import NAME, Application, Name, Object, find
from detour.person import Place, at_a_place
from detour.terminal import say
from webhook import stash
from webhook.revision import digest, short


@click.command("diff")
@click.argument("name", type=NAME)
@at_a_place
def command(place: Place, name: Name) -> None:
    """Compare the pod template that the primary runs with the diverted one.

    Exits 0 without a difference, 1 with one, as kubectl diff does; above 1 if it cannot be told.

    \b
    Example: kubectl detour diff podinfo -n shop
    """
    found = find(place, name)
    text = difference(found)
    if not text:
        say(f"nothing is diverted: Deployment {found.name} runs what was asked for", problem=True)
        return
    click.echo(text, nl=False)
    sys.exit(1)


def difference(application: Application) -> str:
    """The unified diff; "" where nothing is diverted. During a promotion it is against what is being replaced.

    Raises StashError, and Problem without a Deployment.
    """
    primary = application.primary or application.managed()[0]
    template, waiting = primary["spec"]["template"], application.waiting
    if waiting is not None:
        return _unified(application.name, template, waiting.template)
    replaced = stash.previous(primary)
    return _unified(application.name, replaced.template, template) if replaced else ""


def _unified(name: str, primary: Object, diverted: Object) -> str:
    before, after = (yaml.safe_dump(each, sort_keys=True).splitlines(keepends=True) for each in (primary, diverted))
    names = f"primary/{name} {short(digest(primary))}", f"diverted/{name} {short(digest(diverted))}"
    return "".join(difflib.unified_diff(before, after, *names))

"""`detour take-over`: Canaries that Flagger has initialised become Detour's, without a request being lost."""

import time

import click

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Unreachable
from analyzer.kube.resources import CANARIES
from detour.person import Place, Problem, at_a_place, sentence
from detour.takeover.controllers import controllers, looking_at
from detour.takeover.found import Found
from detour.takeover.look import look
from detour.takeover.notes import notes
from detour.takeover.perform import TakeOver
from detour.takeover.plan import plan
from detour.takeover.refusals import refusals
from detour.takeover.steps import Step
from detour.terminal import report, say

ASK_EVERY = 10.0  # seconds


@click.command("take-over")
@click.argument("names", nargs=-1, metavar="[CANARY]...")
@click.option("--all-namespaces", "-A", is_flag=True, help="every Canary of the cluster")
@click.option("--yes", is_flag=True, help="do it; without this it is only shown")
@click.option("--beside-flagger", is_flag=True, help="while Flagger goes on with other Canaries: these stay suspended")
@click.option("--newer-configuration", is_flag=True, help="let ConfigMaps and Secrets that are newer go live unproven")
@at_a_place
def command(
    place: Place,
    names: tuple[str, ...],
    all_namespaces: bool,
    yes: bool,
    beside_flagger: bool,
    newer_configuration: bool,
) -> None:
    """Take Canaries over from Flagger: their targets serve again, and what Flagger has made for them goes.

    No request is lost. It may be interrupted at any time, and called again. Without names: those of the namespace.

    \b
    Example: kubectl detour take-over podinfo          # shows the steps
             kubectl detour take-over podinfo --yes    # does them
    """
    if names and all_namespaces:
        raise click.UsageError("name Canaries, or say --all-namespaces")
    chosen = _chosen(place, names, all_namespaces)
    if not chosen:
        raise Problem("there is no Canary; kubectl get canaries -A shows those that there are")
    undone = 0
    for namespace, name in chosen:
        one = _One(place.client, namespace, name, beside_flagger, newer_configuration)
        undone += not (one.take_over() if yes else one.show())
    if not yes:
        say("Nothing was changed: --yes does it.")
    if undone:
        raise Problem(f"{undone} of {len(chosen)} cannot be taken over as they are; the reasons are above")


def _chosen(place: Place, names: tuple[str, ...], everywhere: bool) -> list[tuple[str, str]]:
    if names:
        return [(place.namespace, name.removeprefix("canary/")) for name in names]
    listed = place.client.list(CANARIES, None if everywhere else place.namespace).get("items") or ()
    return sorted((each["metadata"]["namespace"], each["metadata"]["name"]) for each in listed)


class _One:
    """One Canary, and how it is to be taken over."""

    def __init__(self, client: Client, namespace: str, name: str, beside: bool, newer_configuration: bool) -> None:
        self._client = client
        self._namespace, self._name = namespace, name
        self._beside = beside
        self._newer_configuration = newer_configuration
        self._controllers: tuple[str, ...] = ()
        self._asked = -ASK_EVERY

    def show(self) -> bool:
        """What would be done; whether it can be."""
        found = self._look()
        if not found.is_initialised:
            say(f"{self._called}: nothing of Flagger's is there")
            return True
        for reason in (reasons := self._refusals(found)):
            say(f"{self._called}: not now: {reason}")
        steps = self._plan(found)
        say(f"{self._called}: {len(steps)} steps")
        for number, step in enumerate(steps, 1):
            pause = f" ({step.after:.0f} s later)" if step.after else ""
            say(f"{number:4}. {step.says}{pause}")
        self._show_notes(found)
        return not reasons

    def take_over(self) -> bool:
        """Do it, and say what came of it."""
        try:
            found = self._look()
            if not found.is_initialised:
                self._tell("nothing of Flagger's is there")
                return True
            remarks = list(notes(found))
            take = TakeOver(self._client, self._namespace, self._look, self._plan, self._refusals, self._tell)
            take.run()
        except (Problem, ApiError, Unreachable) as error:
            self._tell(error.message if isinstance(error, Problem) else sentence(error))
            return False
        self._tell("taken over")
        for remark in remarks:
            say(f"      {remark}")
        return True

    @property
    def _called(self) -> str:
        return f"{self._namespace}/{self._name}"

    def _look(self) -> Found:
        """Where Flagger runs is asked for only now and then: it takes all Deployments of the cluster."""
        if time.monotonic() - self._asked > ASK_EVERY:
            self._controllers = looking_at(controllers(self._client), self._namespace)
            self._asked = time.monotonic()
        return look(self._client, self._namespace, self._name, self._controllers)

    def _plan(self, found: Found) -> tuple[Step, ...]:
        return plan(found, beside=self._beside)

    def _refusals(self, found: Found) -> list[str]:
        return refusals(found, beside=self._beside, newer_configuration=self._newer_configuration)

    def _tell(self, line: str) -> None:
        report(f"{self._called}: {line}")

    def _show_notes(self, found: Found) -> None:
        for remark in notes(found):
            say(f"      {remark}")

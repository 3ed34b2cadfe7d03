"""The ways in which Detour is removed, or loses a part, in the middle of rollouts; and how each has to end."""

import subprocess
import sys
import time
from collections.abc import Callable

from tests.cluster.installing import DEFINITIONS, delete_everything, install, uninstall
from tests.cluster.kubectl import KUBECONFIG, ROOT, Said, eventually, exists, kubectl
from tests.removal.town import NEW, OLD, Town, with_an_analyzer_that_cannot_start, without_an_analyzer

KEPT = DEFINITIONS | {"customresourcedefinition.apiextensions.k8s.io/canarypolicies.detour.dev"}
DELETED_WITHIN = "--timeout=120s"
Way = Callable[[Town], None]
WAYS: list[Way] = []


def way(function: Way) -> Way:
    """One row of the table; its docstring is what the row says."""
    WAYS.append(function)
    return function


@way
def kubectl_delete(town: Town) -> None:
    """`kubectl delete -k manifests/`: canaries go back, what waits is kept, and runs under the next installation"""
    _worked(delete_everything())
    town.removed(set())
    town.carries_on()


@way
def detour_uninstall(town: Town) -> None:
    """`detour uninstall`: the same, and the definitions and Canaries stay"""
    _worked(uninstall())
    town.removed(KEPT)
    town.carries_on()


@way
def detour_uninstall_with_definitions(town: Town) -> None:
    """`detour uninstall --crds`: nothing of Detour stays"""
    _worked(uninstall("--crds"))
    town.removed(set())
    town.carries_on()


@way
def detour_uninstall_dropping_what_waits(town: Town) -> None:
    """`detour uninstall --drop-pending`: nothing waits any more, no key of Detour's is on a Deployment"""
    _worked(uninstall("--drop-pending"))
    town.removed(KEPT, keys=set())


@way
def detour_uninstall_without_an_analyzer(town: Town) -> None:
    """`detour uninstall` after all of Detour's pods were lost"""
    without_an_analyzer()
    _worked(uninstall())
    town.removed(KEPT)
    town.carries_on()


@way
def detour_uninstall_beside_an_analyzer_that_cannot_start(town: Town) -> None:
    """`detour uninstall` while the analyzer ends again and again"""
    with_an_analyzer_that_cannot_start()
    _worked(uninstall())
    town.removed(KEPT)
    town.carries_on()


@way
def detour_uninstall_killed_again_and_again(town: Town) -> None:
    """`detour uninstall` killed (SIGKILL) after 1.5, 3, 5 and 8 s, then called once more"""
    _killed_after(1.5, 3, 5, 8)
    _worked(uninstall())
    town.removed(KEPT)
    town.carries_on()


@way
def detour_uninstall_killed_without_an_analyzer(town: Town) -> None:
    """The same without an analyzer, after 14, 20 and 26 s: it waits for 12 s whether the lease is renewed"""
    without_an_analyzer()
    _killed_after(14, 20, 26)
    _worked(uninstall())
    town.removed(KEPT)
    town.carries_on()


@way
def kubectl_delete_then_killed_uninstall(town: Town) -> None:
    """`kubectl delete -k` after all pods were lost: it waits for the finalizer; `detour uninstall` ends it"""
    without_an_analyzer()
    hanging = kubectl("delete", "-k", str(ROOT / "manifests"), "--timeout=20s", check=False)
    assert hanging.code, "nothing kept what the analyzer acts by"
    _killed_after(2)
    _worked(uninstall())
    town.removed(set())


@way
def only_the_namespace(town: Town) -> None:
    """`kubectl delete namespace detour`: canaries go back, what waits is kept, and updates go directly, not refused"""
    _worked(kubectl("delete", "namespace", "detour", DELETED_WITHIN, check=False))
    town.until_taken_back()
    assert not exists("mutatingwebhookconfiguration", "zz-detour"), "it would refuse every update"
    town.updates_directly()
    town.carries_on()


@way
def only_the_definitions(town: Town) -> None:
    """`kubectl delete crd` of all of Detour's: canaries go back; what waits, and what its primary needs, is kept"""
    names = [name.partition("/")[2] for name in sorted(KEPT)]
    _worked(kubectl("delete", "crd", *names, DELETED_WITHIN, check=False))
    eventually(lambda: not town.canaries, "the canaries are gone", 90, lambda: town.canaries)
    assert "detour.dev/template" in town.calm.ours, "what waits is not kept"
    assert town.calm.has(OLD), "what the primary needs is not kept"
    town.carries_on()


@way
def only_the_webhook(town: Town) -> None:
    """The webhook configuration is deleted: canaries go on, promotions wait, and are carried out when it is back"""
    _worked(kubectl("delete", "mutatingwebhookconfiguration", "zz-detour", check=False))
    time.sleep(15)
    assert town.weight >= 25, f"the canary has {town.weight} %"
    assert town.calm.live_image == OLD
    install()
    town.quick.until("Succeeded")
    assert town.quick.live_image == NEW
    assert town.weight >= 25, f"the canary has {town.weight} %"


@way
def only_the_deployment(town: Town) -> None:
    """The Deployment `detour` is deleted: canaries go back; updates are refused until it is there again"""
    _worked(kubectl("-n", "detour", "delete", "deployment", "detour", DELETED_WITHIN, check=False))
    town.until_taken_back()
    refused = town.calm("set", "image", "deployment/podinfo", "podinfo=another", check=False)
    assert refused.code, f"it was taken: {refused.out}"
    assert "divert-" in refused.err, refused.err
    town.carries_on()


def _worked(said: Said) -> None:
    assert said.code == 0, f"{said.out[-500:]}{said.err[-500:]}"


def _killed_after(*seconds: float) -> None:
    """Called as often as there are seconds, and killed after so many of them."""
    command = [sys.executable, "-u", "-m", "detour", "uninstall", "--yes", "--kubeconfig", str(KUBECONFIG)]
    for each in seconds:
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            time.sleep(each)
            process.kill()

"""A real Flagger, four applications under traffic, and what becomes of them: three are taken over, one is taken back.

The fourth is the reference: Flagger's own way out, `revertOnDeletion`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.bench import flagger
from tests.bench.answers import Answer, tally
from tests.bench.figure import say
from tests.bench.traffic import Traffic
from tests.cluster.kubectl import KUBECONFIG, ROOT, eventually, exists, kubectl
from tests.takeover.application import BLUE_GREEN, INTERVAL, Application

RATE = float(os.environ.get("RATE") or 20)  # requests a second for each application
LONGEST = 1500.0  # seconds
TAKE_OVER = 300.0
KILLED_AFTER = (2.0, 5.0, 9.0, 14.0, 20.0)  # seconds from the beginning of each attempt
CALM = 5.0  # seconds of traffic before and after
MOST_LATE = 1.0


@dataclass
class Finding:
    """One row: what was done, what users got meanwhile, and what should have been otherwise."""

    name: str
    text: str
    wrong: list[str] = field(default_factory=list)
    is_reference: bool = False

    @property
    def holds(self) -> bool:
        return self.is_reference or not self.wrong


class Scene:
    """The applications of one namespace, and their users."""

    def __init__(self, namespace: str) -> None:
        self.rejected = Application(namespace, "rejected")
        self.scaled = Application(namespace, "scaled", service=False, autoscaled=2)
        self.beside = Application(namespace, "beside", analysis=BLUE_GREEN, spec={"provider": "kubernetes"})
        self.reverted = Application(namespace, "reverted", spec={"revertOnDeletion": True})
        self.control = Application(namespace, "control")
        self._namespace = namespace

    @property
    def all(self) -> tuple[Application, ...]:
        return self.rejected, self.scaled, self.beside, self.reverted

    def findings(self) -> Iterator[Finding]:
        """Play it, act by act."""
        with flagger.running(self._namespace):
            self._prepare()
            yield self._taken_over_beside()
            yield self._reverted()
        eventually(lambda: not exists("-n", self._namespace, "pods", "-l", "app=flagger"), "Flagger is gone", 60)
        yield self._taken_over_in_pieces()
        yield self._taken_over_with_autoscaler()

    def _prepare(self) -> None:
        """Flagger has initialised all but one; two newer versions it has rejected, and one it has promoted."""
        self.control.open(canary=False)
        for application in self.all:
            application.open()
        for application in self.all:
            application.until("Initialized")
        say("  Flagger has initialised four Canaries")
        for application in (self.rejected, self.reverted):
            application.judge(0)
        for application in (self.rejected, self.reverted, self.scaled):
            application.update("6.0.1")
        for application, phase in ((self.rejected, "Failed"), (self.reverted, "Failed"), (self.scaled, "Succeeded")):
            application.until(phase)
        say("  and rejected version 6.0.1 of two, and promoted it for a third")
        time.sleep(2 * INTERVAL)  # an analysis that has ended is still being tidied up
        for application in (self.rejected, self.reverted):
            application.judge(1)

    def _taken_over_beside(self) -> Finding:
        """A Canary without routes, of a Flagger that goes on."""
        application = self.beside
        finding = Finding("beside a Flagger that goes on", "")
        refused = take_over(application)
        if refused.returncode == 0 or "Flagger runs" not in refused.stdout:
            finding.wrong.append(f"it was not refused while Flagger runs: {refused.stdout}")
        analysis = '{"iterations": null, "stepWeight": 50, "maxWeight": 50}'
        patch = f'{{"spec": {{"provider": "nginx", "analysis": {analysis}}}}}'
        application("patch", "canary", application.name, "--type=merge", "-p", patch)
        with self._users(application) as account:
            done = take_over(application, "--beside-flagger")
            finding.wrong += checked(application, done, "6.0.0", suspended=True)
            time.sleep(2 * INTERVAL)  # Flagger looks at it, twice
            finding.wrong += checked(application, done, "6.0.0", suspended=True)
            finding.wrong += updated(application, "6.0.2")
        return told(finding, account, {"6.0.0", "6.0.2"})

    def _taken_over_in_pieces(self) -> Finding:
        """Killed again and again, with SIGKILL, and called again."""
        application = self.rejected
        finding = Finding("its newest version rejected; the command killed again and again", "")
        with self._users(application) as account:
            for seconds in KILLED_AFTER:
                killed(application, seconds)
            finding.wrong += checked(application, take_over(application), "6.0.0")
            finding.wrong += waits_as_rejected(application, "6.0.1")
            finding.wrong += updated(application, "6.0.2")
        return told(finding, account, {"6.0.0", "6.0.2"})

    def _taken_over_with_autoscaler(self) -> Finding:
        """Flagger has made its Service, and promoted a version; an autoscaler is in force."""
        application = self.scaled
        finding = Finding("with an autoscaler; the Service is Flagger's", "")
        kubectl("-n", self._namespace, "scale", "deployment", f"{application.name}-primary", "--replicas=3")
        with self._users(application) as account:
            finding.wrong += checked(application, take_over(application), "6.0.1", replicas=3)
            if application.get("horizontalpodautoscaler")["spec"]["minReplicas"] != 2:
                finding.wrong.append("the autoscaler has not its minimum back")
            finding.wrong += updated(application, "6.0.2")
        return told(finding, account, {"6.0.1", "6.0.2"})

    def _reverted(self) -> Finding:
        """Flagger's own way out of the same situation."""
        application = self.reverted
        finding = Finding("reference: Flagger's revertOnDeletion", "", is_reference=True)
        with self._users(application) as account:
            application("delete", "canary", application.name, "--timeout=120s")
            eventually(lambda: not application.exists("deployment", f"{application.name}-primary"), "the copy is gone")
            time.sleep(CALM)
        return told(finding, account, {"6.0.0"})

    @contextmanager
    def _users(self, application: Application) -> Iterator["Account"]:
        """Users of an application, and of the one that nobody touches, from a while before until a while after."""
        account = Account()
        with ExitStack() as stack:
            both: list[Traffic] = [each.traffic(RATE, LONGEST) for each in (application, self.control)]
            for traffic in both:
                stack.callback(traffic.close)
                traffic.start()
            time.sleep(CALM)
            yield account
            time.sleep(CALM)
            account.answers, account.control = (traffic.stop() for traffic in both)


@dataclass
class Account:
    """What users got, once they have gone; `control` is of the application that nobody touches."""

    answers: Sequence[Answer] = ()
    control: Sequence[Answer] = ()


def told(finding: Finding, account: Account, versions: set[str]) -> Finding:
    """The finding with what users got; `versions` are those that may answer them."""
    counted, control = tally(account.answers), tally(account.control)
    answered = ", ".join(f"{count} by {version}" for version, count in sorted(counted.versions.items()))
    finding.text = (
        f"sent {counted.sent}, failed {len(counted.failed)}, answered {answered}; beside it, untouched: "
        f"sent {control.sent}, failed {len(control.failed)}"
    )
    if counted.failed:
        first = counted.failed[0]
        finding.wrong.append(f"{len(counted.failed)} requests failed, the first: {first.failure}")
    if strangers := set(counted.versions) - versions:
        finding.wrong.append(f"users were answered by {', '.join(sorted(strangers))}, which was never promoted")
    if missing := versions - set(counted.versions):
        finding.wrong.append(f"nobody was answered by {', '.join(sorted(missing))}")
    if counted.lag_p99 > MOST_LATE:
        finding.wrong.append("the users were too slow to say anything")
    return finding


def take_over(application: Application, *options: str) -> subprocess.CompletedProcess[str]:
    """The command, to its end."""
    done = subprocess.run(_command(application, *options), cwd=ROOT, text=True, capture_output=True, timeout=TAKE_OVER)
    say("\n    ".join(["", *(done.stdout + done.stderr).splitlines()])[1:])
    return done


def killed(application: Application, seconds: float) -> None:
    """The command, killed after this time."""
    with subprocess.Popen(_command(application), cwd=ROOT, text=True, stdout=subprocess.PIPE) as process:
        time.sleep(seconds)
        process.kill()
        said = process.stdout.read() if process.stdout else ""
    say(f"    killed after {seconds:.0f} s, its last words: {(said.splitlines() or ['none'])[-1]}")


def _command(application: Application, *options: str) -> list[str]:
    where = ["-n", application.namespace, "--kubeconfig", str(KUBECONFIG)]
    return [sys.executable, "-u", "-m", "detour", "take-over", application.name, "--yes", *options, *where]


def checked(
    application: Application,
    done: subprocess.CompletedProcess[str],
    tag: str,
    *,
    replicas: int = 2,
    suspended: bool = False,
) -> list[str]:
    """What is not as it should be after a take-over."""
    target, canary = application.get("deployment"), application.get("canary")
    selector = application.get("service")["spec"]["selector"]
    claims = {
        f"the command ended with {done.returncode}": done.returncode == 0,
        f"the Deployment runs {application.tag}": application.tag == tag,
        f"it has {target['spec']['replicas']} replicas": target["spec"]["replicas"] == replicas,
        f"the Service selects {selector}": selector == {"app": application.name},
        f"left: {application.left()}": not application.left(),
        f"suspend: {canary['spec'].get('suspend')}": bool(canary["spec"].get("suspend")) == suspended,
        "spec.autoscalerRef is still there": "autoscalerRef" not in canary["spec"],
    }
    return [wrong for wrong, holds in claims.items() if not holds]


def waits_as_rejected(application: Application, tag: str) -> list[str]:
    """What Flagger has rejected is diverted, and does not run."""
    application.until("Failed", 30)
    waits = application.get("deployment")["metadata"]["annotations"].get("detour.dev/template", "")
    return [] if f":{tag}" in waits else [f"{tag} does not wait"]


def updated(application: Application, tag: str) -> list[str]:
    """The next update is diverted, analysed and promoted."""
    before = application.tag
    said = application.update(tag)
    if not any("canary" in line for line in said.err.splitlines()) or application.tag != before:
        return [f"the update to {tag} was not diverted: {said.err}"]
    application.until("Succeeded")
    return [] if application.tag == tag else [f"the Deployment runs {application.tag}, not {tag}"]

"""What happened in the cluster around a request that failed: pods, endpoints, weights and phases as they changed.

Kept by `kubectl get --watch`, one process a kind for all namespaces, each line stamped as it arrives; and the Ingress
controller's own log says which pod it had chosen for each request that it did not answer well.
"""

import json
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench.answers import CANARY_PODS, Answer
from tests.cluster.kubectl import KUBECONFIG, KUBECTL

WEIGHT = r".metadata.annotations.nginx\.ingress\.kubernetes\.io/canary-weight"
COLUMNS = {
    "pod": (".status.podIP", '.status.conditions[?(@.type=="Ready")].status', ".metadata.deletionTimestamp"),
    "endpointslice": (".endpoints[*].addresses[0]", ".endpoints[*].conditions.ready"),
    "ingress": (WEIGHT,),
    "canary": (".status.phase", ".status.canaryWeight"),
}
ENDING = "told to end"
A_WHILE = 1.0  # seconds that the Ingress controller needs for nothing but an earlier choice
_LOG = ("-n", "ingress", "logs", "deployment/traefik", "--follow", "--since=1s")


@dataclass(frozen=True, slots=True)
class Moment:
    """One change, `at` on the monotonic clock. `values` are the columns of its kind, as kubectl prints them."""

    at: float
    kind: str
    namespace: str
    name: str
    event: str
    values: tuple[str, ...]

    @property
    def text(self) -> str:
        event = {"ADDED": "+", "DELETED": "−"}.get(self.event, "")
        return f"{event}{self.kind} {self.name} {' '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class Choice:
    """The address that the Ingress controller chose for a request that went wrong, and how many seconds earlier choices
    had taken: what cannot be connected to is tried again elsewhere, as ingress-nginx's `proxy-next-upstream` does.
    """

    address: str = ""
    before: float = 0.0


class Timeline:
    """Watches while its `watching` block lasts."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []
        self._choices: dict[tuple[str, int], Choice] = {}
        self._lock = threading.Lock()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Everything that changes, and every request that the Ingress controller did not answer well."""
        commands = {kind: ("get", kind, "-A", "--watch", *_format(columns)) for kind, columns in COLUMNS.items()}
        processes = {kind: _start(command) for kind, command in (commands | {"log": _LOG}).items()}
        threads = [threading.Thread(target=self._read, args=item, daemon=True) for item in processes.items()]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for process in processes.values():
                process.terminate()
            for thread in threads:
                thread.join()

    def of(self, namespace: str, kind: str = "") -> list[Moment]:
        """What happened in this namespace so far, in order."""
        with self._lock:
            return [moment for moment in self._moments if moment.namespace == namespace and kind in ("", moment.kind)]

    def choice(self, host: str, number: int) -> Choice:
        """What the Ingress controller's log says of a request that went wrong; empty where it says nothing."""
        with self._lock:
            return self._choices.get((host, number), Choice())

    def _read(self, kind: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdout
        with process.stdout as lines:
            for line in lines:
                if kind == "log":
                    self._log(line)
                    continue
                event, namespace, name, *values = line.split()
                with self._lock:
                    self._moments.append(Moment(time.monotonic(), kind, namespace, name, event, tuple(values)))
        process.wait()

    def _log(self, line: str) -> None:
        if '"DownstreamStatus":200' in line or not line.startswith("{"):
            return
        entry = json.loads(line)
        _, _, number = entry.get("RequestPath", "").partition("?n=")
        if number.isdecimal():
            choice = Choice(entry.get("ServiceAddr", "").rpartition(":")[0], entry.get("Overhead", 0) / 1e9)
            with self._lock:
                self._choices[entry["RequestHost"], int(number)] = choice


def _format(columns: Sequence[str]) -> tuple[str, ...]:
    paths = [".type", *(f".object{path}" for path in (".metadata.namespace", ".metadata.name", *columns))]
    titled = ",".join(f"C{number}:{path}" for number, path in enumerate(paths))
    return "--output-watch-events", "--no-headers", f"--output=custom-columns={titled}"


def _start(arguments: Sequence[str]) -> "subprocess.Popen[str]":
    command = [str(KUBECTL), "--kubeconfig", str(KUBECONFIG), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)


def living(moments: Sequence[Moment]) -> dict[str, bool]:
    """The pods that exist after these moments, those on their way out included, and whether each is ready."""
    pods: dict[str, bool] = {}
    for moment in moments:
        if moment.kind == "pod" and moment.event == "DELETED":
            pods.pop(moment.name, None)
        elif moment.kind == "pod":
            pods[moment.name] = moment.values[1] == "True"
    return pods


@dataclass(frozen=True, slots=True)
class Story:
    """Why a request failed: the pod chosen for it, and what happened to the pod, in seconds from the sending."""

    failed: Answer
    pod: str
    before: float
    changes: tuple[tuple[float, str], ...]
    canary: str

    @property
    def reason(self) -> str:
        """The class of the failure. Only what happens to the canary's pods, and to none, can be of Detour's making."""
        if not self.pod:
            return f"{self.failed.failure}, no pod chosen"
        whose = "canary" if self.pod.startswith(CANARY_PODS) else "primary"
        ending = any(change == ENDING for _, change in self.changes)
        fate = "that was ending" if ending else "that was there to stay"
        again = ", chosen after another had not let itself be connected to" if self.before > A_WHILE else ""
        return f"{self.failed.failure}, a pod of the {whose} {fate}{again}"

    @property
    def text(self) -> str:
        changes = ", ".join(f"{change} {at:+.2f} s" for at, change in self.changes)
        how = f"{'kept' if self.failed.kept else 'new'} connection, {self.failed.failure}"
        pod = f"{self.pod} after {self.before:.1f} s with another" if self.before > A_WHILE else self.pod
        return f"no. {self.failed.number}: {how} after {self.failed.seconds:.3f} s; {pod} {changes}; {self.canary}"


def story(failed: Answer, choice: Choice, moments: Sequence[Moment], nearby: float = 15.0) -> Story:
    """Tell a failure from what happened in its namespace, with the latest word of the Canary before it."""
    address = choice.address
    pod = next((m.name for m in reversed(moments) if m.kind == "pod" and address and m.values[0] == address), "")
    changes: list[tuple[float, str]] = []
    last: dict[str, str] = {}
    for moment in moments:
        change = _change(moment, pod, address)
        if change and last.get(moment.kind) != change:
            last[moment.kind] = change
            changes.append((moment.at - failed.at, change))
    told = [" ".join(m.values) for m in moments if m.kind == "canary" and m.at <= failed.at]
    near = tuple((at, change) for at, change in changes if abs(at) <= nearby)
    return Story(failed, pod, choice.before, near, f"Canary {told[-1]}" if told else "no Canary")


def _change(moment: Moment, pod: str, address: str) -> str:
    """What this moment meant for the pod; "" for nothing."""
    if moment.kind == "endpointslice" and address in (addresses := moment.values[0].split(",")):
        ready = moment.values[1].split(",")[addresses.index(address)]
        return "in its endpoints" if ready == "true" else "out of its endpoints"
    if moment.kind != "pod" or moment.name != pod:
        return ""
    if moment.event == "DELETED":
        return "gone"
    if moment.values[2] != "<none>":
        return ENDING
    return "ready" if moment.values[1] == "True" else "made"

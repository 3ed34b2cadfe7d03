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


class Timeline:
    """Watches while its `watching` block lasts."""

    def __init__(self) -> None:
        self._moments: list[Moment] = []
        self._upstreams: dict[tuple[str, int], str] = {}
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

    def upstream(self, host: str, number: int) -> str:
        """The address that the Ingress controller chose for a request that went wrong; "" where it chose none."""
        with self._lock:
            return self._upstreams.get((host, number), "")

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
            with self._lock:
                self._upstreams[entry["RequestHost"], int(number)] = entry.get("ServiceAddr", "")


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
    changes: tuple[tuple[float, str], ...]
    canary: str

    @property
    def reason(self) -> str:
        """The class of the failure. Only what happens to the canary's pods, and to none, can be of Detour's making."""
        if not self.pod:
            return f"{self.failed.failure}, no pod chosen"
        whose = "canary" if self.pod.startswith(CANARY_PODS) else "primary"
        told = any(change == ENDING for _, change in self.changes)
        return f"{self.failed.failure}, a pod of the {whose} {'that was ending' if told else 'that was there to stay'}"

    @property
    def text(self) -> str:
        changes = ", ".join(f"{change} {at:+.2f} s" for at, change in self.changes)
        how = f"{'kept' if self.failed.kept else 'new'} connection, {self.failed.failure}"
        return f"no. {self.failed.number}: {how} after {self.failed.seconds:.3f} s; {self.pod} {changes}; {self.canary}"


def story(failed: Answer, upstream: str, moments: Sequence[Moment], nearby: float = 15.0) -> Story:
    """Tell a failure from what happened in its namespace, with the latest word of the Canary before it."""
    address = upstream.rpartition(":")[0]
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
    return Story(failed, pod, near, f"Canary {told[-1]}" if told else "no Canary")


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

"""Analyzers as processes of the host, with the rights of the installed one, which stands by while one of them leads.

A kubelet that starts a killed container again waits longer each time, and in a pod neither the clock nor the way to the
API server is ours to disturb. Each name has a Pod object that no node ever runs, so that the API server says that name
of its token's bearer: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from analyzer.kube import lease
from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, Conflict, Unreachable
from analyzer.kube.resources import LEASES
from sandbox import layout, record
from tests.bench import audit
from tests.cluster.kubectl import KUBECONFIG, ROOT, Object, eventually, get, kubectl
from tests.cluster.namespaces import unique
from tests.cluster.reading import credentials
from tests.faults.analyzer import Analyzer, free_port

NAMESPACE, ACCOUNT, DEPLOYMENT = "detour", "detour-analyzer", "detour"
LOGS = KUBECONFIG.parent / "faults"


class Analyzers:
    """All of those on the host. A name is that of a replica: who is started again under it is the same to the Lease."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._suffix = unique("host")
        self._admin = Client.connect(str(KUBECONFIG))
        self._tokens: dict[str, str] = {}
        self._started: list[Analyzer] = []
        self._closed = False

    def lead(self, name: str, *options: str, env: Mapping[str, str] | None = None, server: str = "") -> Analyzer:
        """Take the lease away from whoever has it, and wait until the one of this name works in his place."""
        self.hand_to(name)
        started = self.start(name, *options, env=env, server=server)
        started.until_at_work()
        return started

    def start(self, name: str, *options: str, env: Mapping[str, str] | None = None, server: str = "") -> Analyzer:
        """Start one; it leads if the lease is its own or free, and otherwise stands by.

        `options` are more of `detour analyzer`'s, `env` more of the environment's, `server` is how it reaches the API
        server, if not as everybody else.
        """
        assert not self._closed, "nobody starts analyzers any more"
        pod = self.pod(name)
        kubeconfig = self._kubeconfig(name, server)
        log = LOGS / f"{pod}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        port = free_port()
        certificates = self._folder / f"tls-{name}"
        certificates.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "detour", "analyzer", f"--certificates={certificates}"]
        command += [f"--kubeconfig={kubeconfig}", f"--port={port}"]
        command += [f"--metrics-server={prometheus_of_the_host()}", "--allow-address=127.0.0.0/8", *options]
        environment = {**os.environ, "POD_NAME": pod, "POD_NAMESPACE": NAMESPACE, **(env or {})}
        with log.open("ab") as output:
            offset = output.tell()
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        started = Analyzer(pod, process, port, log, offset)
        self._started.append(started)
        return started

    def pod(self, name: str) -> str:
        """What the replica of this name is called in the Lease."""
        return f"{self._suffix}-{name}"

    @property
    def running(self) -> list[Analyzer]:
        """Those that have not ended."""
        return [each for each in self._started if each.running]

    @property
    def holder(self) -> str:
        """Who leads, by the Lease."""
        return str(self._lease()["spec"].get("holderIdentity", ""))

    @property
    def acquired(self) -> float:
        """Since when, in Unix time, by its own clock."""
        return audit.seconds(self._lease()["spec"]["acquireTime"])

    @property
    def transitions(self) -> int:
        """How often the lease has gone from one to another."""
        return int(self._lease()["spec"].get("leaseTransitions", 0))

    def hand_to(self, name: str) -> None:
        """Write the Lease as if the replica of this name had taken it just now."""
        self._kubeconfig(name)
        self._write(self.pod(name))

    @contextmanager
    def reserved_for(self, name: str) -> Iterator[None]:
        """The one of this name gets the lease, and nobody else, however slowly it is started again and again.

        The installed analyzer reaches nothing that listens on the loopback of the host.
        """
        self.hand_to(name)
        over = threading.Event()

        def renew() -> None:
            known, since = "", time.monotonic()
            while not over.wait(1) and not self._closed:
                with suppress(ApiError, Unreachable):
                    version = self._lease()["metadata"]["resourceVersion"]
                    if version != known:
                        known, since = version, time.monotonic()
                    elif time.monotonic() - since > lease.SECONDS / 2:
                        self._write(self.pod(name))

        keeper = threading.Thread(target=renew, name="lease-keeper", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join(30)

    def end_all(self) -> None:
        """None is left that goes by a name of the next row."""
        for each in self.running:
            each.kill()

    def close(self) -> None:
        """End them all, give the lease back, and wait until the installed one leads again."""
        self._closed = True  # a row may still be playing, if somebody has no patience
        self.end_all()
        if self.holder.startswith(self._suffix):
            self._write("")
        for name in self._tokens:
            kubectl("-n", NAMESPACE, "delete", "pod", self.pod(name), "--wait=false", "--ignore-not-found")
        eventually(self._installed_leads, "the installed analyzer leads again", 90, lambda: self.holder)

    def _installed_leads(self) -> bool:
        """It was put out of office, which ends the process: the kubelet may let a container wait for minutes then."""
        pods = get("-n", NAMESPACE, "pods", "-l", "app.kubernetes.io/name=detour")["items"]
        if any(pod["metadata"]["name"] == self.holder for pod in pods):
            return True
        if any(_waits_for_the_kubelet(pod) for pod in pods):
            kubectl("-n", NAMESPACE, "rollout", "restart", f"deployment/{DEPLOYMENT}")
            kubectl("-n", NAMESPACE, "rollout", "status", f"deployment/{DEPLOYMENT}", "--timeout=90s")
        return False

    def _lease(self) -> Object:
        return self._admin.get(LEASES, NAMESPACE, lease.NAME)

    def _write(self, holder: str) -> None:
        while True:
            found = self._lease()
            now = time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
            if found["spec"].get("holderIdentity") != holder:
                term = int(found["spec"].get("leaseTransitions", 0)) + 1
                found["spec"] |= {"holderIdentity": holder, "acquireTime": now, "leaseTransitions": term}
            found["spec"]["renewTime"] = now
            try:
                self._admin.replace(LEASES, found)
                return
            except Conflict:
                continue  # its holder has renewed it meanwhile

    def _kubeconfig(self, name: str, server: str = "") -> Path:
        """For the bearer of a token of the analyzer's account, bound to the Pod of this name."""
        if name not in self._tokens:
            self._tokens[name] = self._token(self.pod(name))
        config = json.loads(KUBECONFIG.read_text())
        address, _, _ = credentials(KUBECONFIG)
        config["clusters"][0]["cluster"]["server"] = server or address
        config["users"][0]["user"] = {"token": self._tokens[name]}
        path = self._folder / f"{name}.kubeconfig"
        path.write_text(json.dumps(config))
        return path

    def _token(self, pod: str) -> str:
        spec = _spec_of_a_pod_that_never_runs()
        body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": pod}, "spec": spec}
        kubectl("-n", NAMESPACE, "create", "-f", "-", stdin=json.dumps(body))
        uid = get("-n", NAMESPACE, "pod", pod)["metadata"]["uid"]
        bound = ("--bound-object-kind=Pod", f"--bound-object-name={pod}", f"--bound-object-uid={uid}")
        return kubectl("-n", NAMESPACE, "create", "token", ACCOUNT, *bound, "--duration=3h").out.strip()


@contextmanager
def analyzers() -> Iterator[Analyzers]:
    """For the length of the block; afterwards the installed one leads as before."""
    with tempfile.TemporaryDirectory(prefix="detour-faults-") as folder:
        found = Analyzers(Path(folder))
        try:
            yield found
        finally:
            found.close()


def prometheus_of_the_host() -> str:
    """Where the sandbox's Prometheus is for a process on the host."""
    running = record.read()
    ports = running.ports if running else layout.Ports.from_environment()
    return f"http://127.0.0.1:{ports.prometheus}"


def _spec_of_a_pod_that_never_runs() -> Object:
    """A scheduling gate holds it; what else there is satisfies the Pod Security Standard of the namespace."""
    locked = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    return {
        "serviceAccountName": ACCOUNT,
        "schedulingGates": [{"name": "detour.dev/host"}],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "nothing", "image": "nothing", "securityContext": locked}],
    }


def _waits_for_the_kubelet(pod: Object) -> bool:
    states = [status.get("state", {}) for status in pod.get("status", {}).get("containerStatuses", ())]
    return any(state.get("waiting", {}).get("reason") == "CrashLoopBackOff" for state in states)

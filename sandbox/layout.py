"""Where the sandbox lives. Its addresses are its own: the host sees only a name, a folder and the ports.

One a machine is enough for most; others run beside it under another DETOUR_SANDBOX_NAME, from another checkout.
"""

import os
from dataclasses import dataclass, fields
from pathlib import Path

from sandbox.errors import UserError

NAME_VARIABLE = "DETOUR_SANDBOX_NAME"
NAME = os.environ.get(NAME_VARIABLE) or "detour-sandbox"
CHECKOUT = Path(__file__).resolve().parent.parent

STATE = Path("/var/lib") / NAME
LOGS = STATE / "logs"
AUDIT_LOG = LOGS / "audit.log"
CONTAINERD_SOCKET = STATE / "containerd" / "containerd.sock"

NODE = "sandbox"
NODE_ADDRESS = "10.250.0.1"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
KUBERNETES_ADDRESS = "10.96.0.1"
# The addons' manifests claim these addresses, so that nobody needs to resolve a name to reach them.
DNS_ADDRESS = "10.96.0.10"
INGRESS_ADDRESS = "10.96.0.80"
PROMETHEUS_ADDRESS = "10.96.0.90"


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports on the host's loopback, each settable as DETOUR_SANDBOX_<NAME>_PORT."""

    api: int = 6443
    http: int = 8080
    https: int = 8443
    prometheus: int = 9090

    @staticmethod
    def from_environment(environment: "os._Environ[str] | dict[str, str]" = os.environ) -> "Ports":
        """Raises UserError for what is no port."""
        chosen = {}
        for field in fields(Ports):
            text = environment.get(variable(field.name), "")
            if not text:
                continue
            if not text.isdecimal() or not 0 < int(text) < 65536:
                raise UserError(f"{variable(field.name)} is '{text}': set it to a port, 1 to 65535, or unset it")
            chosen[field.name] = int(text)
        return Ports(**chosen)

    def targets(self) -> dict[str, tuple[int, str]]:
        """Name → port on the loopback, and the address within the sandbox that it leads to."""
        return {
            "api": (self.api, f"{NODE_ADDRESS}:6443"),
            "http": (self.http, f"{INGRESS_ADDRESS}:80"),
            "https": (self.https, f"{INGRESS_ADDRESS}:443"),
            "prometheus": (self.prometheus, f"{PROMETHEUS_ADDRESS}:9090"),
        }


def variable(port: str) -> str:
    """The environment variable that moves the port of this name."""
    return f"DETOUR_SANDBOX_{port.upper()}_PORT"

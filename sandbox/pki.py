"""The cluster's certificates, made by `openssl`, since Python's standard library cannot make any."""

from dataclasses import dataclass
from pathlib import Path

from sandbox import command
from sandbox.layout import KUBERNETES_ADDRESS, NAME, NODE_ADDRESS, STATE

DIRECTORY = STATE / "pki"
DAYS = "365"


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate and its private key."""

    name: str

    @property
    def certificate(self) -> Path:
        return DIRECTORY / f"{self.name}.crt"

    @property
    def key(self) -> Path:
        return DIRECTORY / f"{self.name}.key"


AUTHORITY = Pair("ca")
API_SERVER = Pair("api-server")
# What the API server shows to the kubelet for `kubectl logs` and `exec`.
API_SERVER_AS_CLIENT = Pair("api-server-as-client")
SERVICE_ACCOUNT_KEY = DIRECTORY / "service-account.key"
SERVICE_ACCOUNT_PUBLIC_KEY = DIRECTORY / "service-account.pub"
# What the API server shows to those that serve APIs in its place, such as metrics-server, in the name of its clients.
FRONT_PROXY = Pair("front-proxy")
FRONT_PROXY_NAME = "front-proxy-client"

_API_SERVER_NAMES = (
    "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,"
    f"DNS:localhost,IP:127.0.0.1,IP:{NODE_ADDRESS},IP:{KUBERNETES_ADDRESS}"
)


def create() -> None:
    """Makes every key and certificate anew. Raises UserError when openssl refuses."""
    DIRECTORY.mkdir(mode=0o700, parents=True, exist_ok=True)
    _certificate(AUTHORITY, f"/CN={NAME}", "basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign")
    _signed(API_SERVER, "/CN=kube-apiserver", "extendedKeyUsage=serverAuth", f"subjectAltName={_API_SERVER_NAMES}")
    _signed(API_SERVER_AS_CLIENT, "/O=system:masters/CN=kube-apiserver-kubelet-client", "extendedKeyUsage=clientAuth")
    _signed(FRONT_PROXY, f"/CN={FRONT_PROXY_NAME}", "extendedKeyUsage=clientAuth")
    _openssl("genpkey", *_ALGORITHM, "-out", str(SERVICE_ACCOUNT_KEY))
    _openssl("pkey", "-in", str(SERVICE_ACCOUNT_KEY), "-pubout", "-out", str(SERVICE_ACCOUNT_PUBLIC_KEY))


_ALGORITHM = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")


def _signed(pair: Pair, subject: str, *extensions: str) -> None:
    by = ("-CA", str(AUTHORITY.certificate), "-CAkey", str(AUTHORITY.key))
    _certificate(pair, subject, "basicConstraints=critical,CA:FALSE", *extensions, by=by)


def _certificate(pair: Pair, subject: str, *extensions: str, by: tuple[str, ...] = ()) -> None:
    _openssl("genpkey", *_ALGORITHM, "-out", str(pair.key))
    added = [word for extension in extensions for word in ("-addext", extension)]
    files = ("-key", str(pair.key), "-out", str(pair.certificate))
    # An empty configuration, or the distribution's would add extensions of its own.
    _openssl("req", "-x509", "-config", "/dev/null", "-days", DAYS, "-subj", subject, *files, *by, *added)


def _openssl(*arguments: str) -> None:
    command.run("openssl", *arguments)

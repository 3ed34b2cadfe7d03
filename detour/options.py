"""What an operator sets of the analyzer, read once and checked; docs/options.md has the chart's value for each."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import yaml

from analyzer import callbacks, places, policy
from analyzer.addresses import OPTION as ALLOW
from analyzer.addresses import Addresses
from analyzer.fields import SpecError
from analyzer.gauges import SHARE, Reach
from analyzer.kube.lease import LONGEST, RENEW_EVERY, SECONDS, SHORTEST, Timing
from analyzer.routing.gateway import Gateway
from analyzer.routing.nginx import PREFIX, Nginx
from analyzer.routing.several import Several
from analyzer.scope import Scope
from analyzer.wanted import PROVIDERS
from detour import chats, logs
from detour.chats import Chats
from detour.keeper import OWN, SOURCES, Source
from detour.logs import Function

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123
_SUBDOMAIN = re.compile(rf"(?=.{{1,253}}$){_LABEL.pattern}(\.{_LABEL.pattern})*")


def _name(pattern: re.Pattern[str], what: str) -> Any:
    """A callback for click that takes what Kubernetes would take."""

    def check(_context: click.Context, _option: click.Parameter, value: Any) -> Any:
        for each in value if isinstance(value, tuple) else (value,):
            if each and not pattern.fullmatch(each):
                raise click.BadParameter(f"{each!r} is no {what}: lower-case letters, digits, and - in between")
        return value

    return check


def _spec(_context: click.Context, _option: click.Parameter, file: Path | None) -> Mapping[str, Any] | None:
    """The spec of a CanaryPolicy in a file."""
    if file is None:
        return None
    try:
        spec = yaml.safe_load(file.read_text())
        if not isinstance(spec, dict) or "kind" in spec:
            raise click.BadParameter(
                f"{file}: put in it what stands under `spec` of a CanaryPolicy, such as `analysis:`"
            )
        policy.check(spec)
    except SpecError as error:
        raise click.BadParameter(f"{file}: {error}") from error
    except (yaml.YAMLError, TypeError, ValueError, OSError) as error:
        said = " ".join(str(error).split())
        raise click.BadParameter(f"{file}: {said}; compare it with kubectl explain canarypolicy.spec") from error
    return spec


def _webhook(_context: click.Context, _option: click.Parameter, value: str) -> str:
    """An address that may be called like a Canary's own."""
    try:
        callbacks.everyones(value)
        return value
    except SpecError as error:
        raise click.BadParameter(f"{error.problem}; {error.remedy}") from error


FLAGS = (
    click.option(
        "--certificates", type=click.Path(path_type=Path), required=True, help="where the webhook reads its own"
    ),
    click.option(
        "--certificates-from", type=click.Choice(SOURCES), default=OWN, show_default=True, help="who issues them"
    ),
    click.option(
        "--mounted", type=click.Path(path_type=Path), default=Path("/run/detour/secret"), help="the Secret's files"
    ),
    click.option(
        "--settle", type=click.IntRange(1), default=60, hidden=True, help="seconds, for tests; see certs.brought"
    ),
    click.option(
        "--namespace",
        "namespaces",
        multiple=True,
        callback=_name(_LABEL, "name of a namespace"),
        help="the only ones looked at; the webhook's namespaceSelector has to agree",
    ),
    click.option(
        "--default-policy",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        callback=_spec,
        metavar="FILE",
        help="the spec of the CanaryPolicy `default`, made if there is none",
    ),
    click.option(
        places.OPTION,
        "at_once",
        type=click.IntRange(0),
        default=0,
        metavar="NUMBER",
        help="rollouts in flight at once, the others wait for their turn; 0, as by default, for any number",
    ),
    click.option(
        "--mesh-provider",
        type=click.Choice(list(PROVIDERS)),
        help="the provider of Canaries that name none; by default what is found",
    ),
    click.option(
        "--ingress-annotations-prefix",
        default=PREFIX,
        show_default=True,
        callback=_name(_SUBDOMAIN, "prefix of an annotation"),
        help="of the canary annotations",
    ),
    click.option(
        "--ingress-class",
        default="",
        callback=_name(_SUBDOMAIN, "name of an IngressClass"),
        help="the only one that is split, whatever its controller; by default those of controllers that are known to",
    ),
    click.option("--metrics-server", default="", help="the Prometheus of built-in metrics, if a Canary names none"),
    click.option(
        "--event-webhook",
        envvar="EVENT_WEBHOOK_URL",
        default="",
        callback=_webhook,
        help="told of every event of Canaries that have no webhook of type event",
    ),
    click.option(
        ALLOW, "allowed", multiple=True, metavar="HOST|CIDR", help="may be called, although refused otherwise"
    ),
    click.option(
        SHARE,
        "shared",
        multiple=True,
        metavar="NAMESPACE",
        help="whose MetricTemplates and AlertProviders all may use; * for any",
    ),
    chats.options,
    click.option(
        "--lease-seconds",
        type=click.IntRange(SHORTEST, LONGEST),
        default=SECONDS,
        show_default=True,
        help="after which another replica leads",
    ),
    click.option(
        "--renew-seconds",
        type=float,
        default=RENEW_EVERY,
        show_default=True,
        help="between the leader's renewals; a third of the above at most",
    ),
    logs.options,
)


def options(function: Function) -> Function:
    """The flags, for `Options`."""
    for flag in reversed(FLAGS):
        function = flag(function)
    return function


@dataclass(frozen=True, slots=True)
class Options:
    """The flags' values, by click's names, and what they are for."""

    certificates: Path
    certificates_from: str
    mounted: Path
    settle: int
    namespaces: tuple[str, ...]
    default_policy: Mapping[str, Any] | None
    at_once: int
    mesh_provider: str | None
    ingress_annotations_prefix: str
    ingress_class: str
    metrics_server: str
    event_webhook: str
    allowed: tuple[str, ...]
    shared: tuple[str, ...]
    chats: Chats
    lease_seconds: int
    renew_seconds: float
    log_level: str
    log_format: str

    @property
    def source(self) -> Source:
        """Where certificates come from."""
        return Source(self.certificates_from, self.mounted, timedelta(seconds=self.settle))

    @property
    def scope(self) -> Scope:
        """What is looked at."""
        return Scope(*self.namespaces)

    @property
    def router(self) -> Several:
        """What splits requests."""
        return Several((Nginx(self.ingress_annotations_prefix, self.ingress_class), Gateway()))

    @property
    def timing(self) -> Timing:
        """Of the lease. Raises click.BadParameter."""
        try:
            return Timing(self.lease_seconds, self.renew_seconds)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--renew-seconds") from error

    def reach(self, home: str) -> Reach:
        """What the operator names may be called, his Prometheus, chats and webhook, too; what is beside Detour is his.

        Raises click.BadParameter.
        """
        known = [urlsplit(address).hostname for address in (self.metrics_server, self.event_webhook) if address]
        try:
            addresses = Addresses.allowing(*self.allowed, *self.chats.hosts, *(host for host in known if host))
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint=ALLOW) from error
        return Reach(addresses, frozenset((*self.shared, home)), self.metrics_server)

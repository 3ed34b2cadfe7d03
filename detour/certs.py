"""`detour certs`: which certificates there are, who trusts them, and renewing them now instead of in time."""

import functools
import time
from collections.abc import Callable
from datetime import datetime

import click
from rich.table import Table
from rich.text import Text

from analyzer.kube.client import Client
from analyzer.kube.errors import ApiError, NotFound, Unreachable
from analyzer.kube.resources import SECRETS, WEBHOOK_CONFIGURATIONS
from analyzer.removal import CONFIGURATION
from certs import authority, orders
from detour.certificates import SECRET
from detour.drawing import NONE
from detour.person import Problem, place, sentence
from detour.terminal import console, say
from detour.trust import RETIRED, SIGNS, SUCCESSOR, Authority, Presented, Trust, fingerprint, look

PATIENCE = 180.0  # seconds; a succession takes one minute
LOOK_EVERY = 1.0  # seconds

Done = Callable[[Trust], str]
"""What is still missing, "" when all is done."""


@click.group("certs")
def command() -> None:
    """The certificates by which the API server trusts the webhook."""


def in_a_cluster(action: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the cluster; where Detour is, its webhook configuration says."""

    @click.option("--kubeconfig", help="by default $KUBECONFIG, else ~/.kube/config, else the pod's ServiceAccount")
    @functools.wraps(action)
    def with_client(kubeconfig: str | None, *args: object, **kwargs: object) -> None:
        try:
            action(place(kubeconfig, None).client, *args, **kwargs)
        except (ApiError, Unreachable) as error:
            raise Problem(sentence(error)) from error

    return with_client


@command.command("status")
@in_a_cluster
def status(client: Client) -> None:
    """Show each CA, and what each replica presents: until when, whether it is trusted, what happens next.

    Exits with 1 when the API server would refuse a replica.
    """
    trust = look(client)
    console().print(table(trust))
    if not trust.replicas:
        say("no replica of the webhook runs: see kubectl get pods of its namespace", problem=True)
    if not trust.replicas or any(replica.refused for replica in trust.replicas):
        raise SystemExit(1)


@command.command("rotate")
@click.option("--ca", is_flag=True, help="the CA, too: its successor is trusted first, and signs a minute later")
@click.option("--wait/--no-wait", default=True, show_default=True, help="until every replica serves the new one")
@in_a_cluster
def rotate(client: Client, ca: bool, wait: bool) -> None:
    """Have every replica serve a new certificate, without a restart and without a failed request."""
    ordered = _order(client, orders.RENEW_CA if ca else orders.RENEW_SERVING)

    def done(trust: Trust) -> str:
        signing = next((each.pem for each in trust.authorities if each.role == SIGNS), b"")
        if ca and not (signing and authority.issued_at(signing) >= ordered):
            trusted = any(each.role == SUCCESSOR for each in trust.authorities)
            return "the successor is trusted, and signs in a minute" if trusted else "waiting for the CA's successor"
        new = [each for each in trust.replicas if _is_new(each, signing, ordered)]
        return "" if new == list(trust.replicas) else f"{len(new)} of {len(trust.replicas)} replicas serve the new one"

    if wait:
        _until(client, done)
        say("every replica serves a new certificate, and the API server trusts it")


@command.command("distrust")
@in_a_cluster
def distrust(client: Client) -> None:
    """Take retired CAs out of the caBundle now, and not a week after they signed last.

    For a CA whose key somebody may have: first `detour certs rotate --ca`, then this.
    """
    trust = look(client)
    signing = next((each.pem for each in trust.authorities if each.role == SIGNS), b"")
    if late := [each.pod for each in trust.replicas if each.pem and not authority.signed(each.pem, signing)]:
        raise Problem(f"a retired CA still vouches for {', '.join(late)}: run detour certs rotate first")
    _order(client, orders.DISTRUST)
    _until(
        client,
        lambda now: "waiting for the caBundle" if any(each.role == RETIRED for each in now.authorities) else "",
    )
    say("no retired CA is trusted any longer")


def table(trust: Trust) -> Table:
    """One line a certificate."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for column in ("CERTIFICATE", "OF", "FINGERPRINT", "EXPIRES", "TRUSTED", "NEXT"):
        drawn.add_column(column, overflow="fold")
    for each in trust.authorities:
        missing = f"not by {', '.join(each.missing)}" if each.missing else "yes"
        drawn.add_row("CA", each.role, *_cells(each.pem, trust.now), _judged(missing, "yes"), _next_of(each))
    for replica in trust.replicas:
        cells = _cells(replica.pem, trust.now) if replica.pem else (NONE, NONE)
        drawn.add_row(
            "serving", replica.pod, *cells, _judged(replica.refused or "yes", "yes"), _next_at(replica, trust)
        )
    return drawn


def _order(client: Client, key: str) -> datetime:
    """Write an order on the CA's Secret, as of now by the API server's clock."""
    now = client.now()
    service = client.get(WEBHOOK_CONFIGURATIONS, None, CONFIGURATION)["webhooks"][0]["clientConfig"]["service"]
    stamp = now.isoformat().replace("+00:00", "Z")
    try:
        client.mark(SECRETS, service["namespace"], SECRET, {"annotations": {key: stamp}})
    except NotFound as error:
        raise Problem(f"there is no Secret {SECRET}: others issue the certificate here, renew it there") from error
    return now


def _until(client: Client, done: Done) -> None:
    deadline, said = time.monotonic() + PATIENCE, ""
    while missing := done(look(client)):
        if missing != said:
            say(missing)
            said = missing
        if time.monotonic() > deadline:
            raise Problem(f"not within {PATIENCE:.0f} s: {missing}; see the analyzer's log, and detour certs status")
        time.sleep(LOOK_EVERY)


def _is_new(replica: Presented, signing: bytes, ordered: datetime) -> bool:
    return (
        not replica.refused and authority.signed(replica.pem, signing) and authority.issued_at(replica.pem) >= ordered
    )


def _cells(pem: bytes, now: datetime) -> tuple[str, str]:
    ends = authority.expires_at(pem)
    left = ends - now
    rest = f"in {left.days} d" if left.days else f"in {left.seconds // 3600} h"
    return fingerprint(pem), f"{ends:%Y-%m-%d %H:%M} ({rest if left.total_seconds() > 0 else 'has expired'})"


def _next_of(each: Authority) -> str:
    if each.role == SIGNS:
        return f"successor {authority.renew_at(each.pem):%Y-%m-%d}"
    if each.role == SUCCESSOR:
        return "signs within a minute or two"
    return "leaves a week after its last signature" if each.role == RETIRED else NONE


def _next_at(replica: Presented, trust: Trust) -> str:
    if any(each.role == SIGNS and authority.signed(replica.pem, each.pem) for each in trust.authorities):
        return f"renewed {authority.renew_at(replica.pem):%Y-%m-%d %H:%M}"
    return NONE


def _judged(text: str, good: str) -> Text:
    return Text(text, style="green" if text == good else "red")

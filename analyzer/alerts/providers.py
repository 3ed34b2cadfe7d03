"""From the name of an AlertProvider to where its alerts go: the object, and the Secret that it refers to.

Both are asked for when there is something to send, so nothing is followed at rest. One of another namespace may be
used where the operator shares that namespace, as with MetricTemplates; and with its Secret, since whoever uses it
learns nothing of that and cannot have it sent anywhere else.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from analyzer.actions import Severity
from analyzer.alerts.alert import Destination
from analyzer.alerts.outbox import Audience
from analyzer.alerts.service import SERVICES
from analyzer.alerts.subscription import Subscription
from analyzer.fields import SpecError
from analyzer.gauges import ALL, SHARE
from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import ALERT_PROVIDERS, SECRETS

Object = Mapping[str, Any]

USERNAME = "detour"
_TOKEN = re.compile(r"[!-~]*")


class Providers:
    """`defaults` are the operator's own, by name, for Canaries that name nobody; `shared` are namespaces, or ALL."""

    def __init__(self, client: Client, shared: frozenset[str], defaults: Mapping[str, Destination]) -> None:
        self._client = client
        self._shared = shared
        self._defaults = defaults

    def audience(self, subscriptions: tuple[Subscription, ...], namespace: str) -> Audience:
        """Who is told, for a Canary in `namespace`. The operator's defaults are told everything, as Flagger's are."""
        if not subscriptions:
            return dict.fromkeys(self._defaults, Severity.INFO)
        audience: dict[str, Severity] = {}
        order = list(Severity)
        for each in subscriptions:
            place = each.place(namespace)
            audience[place] = min(each.least, audience.get(place, each.least), key=order.index)
        return audience

    def find(self, place: str, namespace: str) -> Destination:
        """Where alerts for `place` go, of a Canary in `namespace`.

        Raises SpecError that names what is missing, and the errors of `analyzer.kube.errors`.
        """
        if place in self._defaults:
            return self._defaults[place]
        where, _, name = place.partition("/")
        field = f"spec.analysis.alerts[].providerRef of {place}"
        if not name:
            raise SpecError(field, "the analyzer is not started with such an address any more", "name an AlertProvider")
        if where != namespace and not {where, ALL} & self._shared:
            problem = f"namespace {where} is not {namespace}, and does not share its AlertProviders"
            remedy = f"make one in namespace {namespace}, or have the analyzer started with {SHARE}={where}"
            raise SpecError(field, problem, remedy)
        try:
            provider = self._client.get(ALERT_PROVIDERS, where, name)
        except NotFound:
            problem = f"there is no AlertProvider {name} in namespace {where}"
            raise SpecError(field, problem, "create it, or correct the name") from None
        return self._destination(provider.get("spec") or {}, where, f"AlertProvider {place}")

    def _destination(self, spec: Object, namespace: str, whose: str) -> Destination:
        if spec.get("type") not in SERVICES:
            problem = f"{spec.get('type')!r} is no service that this version of Detour has"
            raise SpecError(f"spec.type of {whose}", problem, f"use {', '.join(SERVICES)}")
        secret = self._secret(spec, namespace, whose)
        address = checked(secret.get("address") or spec.get("address") or "", f"spec.address of {whose}")
        if secret and spec.get("proxy") and not address.startswith("https:"):
            problem = "what its Secret has would be read on the way, since the address there is not https"
            raise SpecError(f"spec.proxy of {whose}", problem, "take it out, or put an https address into the Secret")
        return Destination(
            kind=spec["type"],
            address=address,
            channel=spec.get("channel") or "",
            username=spec.get("username") or USERNAME,
            token=secret.get("token", ""),
            proxy=checked(spec["proxy"], f"spec.proxy of {whose}") if spec.get("proxy") else "",
        )

    def _secret(self, spec: Object, namespace: str, whose: str) -> dict[str, str]:
        """What the Secret holds: address and, if it has one, token."""
        name, field = (spec.get("secretRef") or {}).get("name"), f"spec.secretRef of {whose}"
        if not name:
            return {}
        try:
            data = self._client.get(SECRETS, namespace, name).get("data") or {}
        except NotFound:
            problem = f"Secret {name} is not in namespace {namespace}"
            raise SpecError(field, problem, "create it, or correct the name") from None
        try:
            found = {key: base64.b64decode(data[key]).decode().strip() for key in ("address", "token") if key in data}
        except (binascii.Error, UnicodeDecodeError):
            raise SpecError(field, f"a value in Secret {name} is no text", "store it as text") from None
        if not found.get("address"):
            raise SpecError(field, f"Secret {name} has no key address", "put the address of the webhook there")
        if not _TOKEN.fullmatch(found.get("token", "")):
            raise SpecError(field, f"the token in Secret {name} has impossible characters", "store it without spaces")
        return found


def checked(address: str, field: str) -> str:
    """An address that can be called. Raises SpecError, which does not quote it: it may be a secret."""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise SpecError(field, "it is no address", "write it like https://hooks.slack.com/services/…")
    return address

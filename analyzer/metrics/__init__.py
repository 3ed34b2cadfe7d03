"""Metrics: where the evidence comes from. One module a provider; the verdict on what they say is `verdict`'s."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from analyzer.addresses import Addresses
from analyzer.fields import SpecError
from analyzer.metrics import builtin
from analyzer.metrics.prometheus import Prometheus
from analyzer.metrics.provider import Provider
from analyzer.metrics.verdict import least_requests, limits, no_data

Object = Mapping[str, Any]

_TOKEN = re.compile(r"[!-~]+")  # visible ASCII: all that a header may hold; the error of a lower layer would quote it


def template_of(metric: Object, namespace: str) -> tuple[str, str] | None:
    """Namespace and name of the MetricTemplate that an entry of `spec.analysis.metrics` refers to; None without one.

    Without a namespace it is the Canary's own. Raises SpecError for a metric that nothing says how to measure.
    """
    reference = metric.get("templateRef") or {}
    if reference.get("name"):
        return reference.get("namespace") or namespace, reference["name"]
    if metric.get("name") in builtin.NAMES or metric.get("query"):
        return None
    raise SpecError(
        f"spec.analysis.metrics[{metric.get('name')}].templateRef",
        "nothing says how to measure it",
        f"name a MetricTemplate, or use a built-in metric: {', '.join(builtin.NAMES)}",
    )


def validate(metrics: Iterable[Object], namespace: str) -> None:
    """Raises SpecError for a metric that could not be judged, whatever its provider said."""
    for metric in metrics:
        template_of(metric, namespace)
        limits(metric)
        no_data(metric)
        least_requests(metric)


def provider_for(metric_template: Object, secret: Object | None, addresses: Addresses) -> Provider:
    """The provider of a MetricTemplate, ready to be asked. The caller closes it.

    `secret` is the Secret of `spec.provider.secretRef` as the API server gives it, None if there is none;
    `addresses` says which it may be at. Raises SpecError, which names the field and the remedy.
    """
    metadata, provider = metric_template["metadata"], (metric_template.get("spec") or {}).get("provider") or {}
    where = f"MetricTemplate {metadata.get('namespace', '')}/{metadata['name']}"
    build = _PROVIDERS.get(provider.get("type", ""))
    if build is None:
        raise SpecError(
            f"spec.provider.type of {where}",
            f"{provider.get('type')!r} is no provider that this version of Detour has",
            f"use {' or '.join(_PROVIDERS)}",
        )
    credentials = _credentials(provider, secret, where)
    try:
        return build(provider, credentials, addresses)
    except SpecError as error:
        raise error.of(where) from None


def _prometheus(provider: Object, credentials: Mapping[str, str], addresses: Addresses) -> Provider:
    token, user = credentials.get("token"), credentials.get("username")
    if credentials and not token and not (user and "password" in credentials):
        raise SpecError(
            "spec.provider.secretRef",
            f"the Secret has the keys {', '.join(sorted(credentials))}",
            "give it a token, or a username and a password",
        )
    if token and not _TOKEN.fullmatch(token):
        raise SpecError("spec.provider.secretRef", "the token has impossible characters", "store it without spaces")
    return Prometheus(
        str(provider.get("address", "")),
        addresses=addresses,
        token=token,
        basic=(user, credentials["password"]) if user and not token else None,
        headers={name: _joined(values) for name, values in (provider.get("headers") or {}).items()},
        verify=not provider.get("insecureSkipVerify", False),
    )


_PROVIDERS: Mapping[str, Callable[[Object, Mapping[str, str], Addresses], Provider]] = {"prometheus": _prometheus}


def _credentials(provider: Object, secret: Object | None, where: str) -> dict[str, str]:
    name = (provider.get("secretRef") or {}).get("name")
    field = f"spec.provider.secretRef of {where}"
    if not name:
        return {}
    if secret is None:
        raise SpecError(field, f"Secret {name} is not in the template's namespace", "create it, or correct the name")
    try:
        found = {
            key: base64.b64decode(value).decode().strip("\r\n") for key, value in (secret.get("data") or {}).items()
        }
    except (binascii.Error, UnicodeDecodeError):
        raise SpecError(field, f"a value in Secret {name} is no text", "store the credentials as text") from None
    if not found:
        raise SpecError(field, f"Secret {name} is empty", "put the credentials into it")
    return found


def _joined(values: str | list[str]) -> str:
    """Flagger's headers are lists, as HTTP's are."""
    return values if isinstance(values, str) else ", ".join(values)

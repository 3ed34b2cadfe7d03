"""Prometheus, and whatever speaks its HTTP API: an instant query, with a deadline, and every way it can go wrong told
apart.

The address comes from a MetricTemplate, so from a user: http and https only, redirects are not followed, and of an
answer nothing is ever quoted but Prometheus' own error message.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from prometheus_api_client import PrometheusConnect
from requests.auth import AuthBase, HTTPBasicAuth

from analyzer import web
from analyzer.addresses import Addresses
from analyzer.fields import SpecError
from analyzer.metrics.provider import Sample, Series, Unreachable, WrongQuery

TIMEOUT = 5.0  # seconds, as Flagger's
LARGEST_ANSWER = 1024 * 1024  # bytes
LONGEST_GET = 4096  # characters of a query; some proxies let only GET through, and none an endless address
LONGEST_MESSAGE = 300
THE_QUERYS_FAULT = ("bad_data", "execution")  # errorType; the others (timeout, unavailable, …) are the server's


class OnlyResets(urllib3.Retry):
    """Tries again what the server dropped without an answer; what was refused or took too long has had its chance."""

    def increment(self, method: str | None = None, url: str | None = None, *args: Any, **kwargs: Any) -> "OnlyResets":
        """urllib3 asks before every repetition."""
        error = kwargs.get("error")
        if error is not None and not isinstance(error, urllib3.exceptions.ProtocolError):
            raise error
        return super().increment(method, url, *args, **kwargs)


RETRY = OnlyResets(total=2, backoff_factor=0.1, allowed_methods=None, respect_retry_after_header=False)


class Bearer(AuthBase):
    """A token, instead of whatever `Authorization` stands in the template's headers."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Prometheus:
    """One server. `basic` is user name and password; `verify` False accepts any certificate; `timeout` in seconds."""

    def __init__(
        self,
        address: str,
        *,
        addresses: Addresses,
        token: str | None = None,
        basic: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        verify: bool = True,
        timeout: float = TIMEOUT,
    ) -> None:
        self.address = _checked(address)
        self._timeout = timeout
        # The library's own `custom_query` drops warnings and the type of an error, so only its connection is used.
        self._api: Any = PrometheusConnect(
            url=self.address,
            headers={"Accept-Encoding": "identity", **(headers or {})},
            auth=_auth(token, basic),
            session=web.Session(addresses, RETRY),
        )
        self._verify = verify

    def query(self, query: str) -> Sample:
        """The answer to an instant query as of now. Raises Unreachable or WrongQuery."""
        try:
            answer = self._ask(query)
        except (requests.exceptions.InvalidHeader, UnicodeError):
            raise Unreachable(f"{self.address}: headers that cannot be sent; check spec.provider.headers") from None
        except web.NoAnswer as error:
            raise Unreachable(f"{self.address}: {error}; check spec.provider.address") from error
        if len(answer.body) > LARGEST_ANSWER:
            raise WrongQuery("the answer is larger than 1 MiB; aggregate to few series in spec.query")
        try:
            return self._understood(answer, _json(answer.body))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise self._stranger() from error

    def close(self) -> None:
        """Close the connections."""
        self._api.close()

    def _ask(self, query: str) -> web.Answer:
        form = {"query": query, "timeout": f"{self._timeout:g}s"}
        short = len(query) <= LONGEST_GET
        answer: web.Answer = self._api._session.fetch(
            "GET" if short else "POST",
            f"{self.address}/api/v1/query",
            params=form if short else None,
            data=None if short else form,
            headers=self._api.headers,
            auth=self._api.auth,
            verify=self._verify,
            seconds=self._timeout,
            largest=LARGEST_ANSWER,
        )
        return answer

    def _understood(self, answer: web.Answer, document: Mapping[str, Any]) -> Sample:
        message = str(document.get("error", ""))[:LONGEST_MESSAGE]
        if document.get("errorType") in THE_QUERYS_FAULT:
            raise WrongQuery(f"Prometheus says: {message}; correct spec.query of the MetricTemplate")
        if answer.status in (401, 403):
            raise Unreachable(
                f"{self.address} refuses us ({answer.status}); check the Secret of spec.provider.secretRef, "
                "keys token, or username and password"
            )
        if answer.redirects:
            raise Unreachable(f"{self.address} redirects; put the address where it leads into spec.provider.address")
        if answer.status != 200:
            said = f"{answer.status} {message}".strip()
            raise Unreachable(f"{self.address} answers {said}; check spec.provider.address")
        if document.get("status") != "success":
            raise self._stranger()
        warnings = (*(document.get("warnings") or ()), *(document.get("infos") or ()))
        return Sample(_series(document.get("data") or {}), tuple(str(each)[:LONGEST_MESSAGE] for each in warnings))

    def _stranger(self) -> Unreachable:
        return Unreachable(f"{self.address} answers, but not as Prometheus does; check spec.provider.address")


def _auth(token: str | None, basic: tuple[str, str] | None) -> AuthBase | None:
    if token:
        return Bearer(token)
    return HTTPBasicAuth(*(text.encode() for text in basic)) if basic else None


def _checked(address: str) -> str:
    field, remedy = "spec.provider.address", "write it like http://prometheus.example:9090"
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise SpecError(field, f"{address!r} is no address: {error}", remedy) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SpecError(field, f"{address!r} is no http or https address", remedy)
    if parts.username or parts.password:
        raise SpecError(field, "it shows a password to all", "put it into the Secret of spec.provider.secretRef")
    if parts.query or parts.fragment:
        raise SpecError(field, "it ends in a query or a fragment", "leave only host, port and path")
    return address.rstrip("/")


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _series(data: Mapping[str, Any]) -> tuple[Series, ...]:
    result = data.get("result")
    match data.get("resultType"):
        case "vector" if isinstance(result, list):
            if any("value" not in each for each in result):
                raise WrongQuery("spec.query yields histograms; take a number of them, by histogram_quantile()")
            return tuple(Series(_labels(each.get("metric") or {}), float(each["value"][1])) for each in result)
        case "scalar" if isinstance(result, list):
            return (Series("", float(result[1])),)
        case "matrix" | "string" as other:
            raise WrongQuery(f"spec.query yields a {other}; make it an instant vector, by rate() or the like")
        case _:
            raise ValueError("no result of Prometheus")


def _labels(metric: Mapping[str, str]) -> str:
    """As Prometheus writes a series: `name{label="value"}`."""
    pairs = ",".join(f"{key}={json.dumps(value)}" for key, value in sorted(metric.items()) if key != "__name__")
    return f"{metric.get('__name__', '')}{{{pairs}}}"

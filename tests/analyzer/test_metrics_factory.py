"""From a MetricTemplate and its Secret to a provider."""

import base64
from typing import Any

import pytest

from analyzer.addresses import Addresses
from analyzer.fields import SpecError
from analyzer.metrics import prometheus, provider_for, template_of


def template(**provider: Any) -> dict[str, Any]:
    provider = {"type": "prometheus", "address": "http://p:9090/", **provider}
    return {"metadata": {"namespace": "shop", "name": "latency"}, "spec": {"provider": provider, "query": "up"}}


def secret(**values: str) -> dict[str, Any]:
    return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}}


REFERRING = template(secretRef={"name": "creds"})


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What the provider was built from."""
    calls: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr("analyzer.metrics.Prometheus", lambda address, **options: calls.append((address, options)))
    return calls


def test_a_template_becomes_a_provider_for_its_address() -> None:
    provider = provider_for(template(), None, Addresses())
    assert isinstance(provider, prometheus.Prometheus)
    assert provider.address == "http://p:9090"
    provider.close()


@pytest.mark.parametrize(
    ("values", "token", "basic"),
    [
        ({"token": "t\n"}, "t", None),
        ({"username": "ann", "password": "pw"}, None, ("ann", "pw")),
        ({"token": "t", "username": "ann", "password": "pw"}, "t", None),
    ],
)
def test_credentials_come_from_the_secret(
    built: list[Any], values: dict[str, str], token: str | None, basic: tuple[str, str] | None
) -> None:
    provider_for(REFERRING, secret(**values), Addresses())
    assert (built[0][1]["token"], built[0][1]["basic"]) == (token, basic)


def test_flaggers_headers_and_insecure_skip_verify_are_passed_on(built: list[Any]) -> None:
    provider_for(template(insecureSkipVerify=True, headers={"X-Scope-OrgID": ["a", "b"]}), None, Addresses())
    assert (built[0][1]["verify"], built[0][1]["headers"]) == (False, {"X-Scope-OrgID": "a, b"})
    provider_for(template(), None, Addresses())
    assert built[1][1]["verify"] is True


def test_a_secret_that_the_template_does_not_name_is_not_used(built: list[Any]) -> None:
    provider_for(template(), secret(token="t"), Addresses())
    assert built[0][1]["token"] is None


@pytest.mark.parametrize(
    ("metric_template", "given", "problem"),
    [
        (template(type="datadog"), None, "spec.provider.type of MetricTemplate shop/latency: 'datadog' is no provider"),
        (template(type=None), None, "use prometheus"),
        (
            template(address="nowhere"),
            None,
            "spec.provider.address of MetricTemplate shop/latency: 'nowhere' is no http or https address",
        ),
        (REFERRING, None, "Secret creds is not in the template's namespace; create it, or correct the name"),
        (REFERRING, secret(username="ann"), "the Secret has the keys username; give it a token, or"),
        (REFERRING, secret(), "Secret creds is empty"),
        (REFERRING, secret(token="t0p\nsecret"), "the token has impossible characters"),
        (REFERRING, {"data": {"token": "/w=="}}, "a value in Secret creds is no text"),
    ],
)
def test_what_is_wrong_is_said_by_the_name_of_its_field(
    metric_template: dict[str, Any], given: dict[str, Any] | None, problem: str
) -> None:
    with pytest.raises(SpecError) as error:
        provider_for(metric_template, given, Addresses())
    assert problem in str(error.value)
    assert "t0p" not in str(error.value)


def test_a_template_is_looked_for_in_the_canarys_namespace_unless_it_says_another() -> None:
    assert template_of({"name": "m", "templateRef": {"name": "t"}}, "shop") == ("shop", "t")
    assert template_of({"name": "m", "templateRef": {"name": "t", "namespace": "ops"}}, "shop") == ("ops", "t")


@pytest.mark.parametrize(
    ("metric", "problem"),
    [
        ({"name": "conversions"}, "nothing says how to measure it"),
        ({"name": "mine", "query": ""}, "nothing says how to measure it"),
    ],
)
def test_a_metric_without_a_template_is_refused_with_what_to_do(metric: dict[str, Any], problem: str) -> None:
    with pytest.raises(SpecError) as error:
        template_of(metric, "shop")
    assert problem in str(error.value)
    assert str(error.value).startswith(f"spec.analysis.metrics[{metric['name']}].templateRef")

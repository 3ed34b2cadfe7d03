"""`detour check`: what it asks is what a webhook diverts, and a leader that is silent does not lead."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from analyzer.kube.client import Client
from analyzer.kube.errors import NotFound
from analyzer.kube.resources import LEASES, Resource
from detour import check
from detour.person import Problem
from webhook.decision import Kind, Settings
from webhook.divert import divert
from webhook.review import parse

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
SERVICE = {"name": "detour", "namespace": "elsewhere", "path": "/divert", "port": 443}


class Cluster:
    """What the check reads: the webhook's configuration and the Lease."""

    def __init__(self, lease: dict[str, Any] | None) -> None:
        self._lease = lease

    def get(self, resource: Resource, namespace: str | None, _name: str) -> dict[str, Any]:
        if resource == LEASES:
            assert namespace == "elsewhere"
            if self._lease is None:
                raise NotFound(404, "NotFound", "no such lease")
            return {"spec": self._lease}
        return {"webhooks": [{"name": "divert-object.detour.dev", "clientConfig": {"service": SERVICE}}]}

    def now(self) -> datetime:
        return NOW


def held(age: float, holder: str = "detour-0") -> Client:
    renewed = (NOW - timedelta(seconds=age)).isoformat()
    return cast("Client", Cluster({"holderIdentity": holder, "renewTime": renewed, "leaseDurationSeconds": 12}))


def test_a_webhook_that_works_diverts_what_the_check_sends() -> None:
    request = parse(json.dumps(check.review()).encode())
    assert divert(request, Settings("system:serviceaccount:detour:detour-analyzer"), NOW).kind == Kind.DIVERTED


def test_the_holder_of_a_lease_that_is_renewed_leads() -> None:
    assert check.leader(held(age=3)) == "an analyzer leads: detour-0"


@pytest.mark.parametrize("client", [held(age=13), held(age=1, holder=""), cast("Client", Cluster(None))])
def test_without_a_renewed_lease_nobody_leads(client: Client) -> None:
    with pytest.raises(Problem, match="no analyzer leads"):
        check.leader(client)


def test_a_webhook_without_a_ca_bundle_is_not_called() -> None:
    with pytest.raises(Problem, match="no caBundle yet"):
        check.webhook(held(age=1))

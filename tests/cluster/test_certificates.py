"""Updates are diverted over TLS that nobody had to set up, and that repairs itself."""

import base64
import json

import pytest

from tests.cluster.kubectl import eventually, get, kubectl
from tests.cluster.rotations import CA, SERVING, rotate, under_way


def bundles() -> list[str]:
    hooks = get("mutatingwebhookconfiguration", "zz-detour")["webhooks"]
    return [hook["clientConfig"].get("caBundle", "") for hook in hooks]


def test_the_ca_bundle_is_in_place_in_both_entries() -> None:
    assert len(bundles()) == 2
    assert all(b"BEGIN CERTIFICATE" in base64.b64decode(bundle) for bundle in bundles())


def test_applying_the_manifests_again_leaves_it_alone() -> None:
    before = bundles()
    kubectl("apply", "-k", "manifests")
    assert bundles() == before


@pytest.mark.alone
def test_one_that_somebody_emptied_is_put_right_within_seconds() -> None:
    before = bundles()
    patch = [{"op": "remove", "path": f"/webhooks/{index}/clientConfig/caBundle"} for index in range(len(before))]
    kubectl("patch", "mutatingwebhookconfiguration", "zz-detour", "--type=json", "-p", json.dumps(patch))
    eventually(lambda: bundles() == before, "the caBundle is back", 10)


@pytest.mark.alone
def test_nobody_notices_that_certificates_and_the_ca_are_renewed() -> None:
    with under_way() as account:
        rotate(account, [SERVING, CA, CA, SERVING])
    assert not account.failures, account.failures[:3]
    assert len(account.met) >= 5, account.told

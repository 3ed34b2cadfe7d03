"""Updates are diverted over TLS that nobody had to set up, and that repairs itself."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from certs.authority import issue_ca
from tests.cluster.kubectl import KUBECONFIG, ROOT, Object, eventually, exists, get, kubectl
from tests.cluster.rotations import CA, SERVING, rotate, under_way

CONFIGURATION = ("mutatingwebhookconfiguration", "zz-detour")
FOREIGN = base64.b64encode(issue_ca(datetime.now(UTC)).certificate).decode()
LOOK = """
import os, stat
folder = "/run/detour/tls"
mounts = [line.split() for line in open("/proc/mounts")]
print([kind for _, place, kind, *_ in mounts if place == folder])
key = os.path.realpath(folder + "/tls.key")
print(oct(stat.S_IMODE(os.stat(key).st_mode)))
"""


def bundles() -> list[str]:
    hooks = get(*CONFIGURATION)["webhooks"] if exists(*CONFIGURATION) else []
    return [hook["clientConfig"].get("caBundle", "") for hook in hooks]


def everywhere(bundle: str) -> None:
    """A JSON Patch that gives every entry this caBundle."""
    for index in range(2):
        in_entry(index, bundle)


def in_entry(index: int, bundle: str) -> None:
    path = f"/webhooks/{index}/clientConfig/caBundle"
    operation = {"op": "replace", "path": path, "value": bundle} if bundle else {"op": "remove", "path": path}
    kubectl("patch", *CONFIGURATION, "--type=json", "-p", json.dumps([operation]))


def stated(bundle: str) -> Object:
    """The configuration as a manifest that states a caBundle."""
    found = get(*CONFIGURATION)
    found["metadata"] = {"name": "zz-detour"}
    for hook in found["webhooks"]:
        hook["clientConfig"]["caBundle"] = bundle
    return found


def test_the_ca_bundle_is_in_place_in_both_entries() -> None:
    assert len(bundles()) == 2
    assert all(b"BEGIN CERTIFICATE" in base64.b64decode(bundle) for bundle in bundles())


def test_applying_the_manifests_again_leaves_it_alone() -> None:
    before = bundles()
    kubectl("apply", "-k", "manifests")
    assert bundles() == before


def test_the_serving_key_is_in_memory_for_its_owner_alone_and_no_key_is_in_a_log() -> None:
    where = ("-n", "detour", "deployment/detour")
    for container in ("webhook", "analyzer"):
        said = kubectl("exec", *where, "-c", container, "--", "python3", "-c", LOOK).out.split()
        assert said == ["['tmpfs']", "0o600"]
    assert "BEGIN" not in kubectl("logs", *where, "--all-containers").out


@pytest.mark.alone
@pytest.mark.parametrize(
    "spoil",
    [
        lambda: in_entry(0, ""),
        lambda: everywhere(""),
        lambda: in_entry(1, FOREIGN),
        lambda: kubectl("replace", "-f", "-", stdin=json.dumps(stated(FOREIGN))),
        lambda: kubectl("apply", "-f", "-", stdin=json.dumps(stated(""))),
    ],
    ids=["emptied in one entry", "emptied in both", "overwritten in one", "replaced", "applied with an empty one"],
)
def test_one_that_somebody_spoilt_is_put_right_within_seconds(spoil: Callable[[], object]) -> None:
    before = bundles()
    spoil()
    eventually(lambda: bundles() == before, "the caBundle is back", 10)


@pytest.mark.alone
def test_a_configuration_that_was_deleted_gets_its_ca_bundle_when_it_is_there_again() -> None:
    before = bundles()
    kubectl("delete", *CONFIGURATION)
    kubectl("apply", "-k", "manifests")
    eventually(lambda: bundles() == before, "the caBundle is back", 10)


@pytest.mark.alone
def test_a_ca_that_was_deleted_is_made_anew_and_the_old_one_stays_trusted() -> None:
    before = [base64.b64decode(bundle) for bundle in bundles()]
    kubectl("-n", "detour", "delete", "secret", "detour-ca")

    def renewed() -> bool:
        now = [base64.b64decode(bundle) for bundle in bundles()]
        return all(new != old and new.endswith(old) for new, old in zip(now, before, strict=True))

    eventually(renewed, "another CA comes first in the caBundle", 10)
    assert detour("certs", "status").count("retired") >= 1


@pytest.mark.alone
def test_nobody_notices_that_certificates_and_the_ca_are_renewed() -> None:
    with under_way() as account:
        rotate(account, [SERVING, CA, CA, SERVING])
    assert not account.failures, account.failures[:3]
    assert len(account.met) >= 5, account.told


@pytest.mark.alone
def test_people_renew_what_replicas_serve_and_see_what_is_trusted() -> None:
    assert "every replica serves a new certificate" in detour("certs", "rotate")
    assert "no retired CA is trusted" in detour("certs", "distrust")
    table = detour("certs", "status")
    assert "retired" not in table
    assert all(line.split()[-3:-2] == ["renewed"] for line in table.splitlines() if line.startswith("serving"))


def detour(*arguments: str) -> str:
    """What the command of a person prints."""
    command = [sys.executable, "-m", "detour", *arguments, "--kubeconfig", str(KUBECONFIG)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout

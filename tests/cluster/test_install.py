"""`kubectl apply -k` is all that it takes, once and twice, in whichever namespace."""

from collections.abc import Iterator

import pytest

from tests.cluster.installing import MANIFESTS, delete_everything, install, remains
from tests.cluster.kubectl import Object, eventually, exists, get, kubectl
from tests.cluster.shop import QUICK, OpenShop

ELSEWHERE, HOME = f"{MANIFESTS}/overlays/another-namespace", "detour-system"
BUDGET = "poddisruptionbudget.policy/detour configured"
"""What kubectl always says of one: its patch has the whole selector, whether it is another or not."""


def applied(path: str) -> set[str]:
    """What kubectl says of each object, but for those that are unchanged. Fails with any error, or a warning."""
    said = kubectl("apply", "-k", path)
    assert said.err == ""
    return {line for line in said.out.splitlines() if not line.endswith(" unchanged")}


def budget(namespace: str) -> Object:
    return dict(get("-n", namespace, "poddisruptionbudget", "detour"))


@pytest.mark.alone
def test_applying_it_again_changes_nothing() -> None:
    """Alone, since others take the webhook's configuration away from a namespace for a while, and it is put back."""
    before = budget("detour")["metadata"]["generation"]
    assert applied(MANIFESTS) <= {BUDGET}
    assert budget("detour")["metadata"]["generation"] == before


def test_the_analyzer_has_made_the_policy_that_every_cluster_begins_with() -> None:
    (field,) = get("canarypolicy", "default", "--show-managed-fields")["metadata"]["managedFields"]
    assert field["manager"] == "detour"


@pytest.fixture
def nowhere() -> Iterator[None]:
    """A cluster without Detour; at the end it is installed as it was."""
    delete_everything()
    assert remains() == set()
    try:
        yield
    finally:
        kubectl("delete", "-k", ELSEWHERE, "--timeout=150s", "--ignore-not-found")
        install()


@pytest.mark.alone
@pytest.mark.usefixtures("nowhere")
def test_an_empty_cluster_takes_one_apply_in_a_namespace_of_any_name(open_shop: OpenShop) -> None:
    said = applied(ELSEWHERE)
    assert {line.rpartition(" ")[2] for line in said} == {"created"}
    kubectl("-n", HOME, "rollout", "status", "deployment/detour", "--timeout=120s")
    eventually(lambda: exists("canarypolicy", "default"), "the default policy is there", 60)
    assert applied(ELSEWHERE) <= {BUDGET}
    shop = open_shop(replicas=1, analysis=QUICK)
    assert "as a canary first" in shop.set_image("6.0.1").err
    shop.until("Succeeded")
    assert shop.live_image == "6.0.1"
    assert not exists("namespace", "detour")

"""`kubectl apply -k` is all that it takes; tests/cluster/test_removal.py does so where nothing is there yet."""

import pytest

from tests.cluster.installing import BUDGET, MANIFESTS, applied
from tests.cluster.kubectl import get


@pytest.mark.alone
def test_applying_it_again_changes_nothing() -> None:
    """Alone, since others take the webhook's configuration away from a namespace for a while, and it is put back."""
    budget = ("-n", "detour", "poddisruptionbudget", "detour")
    before = get(*budget)["metadata"]["generation"]
    assert applied(MANIFESTS) <= {BUDGET}
    assert get(*budget)["metadata"]["generation"] == before


def test_the_analyzer_has_made_the_policy_that_every_cluster_begins_with() -> None:
    (field,) = get("canarypolicy", "default", "--show-managed-fields")["metadata"]["managedFields"]
    assert field["manager"] == "detour"

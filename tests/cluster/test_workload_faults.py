"""Faults of the workload itself: what is said of a version that cannot run, and the rows of `make faults`, in short.

Quota, PodSecurity and what other policies refuse are in test_refusals.py.
"""

from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import Object
from tests.cluster.namespaces import unique
from tests.cluster.shop import CALM, Shop, opened
from tests.faults.play import play
from tests.faults.row import Row, rows
from tests.faults.saboteur import IMAGE
from tests.faults.scene import SHORT

GREEDY: Object = {
    "image": IMAGE,
    "command": ["python3", "-c", "b'x' * 200_000_000"],
    "resources": {"limits": {"memory": "32Mi"}},
}
UNREADY: Object = {"command": ["./podinfo", "--port=9898", "--level=info", "--unready"]}
NO_CONFIG: Object = {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "nope", "key": "a"}}}]}
ILL: dict[str, tuple[Object, str]] = {
    "crashes": (
        {"command": ["./podinfo", "--nonsense"]},
        "container podinfo crashes: it ended with exit code 2 (Error)",
    ),
    "out of memory": (GREEDY, "container podinfo was out of memory, its limit is 32Mi (OOMKilled)"),
    "no image": ({"image": "ghcr.io/stefanprodan/podinfo:9.9.9"}, "container podinfo has no image"),
    "no program": ({"command": ["./nonsense"]}, "container podinfo cannot be started: failed to create"),
    "no ConfigMap": (NO_CONFIG, 'container podinfo cannot be created: configmap "nope" not found'),
    "no node": ({"resources": {"requests": {"cpu": "1000"}}}, "no node takes its pods: Insufficient cpu"),
    "never ready": (UNREADY, "container podinfo runs, but its readiness probe fails: GET /readyz on port http"),
}
ELSEWHERE = {
    *("canary-crashes-at-once", "canary-is-never-ready", "canary-has-no-image", "no-node-has-the-processors"),  # in ILL
    *("quota-is-used-up", "pod-security-refuses"),  # in test_refusals.py
    *(
        "canary-starts-slowly",
        "canary-flaps",
        "canary-evicted",
        "scaled-to-nothing-and-back",
    ),  # take their minute: whole
}
ROWS = [row for row in rows("workload_bad", "workload_refused", "workload_hands") if row.name not in ELSEWHERE]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """One for all that never get any traffic: each new version supersedes the one before."""
    with opened(Shop(unique("ill"), replicas=1, analysis=CALM)) as found:
        yield found


@pytest.mark.parametrize(("container", "says"), ILL.values(), ids=ILL)
def test_a_version_that_cannot_run_says_why_where_users_look(shop: Shop, container: Object, says: str) -> None:
    before = shop.waiting
    shop.apply(shop.deployment("6.0.1", **container))
    assert shop.waiting != before
    shop.says(says, 45)
    shop.tells(f"not ready: {says}")
    assert (shop.live_image, shop.status.get("canaryWeight", 0)) == ("6.0.0", 0)


@pytest.mark.usefixtures("turn")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_row_holds(row: Row) -> None:
    result = play(row, SHORT)
    assert result.holds, "\n".join(result.lines)

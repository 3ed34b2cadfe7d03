"""What people order by annotations is done once by everybody, and never at the price of trust."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs import orders
from certs.authority import issued_at, signed
from certs.material import MOST_RETIRED
from certs.orders import SETTLE, Orders
from tests.certs.world import Cluster, Replica, installed

SECOND = timedelta(seconds=1)


def order(cluster: Cluster, **wanted: datetime) -> None:
    """As `detour certs` does: as of this moment."""
    cluster.now += SECOND
    cluster.orders = replace(cluster.orders, **wanted)  # type: ignore[arg-type]  # of its fields only moments


def rounds(cluster: Cluster, pods: list[Replica], number: int = 4) -> None:
    """Let a succession take its course, holding the promise at each step."""
    for _ in range(number):
        for pod in pods:
            pod.run()
            for each in pods:
                each.assert_trusted()
        cluster.now += SETTLE


def test_an_order_for_serving_certificates_is_obeyed_once_by_every_replica(tmp_path: Path) -> None:
    cluster, pods = installed(tmp_path, replicas=3)
    before, ca = [pod.pair() for pod in pods], cluster.material
    order(cluster, renew_serving=cluster.now + SECOND)
    rounds(cluster, pods, 1)
    after = [pod.pair() for pod in pods]
    assert not set(before) & set(after)
    rounds(cluster, pods, 3)
    assert [pod.pair() for pod in pods] == after
    assert cluster.material == ca


def test_an_order_for_the_ca_gives_it_one_successor_and_every_replica_serves_under_it(tmp_path: Path) -> None:
    cluster, pods = installed(tmp_path, replicas=3)
    old = cluster.material.signing
    order(cluster, renew_ca=cluster.now + SECOND)
    rounds(cluster, pods)
    new = cluster.material.signing
    assert new != old
    assert all(signed(pod.pair().certificate, new.certificate) for pod in pods)
    assert cluster.bundles == [new.certificate + old.certificate] * 2
    rounds(cluster, pods)
    assert cluster.material.signing == new


def test_successions_in_a_row_are_trusted_at_every_moment_and_the_bundle_stays_small(tmp_path: Path) -> None:
    cluster, pods = installed(tmp_path, replicas=2)
    authorities = set()
    for _ in range(12):
        order(cluster, renew_ca=cluster.now + SECOND)
        rounds(cluster, pods)
        authorities.add(cluster.material.signing)
        assert cluster.bundles[0].count(b"BEGIN CERTIFICATE") <= 1 + MOST_RETIRED
    assert len(authorities) == 12


def test_an_order_for_tomorrow_is_an_appointment(tmp_path: Path) -> None:
    cluster, (pod,) = installed(tmp_path)
    old, at = pod.pair(), cluster.now + timedelta(minutes=30)
    order(cluster, renew_serving=at)
    pod.run()
    assert (pod.pair(), pod.due) == (old, at)
    cluster.now = at
    pod.run()
    assert issued_at(pod.pair().certificate) == at


def test_retired_authorities_leave_at_once_when_they_are_to_be_distrusted(tmp_path: Path) -> None:
    cluster, pods = installed(tmp_path, replicas=2)
    order(cluster, renew_ca=cluster.now + SECOND)
    rounds(cluster, pods)
    order(cluster, distrust=cluster.now + SECOND)
    rounds(cluster, pods, 1)
    assert cluster.bundles == [cluster.material.signing.certificate] * 2
    order(cluster, renew_ca=cluster.now + SECOND)
    rounds(cluster, pods)
    assert cluster.bundles[0].count(b"BEGIN CERTIFICATE") == 2, "a later one was never meant"


def test_a_lost_ca_is_followed_by_serving_certificates_of_the_new_one_when_it_is_trusted(tmp_path: Path) -> None:
    cluster, pods = installed(tmp_path, replicas=2)
    before = [pod.pair() for pod in pods]
    cluster.secret = None
    rounds(cluster, pods, 1)
    assert [pod.pair() for pod in pods] == before
    rounds(cluster, pods, 1)
    assert all(signed(pod.pair().certificate, cluster.material.signing.certificate) for pod in pods)


def test_annotations_are_read_as_moments() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    found = orders.read({orders.RENEW_CA: "2026-01-31T12:00:00Z", orders.SETTLE_SECONDS: "2"})
    assert found == Orders(renew_ca=noon, settle=timedelta(seconds=2))
    assert orders.read({}) == Orders()


@pytest.mark.parametrize("text", ["soon", "2026-01-31", "2026-01-31T12:00:00"])
def test_an_annotation_that_is_no_time_is_named_and_not_obeyed(text: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert orders.read({orders.RENEW_SERVING: text, orders.SETTLE_SECONDS: "soon"}) == Orders()
    assert "detour.dev/renew-serving" in caplog.text


def test_a_replica_that_slept_before_its_write_does_not_put_an_old_ca_bundle_back(tmp_path: Path) -> None:
    cluster, pods = installed(tmp_path, replicas=2)
    cluster.set_bundles([b"", b""])
    cluster.seen.clear()

    def sleeps(_: int, after: bool) -> None:
        """Just before the first pod writes the caBundle, the other one carries a whole succession out."""
        if after:
            return
        cluster.around = lambda _number, _after: None
        order(cluster, renew_ca=cluster.now + SECOND)
        rounds(cluster, [pods[1]])

    cluster.around = sleeps
    pods[0].run()
    assert cluster.bundles == [cluster.material.bundle] * 2
    history = [bundles for _, bundles in cluster.seen]
    newest = next(index for index, bundles in enumerate(history) if cluster.material.signing.certificate in bundles[0])
    assert all(cluster.material.signing.certificate in bundles[0] for bundles in history[newest:])

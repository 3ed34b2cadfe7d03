"""Years of rotation in virtual time: no API server, however slow to notice, ever meets a certificate it refuses."""

from datetime import timedelta
from pathlib import Path

import pytest

from certs import directory
from certs.authority import Pair, check, issue_ca, issue_serving
from certs.errors import Unsettled
from certs.orders import SETTLE
from tests.certs.world import BEGIN, NAMES, Cluster, Crash, Replica, installed, live


def test_the_first_call_puts_everything_in_place_and_the_second_changes_nothing(tmp_path: Path) -> None:
    cluster, (pod,) = installed(tmp_path)
    pod.assert_trusted()
    assert cluster.bundles == [cluster.material.signing.certificate] * 2
    writes, pair = cluster.writes, pod.pair()
    pod.run()
    assert (cluster.writes, pod.pair()) == (writes, pair)


def test_years_go_by_without_a_moment_of_distrust(tmp_path: Path) -> None:
    cluster, pods = installed(tmp_path, replicas=2)
    authorities, serving = set(), set()
    for month in range(1, 37):
        live(cluster, pods, BEGIN + timedelta(days=30 * month))
        authorities.add(cluster.material.signing)
        serving |= {pod.pair() for pod in pods}
        assert cluster.bundles[0].count(b"BEGIN CERTIFICATE") <= 2
    assert len(authorities) == 5
    assert len(serving) == 2 * 36


def test_a_new_ca_signs_only_after_every_api_server_has_had_time_to_trust_it(tmp_path: Path) -> None:
    cluster, (pod,) = installed(tmp_path)
    old = cluster.material.signing
    cluster.now += timedelta(days=300)
    pod.run()
    successor = cluster.material.successor
    assert successor
    assert cluster.bundles[0] == old.certificate + successor.certificate
    assert (cluster.material.signing, pod.due) == (old, cluster.now + SETTLE)
    cluster.now += SETTLE
    pod.run()
    assert cluster.material.signing == successor
    assert old.certificate in cluster.bundles[0]
    assert old.key not in b"".join((cluster.secret or {}).values())
    cluster.now += timedelta(days=7)
    pod.run()
    assert cluster.bundles == [successor.certificate] * 2


def test_a_ca_bundle_lost_during_the_change_starts_the_waiting_anew(tmp_path: Path) -> None:
    cluster, (pod,) = installed(tmp_path)
    cluster.now += timedelta(days=300)
    pod.run()
    old = cluster.material.signing
    cluster.now += SETTLE - timedelta(seconds=1)
    cluster.set_bundles([old.certificate] * 2)
    pod.run()
    cluster.now += timedelta(seconds=2)
    pod.run()
    assert cluster.material.signing == old
    cluster.now += SETTLE
    pod.run()
    assert cluster.material.signing != old


@pytest.mark.parametrize("bundles", [[b"", b""], [b"rubbish"] * 2, [issue_ca(BEGIN).certificate] * 2])
def test_a_ca_bundle_that_was_emptied_or_overwritten_is_put_right(tmp_path: Path, bundles: list[bytes]) -> None:
    cluster, (pod,) = installed(tmp_path)
    right = list(cluster.bundles)
    for wrong in (bundles, [right[0], bundles[0]]):
        cluster.set_bundles(wrong)
        pod.run()
        assert cluster.bundles == right


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_a_crash_around_any_write_changes_nothing_in_the_end(tmp_path: Path, done: bool) -> None:
    def whole_life(die_at: int) -> Cluster:
        cluster = Cluster()

        def around(number: int, after: bool) -> None:
            if (number, after) == (die_at, done):
                raise Crash

        cluster.around = around
        pod = Replica(cluster, tmp_path / f"{die_at}")
        for days in (0, 300, 301, 302, 310):
            cluster.now = BEGIN + timedelta(days=days)
            for _ in range(3):
                try:
                    pod.run()
                except Crash:
                    pod.run()
                pod.assert_trusted()
                cluster.now += SETTLE
        return cluster

    uncut = whole_life(0)
    assert uncut.writes == 9
    for number in range(1, uncut.writes + 1):
        cut = whole_life(number)
        assert set(cut.secret or {}) == set(uncut.secret or {}) == {"ca.crt", "ca.key"}
        assert cut.bundles == [cut.material.signing.certificate] * 2


def test_a_replica_that_comes_first_is_read_again_and_agreed_with(tmp_path: Path) -> None:
    for overtaken in range(1, 10):
        cluster = Cluster()
        pods = [Replica(cluster, tmp_path / f"{overtaken}-{number}") for number in range(2)]

        def around(number: int, after: bool, number_overtaken: int = overtaken, pods: list[Replica] = pods) -> None:
            if number == number_overtaken and not after:
                pods[1].run()

        cluster.around = around
        for days in (0, 300, 301, 302, 310):
            cluster.now = BEGIN + timedelta(days=days)
            for _ in range(3):
                for pod in pods:
                    pod.run()
                for pod in pods:
                    pod.assert_trusted()
                cluster.now += SETTLE
        assert cluster.writes >= 9
        assert cluster.bundles == [cluster.material.signing.certificate] * 2


def test_a_broken_or_foreign_serving_certificate_is_replaced(tmp_path: Path) -> None:
    cluster, (pod,) = installed(tmp_path)
    good = pod.pair()
    foreign = issue_serving(issue_ca(BEGIN), NAMES, BEGIN)
    elsewhere = issue_serving(cluster.material.signing, ["elsewhere.svc"], BEGIN)
    for broken in (foreign, elsewhere, Pair(good.certificate, foreign.key), Pair(b"", b""), Pair(b"x", good.key)):
        directory.publish(pod.folder, broken)
        pod.run()
        assert pod.pair() != broken
        pod.assert_trusted()


def test_a_lost_secret_makes_a_new_ca_and_the_old_certificates_stay_trusted(tmp_path: Path) -> None:
    cluster, pods = installed(tmp_path, replicas=2)
    old = cluster.material.signing
    cluster.secret = None
    pods[0].run()
    assert cluster.material.signing != old
    for pod in pods:
        check(pod.pair(), cluster.bundles[0], NAMES, cluster.now)
    live(cluster, pods, cluster.now + timedelta(days=8))
    assert old.certificate not in cluster.bundles[0]


def test_after_years_switched_off_one_call_is_enough(tmp_path: Path) -> None:
    cluster, (pod,) = installed(tmp_path)
    cluster.now += timedelta(days=3 * 365)
    pod.run()
    check(pod.pair(), cluster.bundles[0], NAMES, cluster.now)
    cluster.now += timedelta(days=300)
    pod.run()
    assert cluster.material.successor
    cluster.now += timedelta(days=3 * 365)
    pod.run()
    check(pod.pair(), cluster.bundles[0], NAMES, cluster.now)


def test_somebody_who_keeps_changing_the_ca_bundle_is_reported(tmp_path: Path) -> None:
    cluster, (pod,) = installed(tmp_path)

    def around(_: int, after: bool) -> None:
        if after:
            cluster.set_bundles([b"", b""])

    cluster.around = around
    cluster.set_bundles([b"", b""])
    with pytest.raises(Unsettled, match="show-managed-fields"):
        pod.run()


def test_without_a_webhook_configuration_no_certificate_is_served_and_the_next_look_is_soon(tmp_path: Path) -> None:
    cluster = Cluster(bundles=[])
    pod = Replica(cluster, tmp_path)
    pod.run()
    assert directory.read(tmp_path) is None
    assert pod.due <= cluster.now + timedelta(seconds=10)


def test_a_clock_that_was_set_back_does_not_stop_a_change(tmp_path: Path) -> None:
    cluster, (pod,) = installed(tmp_path)
    cluster.now += timedelta(days=300)
    pod.run()
    old = cluster.material.signing
    cluster.now -= timedelta(minutes=30)
    for _ in range(2):
        pod.run()
        cluster.now += SETTLE
    assert cluster.material.signing != old

"""Gates on a real cluster: who is asked when, what an answer does, and that nobody else waits for it."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest

from tests.cluster.gatekeeper import Gatekeeper, gatekeeper
from tests.cluster.kubectl import Object, eventually, get, kubectl
from tests.cluster.person import Person, hire
from tests.cluster.shop import OpenShop, Shop

STEPS: Object = {"interval": "1s", "threshold": 2, "stepWeight": 25, "maxWeight": 50, "metrics": []}
CONFIRMS = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion")


@pytest.fixture
def keeper() -> Iterator[Gatekeeper]:
    with gatekeeper() as found:
        yield found


def at_gates(open_shop: OpenShop, *webhooks: Object) -> Shop:
    """A shop with these webhooks in its analysis, and an update that has just been typed."""
    shop = open_shop(analysis={**STEPS, "webhooks": list(webhooks)})
    shop.set_image("6.0.1")
    return shop


def test_each_type_is_called_in_its_turn_with_flaggers_payload(open_shop: OpenShop, keeper: Gatekeeper) -> None:
    keeper.says |= {"rollback": 403, "rollout": 204}
    kinds = ("rollback", "post-rollout", "confirm-promotion", "rollout", "pre-rollout", "confirm-rollout")
    shop = at_gates(open_shop, *(keeper.gate(kind) for kind in (*kinds, "confirm-traffic-increase", "event")))
    shop.until("Succeeded")
    assert shop.live_image == "6.0.1"
    eventually(lambda: keeper.payloads("post-rollout"), "the end is told", 10)
    called = [name for name, _ in keeper.asked if name not in ("rollback", "event")]
    assert [name for name, _ in groupby(called)] == [
        "confirm-rollout",
        "pre-rollout",
        "confirm-traffic-increase",
        "rollout",
        "confirm-traffic-increase",
        "rollout",
        "confirm-promotion",
        "post-rollout",
    ]
    revision = promoted(shop)
    for name, payload in keeper.asked:
        assert (payload["name"], payload["namespace"]) == ("podinfo", shop.namespace), name
        assert payload["checksum"] in ("", revision), name
    assert {phase for kind in CONFIRMS for phase in phases(keeper, kind)} == {"Progressing"}
    assert phases(keeper, "post-rollout") == {"Succeeded"}
    assert phases(keeper, "rollback") >= {"Waiting", "Progressing"}
    events = [payload["metadata"] for payload in keeper.payloads("event")]
    told = [event["eventMessage"] for event in events]
    weights = [text for text in told if "canary weight" in text]
    assert weights == [f"Advance podinfo.{shop.namespace} canary weight {weight}" for weight in (25, 50)]
    assert {event["eventType"] for event in events} <= {"Normal", "Warning"}
    shop.tells("Post-rollout check post-rollout passed", "Canary")
    eventually(lambda: "untold" not in shop.status, "it is known that the end was told", 10)


def phases(keeper: Gatekeeper, name: str) -> set[str]:
    """Those that a gate was told."""
    return {payload["phase"] for payload in keeper.payloads(name)}


def promoted(shop: Shop) -> str:
    """The whole digest of what was promoted."""
    return str(shop.status["history"][-1]["revision"])


def test_a_person_answers_where_no_server_does(open_shop: OpenShop, tmp_path: Path) -> None:
    webhooks = [{"name": f"ann-{number}", "type": kind} for number, kind in enumerate(CONFIRMS)]
    shop = at_gates(open_shop, *webhooks)
    editor = hire(shop, tmp_path, "editor", "edit")
    approver = hire(shop, tmp_path, "approver", "edit", "detour-approve")
    shop.says("waiting for approval ann-0")
    assert (shop.phase, shop.leftovers()) == ("Waiting", [])
    refused = editor("approve", "podinfo")
    assert refused.code == 3
    assert "ClusterRole detour-approve" in refused.err
    answers(approver, shop, "Waiting", "ann-0", "waiting for approval ann-0")
    answers(approver, shop, "Progressing", "ann-1", "waiting for traffic increase approval ann-1")
    eventually(lambda: shop.status.get("canaryWeight") == 25, "the first step", 30, lambda: shop.status)
    answers(approver, shop, "Progressing", "ann-1", "waiting for traffic increase approval ann-1")
    eventually(lambda: shop.status.get("canaryWeight") == 50, "the second step", 30, lambda: shop.status)
    answers(approver, shop, "WaitingPromotion", "ann-2", "waiting for promotion approval ann-2")
    shop.until("Succeeded")
    assert shop.live_image == "6.0.1"
    shop.tells(f"Consent to confirm-promotion ann-2 given by {approver.user}: seen")
    assert "waits or runs" in approver("approve", "podinfo").err


def answers(approver: Person, shop: Shop, phase: str, gate: str, says: str) -> None:
    """A person looks, and consents."""
    eventually(lambda: shop.status.get("gate", "").endswith(gate), f"it waits at {gate}", 30, lambda: shop.status)
    assert shop.phase == phase
    shown = " ".join(approver("status", "podinfo").out.split())
    assert says in shown
    assert f"kubectl detour approve podinfo -n {shop.namespace}" in shown
    said = approver("approve", "podinfo", "--reason", "seen")
    assert said.code == 0, said.err


@pytest.mark.parametrize("waits_at", ["confirm-rollout", "confirm-promotion"])
def test_the_yes_of_a_rollback_ends_what_waits(open_shop: OpenShop, keeper: Gatekeeper, waits_at: str) -> None:
    keeper.says |= {"rollback": 403, waits_at: 403}
    shop = at_gates(open_shop, keeper.gate(waits_at), keeper.gate("rollback"))
    shop.says(f"approval {waits_at}: {waits_at} says 403")
    keeper.says["rollback"] = 202
    shop.until("Failed")
    assert "manual webhook invoked: rollback" in shop.message
    assert shop.live_image == "6.0.0"
    shop.until_gone()


def test_a_gate_that_nobody_answers_ends_the_rollout_at_its_deadline(open_shop: OpenShop) -> None:
    shop = at_gates(open_shop, {"name": "ann", "type": "confirm-promotion", "deadline": "3s"})
    shop.until("Failed")
    assert "confirm-promotion ann did not consent before its deadline" in shop.message
    assert shop.live_image == "6.0.0"


def test_a_pre_rollout_that_says_no_keeps_all_traffic_away_and_its_words_are_shown(
    open_shop: OpenShop, keeper: Gatekeeper
) -> None:
    keeper.says["pre-rollout"] = 500
    shop = at_gates(open_shop, keeper.gate("pre-rollout"), keeper.gate("post-rollout"))
    shop.until("Failed")
    assert "pre-rollout check pre-rollout failed pre-rollout says 500" in shop.message
    assert not [text for text in shop.events() if "canary weight" in text]
    eventually(lambda: keeper.payloads("post-rollout"), "the end is told", 10)
    assert keeper.payloads("post-rollout")[0]["phase"] == "Failed"


def test_a_gate_that_is_slow_delays_no_other_canary(open_shop: OpenShop, keeper: Gatekeeper) -> None:
    """Nor do hooks that nobody waits for delay their own."""
    keeper.silent |= {"suite", "event", "post-rollout"}
    slow = [at_gates(open_shop, keeper.gate("pre-rollout", "suite", timeout="2m")) for _ in range(2)]
    eventually(lambda: len(keeper.payloads("suite")) == len(slow), "both suites run", 60)
    other = at_gates(open_shop, keeper.gate("event"), keeper.gate("post-rollout"), keeper.gate("rollout"))
    other.until("Succeeded")
    assert [shop.phase for shop in slow] == ["Progressing"] * len(slow)
    keeper.over.set()
    for shop in slow:
        shop.until("Succeeded")


def test_a_newer_revision_does_not_wait_for_the_gate_of_the_one_before(open_shop: OpenShop, keeper: Gatekeeper) -> None:
    keeper.silent.add("suite")
    shop = at_gates(open_shop, keeper.gate("pre-rollout", "suite", timeout="2m"))
    eventually(lambda: keeper.payloads("suite"), "the suite runs", 60)
    keeper.silent.clear()
    shop.set_image("6.0.2")
    shop.until("Succeeded")
    assert shop.live_image == "6.0.2"
    first, second = (payload["checksum"] for payload in keeper.payloads("suite")[:2])
    assert first != second


@pytest.mark.alone
def test_an_ending_is_told_although_the_leader_dies_while_it_tells_it(open_shop: OpenShop, keeper: Gatekeeper) -> None:
    keeper.silent.add("post-rollout")
    shop = at_gates(open_shop, keeper.gate("post-rollout", timeout="2m"))
    eventually(lambda: keeper.payloads("post-rollout"), "the hook is called", 60)
    holder = get("-n", "detour", "lease", "detour-analyzer")["spec"]["holderIdentity"]
    kubectl("-n", "detour", "delete", "pod", holder, "--force", "--grace-period=0")
    eventually(lambda: len(keeper.payloads("post-rollout")) > 1, "it is called again", 90)
    keeper.over.set()
    shop.tells("Post-rollout check post-rollout passed", "Canary")
    eventually(lambda: "untold" not in shop.status, "it is known that the end was told", 10)
    assert {payload["checksum"] for payload in keeper.payloads("post-rollout")} == {promoted(shop)}

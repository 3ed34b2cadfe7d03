"""No more rollouts at once than are allowed: the others wait, see their place, and begin when their turn has come."""

from collections.abc import Callable

import pytest

from analyzer.queue import AT_ONCE
from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.person import Person
from tests.cluster.policies import WritePolicy
from tests.cluster.shop import CALM, QUICK, OpenShop, Shop

APPS = ("first", "second", "third")


def named(shop: Shop, name: str) -> list[Object]:
    """A Deployment like the shop's, with a Canary of its own; nothing leads to it."""
    deployment, canary = shop.deployment(), shop.canary()
    for each in (deployment, canary):
        each["metadata"] = {"name": name}
    deployment["spec"]["selector"] = {"matchLabels": {"app": name}}
    deployment["spec"]["template"]["metadata"]["labels"] = {"app": name}
    canary["spec"]["targetRef"]["name"] = name
    canary["spec"]["withoutRoutes"] = "direct"
    return [deployment, canary]


def allow(shop: Shop, most: int | None) -> None:
    """How many may be in flight in the shop's namespace at once."""
    note = f"{AT_ONCE}-" if most is None else f"{AT_ONCE}={most}"
    kubectl("annotate", "namespace", shop.namespace, note, "--overwrite")


def standing(shop: Shop, name: str) -> tuple[str, str]:
    """Phase and message of a Canary."""
    status = shop.get("canary", name).get("status") or {}
    return str(status.get("phase", "")), str(status.get("message", ""))


def until(shop: Shop, name: str, holds: Callable[[str, str], bool], what: str) -> None:
    eventually(lambda: holds(*standing(shop, name)), what, 60, lambda: standing(shop, name))


def until_at(shop: Shop, name: str, place: int) -> None:
    """Wait until it is at this place of the queue."""
    until(shop, name, lambda phase, said: phase == "Waiting" and f"place {place}:" in said, f"place {place}")


def update(shop: Shop, *names: str) -> None:
    for name in names:
        shop("set", "image", f"deployment/{name}", "podinfo=ghcr.io/stefanprodan/podinfo:6.0.1")


@pytest.fixture
def busy(open_shop: OpenShop) -> Shop:
    """A namespace that allows one at a time, and has one in flight; three more applications have been updated since."""
    shop = open_shop(replicas=1, analysis=CALM)
    shop.apply(*(each for name in APPS for each in named(shop, name)))
    for name in APPS:
        shop("wait", f"canary/{name}", "--for=condition=guarded", "--timeout=60s")
        shop("rollout", "status", f"deployment/{name}", "--timeout=60s")
    allow(shop, 1)
    shop.set_image("6.0.1")
    shop.until("Progressing")
    for place, name in enumerate(APPS, 1):
        update(shop, name)
        until_at(shop, name, place)
    return shop


def test_who_waits_sees_place_and_reason_and_begins_by_itself_in_its_turn(busy: Shop) -> None:
    limit = f"namespace {busy.namespace} allows 1 rollout at once (annotation {AT_ONCE})"
    assert [standing(busy, name)[1] for name in APPS] == [f"queued, place {place}: {limit}" for place in (1, 2, 3)]
    busy.tells(f"New revision of first.{busy.namespace} waits: queued, place 1: {limit}")
    before = busy.get("canary", "third")["metadata"]["resourceVersion"]
    busy("delete", "canary", "second")
    until_at(busy, "third", 2)
    assert busy.get("canary", "third")["metadata"]["resourceVersion"] != before
    assert standing(busy, "first") == ("Waiting", f"queued, place 1: {limit}")
    Person(busy)("abort", "podinfo", "--reason", "make room")
    until(busy, "first", lambda phase, _: phase == "Succeeded", "its turn, and it has no routes")
    until(busy, "third", lambda phase, _: phase == "Succeeded", "the last one's turn")
    said = [event for event in busy.events("Deployment") if " waits: " in event]
    assert len(said) == len(APPS), "each was told once, however often its place changed"


def test_a_promotion_by_hand_and_a_raised_limit_wait_for_nobody(busy: Shop) -> None:
    Person(busy)("promote", "third", "--reason", "it is urgent")
    until(busy, "third", lambda phase, _: phase == "Succeeded", "promoted by hand")
    assert standing(busy, "first")[0] == "Waiting"
    allow(busy, 2)
    until(busy, "first", lambda phase, _: phase == "Succeeded", "there is room for two")
    until(busy, "second", lambda phase, _: phase == "Succeeded", "and for the next")
    assert busy.phase == "Progressing"


@pytest.mark.alone
def test_a_new_leader_goes_on_with_the_queue_as_it_was(busy: Shop) -> None:
    before = [standing(busy, name) for name in APPS]
    kubectl("-n", "detour", "delete", "pods", "-l", "app.kubernetes.io/name=detour", "--wait=false")
    kubectl("-n", "detour", "rollout", "status", "deployment/detour", "--timeout=120s")
    assert [standing(busy, name) for name in APPS] == before
    allow(busy, None)
    for name in APPS:
        until(busy, name, lambda phase, _: phase == "Succeeded", "nobody has to wait any more")


def test_a_limit_that_cannot_be_read_says_so_where_the_user_looks(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=QUICK)
    kubectl("annotate", "namespace", shop.namespace, f"{AT_ONCE}=many")
    shop.set_image("6.0.1")
    shop.says(f"annotation {AT_ONCE} is 'many': write 1 or more, or take it away")
    allow(shop, 3)
    shop.until("Succeeded")


def test_a_policy_lets_so_many_of_its_own_begin_at_once(open_shop: OpenShop, write_policy: WritePolicy) -> None:
    policy = write_policy(spec={"atOnce": 1}, **CALM)
    one, other = open_shop(policy=policy), open_shop(policy=policy)
    one.set_image("6.0.1")
    one.until("Progressing")
    other.set_image("6.0.1")
    other.says(f"queued, place 1: CanaryPolicy {policy} allows 1 rollout at once (its atOnce)")
    assert not other.leftovers()
    Person(one)("abort", "podinfo", "--reason", "make room")
    other.until("Progressing")

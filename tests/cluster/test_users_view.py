"""What a user sees where he looks: the warning, the columns, the events on his Deployment; and how he takes it back."""

import shlex

from tests.cluster.kubectl import KUBECTL, Object, Said, eventually
from tests.cluster.shop import IMAGE, OpenShop, Shop, tag_of
from webhook import stash

LONGEST_WARNING = 120
FLAGGERS_COLUMNS = ["NAME", "STATUS", "WEIGHT", "LASTTRANSITIONTIME"]
FLAGGERS_WIDE_COLUMNS = ["SUSPENDED", "FAILEDCHECKS", "INTERVAL", "MIRROR", "STEPWEIGHT", "STEPWEIGHTS", "MAXWEIGHT"]


def type_what_it_says(shop: Shop, said: Said) -> Said:
    """Type the command of a warning as it stands, but without waiting for more (`-w`)."""
    command = shlex.split(said.warnings[-1].rpartition(": ")[2].removesuffix(" -w"))
    assert command.pop(0) == KUBECTL.name
    assert command[:2] == ["-n", shop.namespace]
    return shop(*command[2:])


def promoted(open_shop: OpenShop) -> Shop:
    """A shop whose Deployment has a history: 6.0.1 came after 6.0.0 without any checks; from now on there are some."""
    shop = open_shop(spec={"skipAnalysis": True})
    shop.set_image("6.0.1")
    shop.until("Succeeded")
    shop.apply(shop.canary() | {"spec": shop.canary()["spec"] | {"skipAnalysis": False}})
    return shop


def test_the_columns_are_flaggers(shop: Shop) -> None:
    assert shop("get", "canary").out.splitlines()[0].split() == FLAGGERS_COLUMNS
    wide = [*FLAGGERS_COLUMNS[:-1], *FLAGGERS_WIDE_COLUMNS, FLAGGERS_COLUMNS[-1]]
    assert shop("get", "canaries", "-o", "wide").out.splitlines()[0].split() == wide
    assert shop("get", "canary", "podinfo", "--no-headers").out.split()[:3] == ["podinfo", "Initialized", "0"]


def test_every_warning_is_short_and_the_command_in_it_works(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    diverted = shop.set_image("6.0.1")
    again = shop.set_image("6.0.1")
    superseding = shop.set_image("6.0.2")
    restarted = shop("rollout", "restart", "deployment/podinfo")
    for said in (diverted, again, superseding, restarted):
        assert len(said.warnings) == 1
        assert len(said.warnings[0]) <= LONGEST_WARNING
        assert type_what_it_says(shop, said).out


def test_the_events_of_the_deployment_tell_what_became_of_the_update(shop: Shop) -> None:
    shop.apply(shop.template() | {"spec": {**shop.template()["spec"], "query": "vector(98)"}})
    shop.set_image("6.0.1")
    shop.until("Failed")
    where = f"podinfo.{shop.namespace}"
    why = "failed checks threshold reached 2"
    milestones = [
        f"New revision detected! Scaling up {where}",
        f"Rolling back {where} {why}",
        f"Canary failed! Scaling down {where} {why}: success-rate 98.00 < 99",
    ]
    eventually(lambda: set(shop.events("Deployment")) == set(milestones), "all are told", 10, shop.events)
    described = shop("describe", "deployment", "podinfo").out
    assert all(text in described for text in milestones)


def test_an_undo_during_a_canary_cancels_it_and_keeps_the_primary(open_shop: OpenShop) -> None:
    shop = promoted(open_shop)
    shop.set_image("6.0.2")
    shop.until_weight(25)
    undone = shop("rollout", "undo", "deployment/podinfo")
    assert "cancelled, the primary stays" in undone.warnings[-1]
    assert shop.waiting is None
    shop.until("Failed", 30)
    assert shop.status["conditions"][0]["reason"] == "Cancelled"
    assert shop.live_image == "6.0.1"
    assert shop.leftovers() == []


def test_an_undo_at_rest_goes_back_to_what_was_proven_at_once(open_shop: OpenShop) -> None:
    shop = promoted(open_shop)
    undone = shop("rollout", "undo", "deployment/podinfo")
    assert "back to proven revision" in undone.warnings[-1]
    assert (shop.live_image, shop.waiting) == ("6.0.0", None)
    assert type_what_it_says(shop, undone).code == 0


def test_a_network_policy_goes_on_applying_to_the_canary_where_another_label_will_do(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    by_name, by_instance = {"app.kubernetes.io/name": "shop"}, {"app.kubernetes.io/instance": "podinfo"}
    deployment, service = shop.deployment(), shop.service()
    deployment["spec"]["selector"]["matchLabels"] = by_name | by_instance
    deployment["spec"]["template"]["metadata"]["labels"] = by_name | by_instance
    service["spec"]["selector"] = by_instance
    shop("delete", "deployment", "podinfo", "--wait")
    shop.apply(deployment, service, network_policy(by_name))
    shop("rollout", "status", "deployment/podinfo", "--timeout=60s")
    shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
    shop.set_image("6.0.1")
    shop.until_weight(25)
    pod = shop.get("pods", "-l", stash.CANARY_OF)["items"][0]["metadata"]["labels"]
    assert pod.items() >= by_name.items()
    assert pod["app.kubernetes.io/instance"] == "podinfo-canary"


def test_a_policy_that_cannot_go_on_applying_is_named_in_an_event(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.apply(network_policy({"app": "podinfo"}))
    shop.set_image("6.0.1")
    shop.until_weight(25)
    shop.tells("NetworkPolicy all", "Canary")


def test_no_replicas_in_mid_canary_postpone_it_until_there_are_some(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.set_image("6.0.1")
    shop.until_weight(25)
    shop("scale", "deployment/podinfo", "--replicas=0")
    shop.until_gone()
    assert tag_of(shop.waiting) == "6.0.1"
    shop("scale", "deployment/podinfo", "--replicas=2")
    shop.until_weight(25)
    assert shop.live_image == "6.0.0"


def test_a_deleted_deployment_ends_its_canary_and_the_next_one_is_guarded(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.set_image("6.0.1")
    shop.until_weight(25)
    shop("delete", "deployment", "podinfo")
    shop.until("Failed", 30)
    assert shop.leftovers() == []
    shop.apply(shop.deployment())
    shop("wait", "canary/podinfo", "--for=condition=guarded", "--timeout=60s")
    shop("set", "image", "deployment/podinfo", f"podinfo={IMAGE}:6.0.2")
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.2")


def test_an_update_can_be_taken_back_although_its_canary_became_unusable(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.apply(shop.deployment("6.0.1"))
    shop.until_weight(25)
    shop.specify(analysis={"match": [{"sourceLabels": {"app": "checkout"}}]})
    eventually(lambda: "spec.analysis.match" in shop.status.get("message", ""), "it is said", 10)
    shop.apply(shop.deployment("6.0.0"))
    shop.until("Initialized", 30)
    assert shop.leftovers() == []
    assert shop.waiting is None


def test_a_canary_object_that_is_pointed_elsewhere_leaves_nothing_behind(open_shop: OpenShop) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.set_image("6.0.1")
    shop.until_weight(25)
    shop.specify(targetRef={"name": "other"})
    shop.until_gone(20)
    eventually(lambda: stash.POLICY not in shop.primary["metadata"]["labels"], "the Deployment is let go", 10)


def test_nobody_is_told_that_an_update_was_promoted_which_still_waits(shop: Shop) -> None:
    shop("rollout", "pause", "deployment/podinfo")
    shop.set_image("6.0.1")
    eventually(lambda: "paused" in shop.status.get("message", ""), "it waits", 10)
    waited = shop("wait", "canary/podinfo", "--for=condition=promoted", "--timeout=1s", check=False)
    assert "timed out" in waited.err


def network_policy(labels: dict[str, str]) -> Object:
    spec = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Egress"], "egress": [{}]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "all"},
        "spec": spec,
    }

"""What waits may have been written while the cluster ran another Kubernetes: it ends well, or with a word about why."""

import json

from tests.cluster.kubectl import Object, eventually
from tests.cluster.podless import stored
from tests.cluster.shop import QUICK, OpenShop, Shop, tag_of
from webhook import stash
from webhook.revision import short
from webhook.stash import Stash


def waits(open_shop: OpenShop, **spec: object) -> tuple[Shop, Object]:
    """A shop with an update that nothing begins with yet, and the template of that update."""
    shop = open_shop(analysis=QUICK, replicas=1, spec=spec)
    shop("rollout", "pause", "deployment/podinfo")
    shop.apply(shop.deployment("6.0.1"))
    waiting = shop.waiting
    assert waiting
    assert tag_of(waiting) == "6.0.1"
    return shop, waiting


def rewrite(shop: Shop, waiting: Object) -> None:
    """Put the stash in place as another version would have: past the webhook, by whoever may bypass it."""
    written = {"annotations": {"written-by": "another version"}}  # a bypass has to change the template, too
    waiting["metadata"] |= written
    annotations = {stash.TEMPLATE: stash.encode(Stash(waiting))}
    labels = {stash.REVISION: short(Stash(waiting).digest)}
    spec = {"template": {"metadata": written}}
    change = json.dumps({"metadata": {"annotations": annotations, "labels": labels}, "spec": spec})
    shop("patch", "deployment/podinfo", "--type=merge", "-p", change, "--field-manager=detour-bypass")
    assert shop.waiting == waiting
    eventually(lambda: "is paused" in shop.status.get("message", ""), "it waits", 10, lambda: shop.status)


def test_a_stash_that_lacks_what_todays_api_server_fills_in_is_promoted_once_and_is_no_news(
    open_shop: OpenShop,
) -> None:
    shop, waiting = waits(open_shop)
    del waiting["spec"]["containers"][0]["terminationMessagePolicy"]
    rewrite(shop, waiting)
    shop.apply(shop.deployment("6.0.1"))
    assert shop.waiting == waiting
    shop("rollout", "resume", "deployment/podinfo")
    shop.until("Succeeded")
    assert [one["outcome"] for one in shop.status["history"]] == ["LetPast", "Succeeded"]
    assert (shop.live_image, shop.leftovers()) == ("6.0.1", [])
    before = stored(shop)
    shop.apply(shop.deployment("6.0.1"))
    assert stored(shop) == before
    shop.set_image("6.0.0")
    assert shop.live_image == "6.0.0"  # what was replaced is proven, and goes back at once


def test_a_stash_with_a_field_that_this_api_server_does_not_know_is_rejected_in_its_words(open_shop: OpenShop) -> None:
    shop, waiting = waits(open_shop, progressDeadlineSeconds=5)
    waiting["spec"]["containers"][0]["greeting"] = "hello"
    rewrite(shop, waiting)
    shop("rollout", "resume", "deployment/podinfo")
    shop.until("Failed", 40)
    assert "greeting: field not declared in schema" in shop.status["conditions"][0]["message"]
    assert (shop.live_image, shop.leftovers()) == ("6.0.0", [])

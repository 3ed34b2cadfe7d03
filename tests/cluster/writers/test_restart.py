"""`kubectl rollout restart`: what is proven restarts at once, the canary, too, and no analysis starts anew."""

from tests.cluster.audit import listening
from tests.cluster.kubectl import eventually
from tests.cluster.pair import Pairs
from tests.cluster.shop import OpenShop, tag_of
from tests.cluster.writers.commands import sent, typed
from webhook import stash
from webhook.revision import RESTARTED_AT, Template, without_restart

RESTART = typed("rollout restart deployment/APP")


def stamp(template: Template | None) -> str:
    """When a template was restarted."""
    return str(((template or {})["metadata"].get("annotations") or {}).get(RESTARTED_AT, ""))


def test_a_restart_at_rest_goes_at_once(pairs: Pairs) -> None:
    pair = pairs(paused=False)
    with listening(pair.managed.namespace) as heard:
        said, _ = pair.both(RESTART)
    assert [write.decision for write in heard.writes] == ["restarted"]
    assert "restarted at once, it is proven; watch: " in said.warnings[-1]
    assert stamp(pair.managed.live)
    assert without_restart(pair.managed.live) == without_restart(pair.twin.live)
    assert pair.managed.ours == set()


def test_a_restart_while_an_update_waits_stamps_both_and_the_update_stays_the_same(pairs: Pairs) -> None:
    pair = pairs(paused=False)
    pair.both(sent())
    before, waiting = pair.managed.primary, pair.managed.waiting
    pair.both(RESTART)
    after, restarted = pair.managed.primary, pair.managed.waiting
    assert stamp(after["spec"]["template"]) == stamp(restarted) != ""
    assert without_restart(after["spec"]["template"]) == before["spec"]["template"]
    assert restarted
    assert without_restart(restarted) == waiting == without_restart(pair.twin.live)
    for kind, key in (("labels", stash.REVISION), ("annotations", stash.DIVERTED_BY)):
        assert after["metadata"][kind][key] == before["metadata"][kind][key]


def test_a_restart_during_a_canary_restarts_both_and_the_analysis_goes_on(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, analysis={"interval": "5m"})
    shop.set_image("6.0.1")
    shop.until_weight(25)
    before = shop.status
    shop("rollout", "restart", "deployment/podinfo")
    eventually(
        lambda: stamp(shop.get("deployment", "podinfo-canary")["spec"]["template"]), "the canary is restarted", 20
    )
    shop("rollout", "status", "deployment/podinfo", "--timeout=60s")
    shop("rollout", "status", "deployment/podinfo-canary", "--timeout=60s")
    after = shop.status
    assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")
    assert [after[key] for key in ("phase", "canaryWeight", "startTime", "revision")] == [
        before[key] for key in ("phase", "canaryWeight", "startTime", "revision")
    ]

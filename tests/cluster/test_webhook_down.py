"""While the webhook cannot be called: who is held up is told by whom, everything else goes on, and nothing is lost.

For one namespace alone, so that other tests go on: by a configuration of its own that leads nowhere (Fail), or by
taking the namespace out of the selectors (which is what an outage with Ignore comes to).
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.cluster import namespaces
from tests.cluster.kubectl import Object, Said, eventually, get, kubectl
from tests.cluster.podless import MANAGED, podless
from tests.cluster.shop import QUICK, OpenShop, Shop
from tests.cluster.unanswered import CONFIGURATION, KIND, down
from webhook import stash


@contextmanager
def not_called(shop: Shop) -> Iterator[None]:
    """Updates in this namespace go past the webhook."""
    out = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [shop.namespace]}
    _selectors(lambda entries: [*entries, out])
    try:
        eventually(lambda: not _diverts(shop), "it is not called any more", 20)
        yield
    finally:
        _selectors(lambda entries: [entry for entry in entries if entry != out])
        eventually(lambda: _diverts(shop), "it is called again", 20)


def _selectors(changed: Callable[[list[Object]], list[Object]]) -> None:
    """Change which namespaces all entries are for, whoever else writes meanwhile."""

    def write() -> bool:
        found = get(KIND, CONFIGURATION)
        patch: list[Object] = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": found["metadata"]["resourceVersion"]}
        ]
        for number, entry in enumerate(found["webhooks"]):
            path = f"/webhooks/{number}/namespaceSelector/matchExpressions"
            value = changed(entry["namespaceSelector"]["matchExpressions"])
            patch.append({"op": "replace", "path": path, "value": value})
        return kubectl("patch", KIND, CONFIGURATION, "--type=json", "-p", json.dumps(patch), check=False).code == 0

    eventually(write, "the selectors are written", 20)


def _diverts(shop: Shop) -> bool:
    """By a dry run of what only the analyzer may ask."""
    asked = f"{stash.PROMOTE}=go:{'0' * 64}"
    command = ("annotate", "deployment/podinfo", "--overwrite", "--dry-run=server", asked)
    return "divert-" in kubectl("-n", shop.namespace, *command, check=False).err


def test_with_fail_the_user_is_told_by_whom_and_everything_else_goes_on() -> None:
    with podless() as shop, down(shop.namespace):
        shop.create()
        held_up = eventually(lambda: refused(set_image(shop, "6.0.1")), "it is held up", 20)
        assert held_up
        assert 'failed calling webhook "divert-namespace.detour.dev"' in held_up.err
        assert shop.live_image == "6.0.0"
        everything_else_goes_on(shop)
        assert set_image(shop, "6.0.1").code == 1, "all the time"
        bypassed = set_image(shop, "6.0.1", "--field-manager=detour-bypass")
        assert (bypassed.code, shop.live_image) == (0, "6.0.1")
        with namespaces.namespace("unmanaged") as elsewhere:
            kubectl("-n", elsewhere, "apply", "-f", "-", stdin=json.dumps(shop.deployment()))
            kubectl("-n", elsewhere, "set", "image", "deployment/podinfo", "podinfo=podinfo:2")
    assert "as a canary first" in shop.set_image("6.0.2").err


def everything_else_goes_on(shop: Shop) -> None:
    """Each of these fails the test if it is refused."""
    shop("scale", "deployment/podinfo", "--replicas=3")
    shop("annotate", "deployment/podinfo", "team=blue")
    shop("label", "deployment/podinfo", "team=blue")
    shop("patch", "deployment/podinfo", "-p", '{"spec": {"minReadySeconds": 1}}')
    shop("patch", "deployment/podinfo", "--subresource=status", "--type=merge", "-p", '{"status": {"replicas": 0}}')
    another = shop.deployment()
    another["metadata"]["name"] = "another"
    shop.apply(another)
    shop("create", "configmap", "settings", "--from-literal=color=blue")
    shop("run", "pod", "--image=nothing", "--image-pull-policy=Never")
    shop("wait", "deployment/another", "--for=condition=Available", "--timeout=30s")  # its controller works
    shop("delete", "deployment/another", "pod/pod", "--wait=false")


def test_with_ignore_a_template_that_was_never_analysed_is_noticed_and_told(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, analysis=QUICK)
    eventually(lambda: shop.status.get("primary"), "it is known what runs", 20, lambda: shop.status)
    with not_called(shop):
        shop.set_image("6.0.1")
        assert (shop.live_image, shop.waiting) == ("6.0.1", None)
        shop.tells("changed past the webhook, which was not called")
        entry = shop.status["history"][-1]
        assert (entry["outcome"], entry["images"][0].rpartition(":")[2]) == ("LetPast", "6.0.1")
        assert "by kubectl-set runs without an analysis" in entry["message"]
        eventually(lambda: not guarded(shop), "nobody is promised that the next one will be diverted", 20)
    eventually(lambda: guarded(shop), "it is certain again", 30, lambda: shop.status)
    assert "as a canary first" in shop.set_image("6.0.2").err
    shop.until("Succeeded", 60)
    told = [text for text in shop.events("Deployment") if "past the webhook" in text]
    assert len(told) == 1, "neither is it told twice, nor of what was promoted"


def test_a_promotion_that_was_stored_while_nobody_was_called_is_asked_for_again(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, analysis={"interval": "4s", "stepWeight": 50, "metrics": []})
    shop.set_image("6.0.1")
    shop.until_weight(50)
    with not_called(shop):
        eventually(lambda: stash.PROMOTE in notes(shop), "it is stored and nothing comes of it", 40)
        assert shop.live_image == "6.0.0"
    shop.until("Succeeded", 60)
    assert (shop.live_image, shop.waiting) == ("6.0.1", None)
    assert stash.PROMOTE not in notes(shop)


def test_neither_kube_system_nor_detours_own_namespace_can_be_caught() -> None:
    """Whatever labels they, and what is in them, have."""
    name = namespaces.unique("caught")
    with podless() as shop:
        manifest = shop.deployment()
    manifest["metadata"] |= {"name": name, "labels": MANAGED}
    for namespace in ("kube-system", "detour"):
        before = get("namespace", namespace)["metadata"]["labels"]
        try:
            kubectl("label", "namespace", namespace, "--overwrite", f"{stash.POLICY}=default")
            kubectl("-n", namespace, "create", "-f", "-", stdin=json.dumps(manifest))
            said = kubectl("-n", namespace, "set", "image", f"deployment/{name}", "podinfo=podinfo:2")
            live = get("-n", namespace, "deployment", name)
            assert live["spec"]["template"]["spec"]["containers"][0]["image"] == "podinfo:2"
            assert "canary" not in said.err
        finally:
            kubectl("-n", namespace, "delete", "deployment", name, "--ignore-not-found", "--wait=false")
            if stash.POLICY not in before:
                kubectl("label", "namespace", namespace, f"{stash.POLICY}-")


def set_image(shop: Shop, tag: str, *arguments: str) -> Said:
    """What the user types, and may be refused."""
    image = f"podinfo=ghcr.io/stefanprodan/podinfo:{tag}"
    command = ("-n", shop.namespace, "set", "image", "deployment/podinfo", image, *arguments)
    return kubectl(*command, check=False)


def refused(said: Said) -> Said | None:
    return said if said.code else None


def notes(shop: Shop) -> dict[str, str]:
    """The annotations of its Deployment."""
    return dict(shop.primary["metadata"].get("annotations", {}))


def guarded(shop: Shop) -> bool:
    conditions = {found["type"]: found["status"] for found in shop.status["conditions"]}
    return bool(conditions["Guarded"] == "True")

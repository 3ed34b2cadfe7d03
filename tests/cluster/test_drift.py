"""What people and GitOps tools see before they apply a manifest: its change until it is made, no drift while it waits.

That nothing is stored is tried with every look.
"""

from collections.abc import Iterator

import pytest

from tests.cluster.drift import KUBECTL_DIFF, TOOLS, Seen, Tool, look_by
from tests.cluster.kubectl import Object
from tests.cluster.person import BAD, GOOD, judged
from tests.cluster.podless import Podless, podless
from tests.cluster.shop import IMAGE, OpenShop, Shop
from webhook import stash

ENVIRONMENT = {"6.0.0": "COLOR", "6.0.1": "SHAPE", "6.0.2": "SIZE"}
"""Each version has a variable of its own, so that a field goes and one comes with every update."""
OF_THE_STASH = {stash.TEMPLATE, stash.REVISION, stash.DIVERTED_BY}
THE_ANALYZER = ("--as=system:serviceaccount:detour:detour-analyzer", "--field-manager=detour")

BY_NAME = {tool.name: tool for tool in TOOLS}
FLUX = BY_NAME["flux"]
ARGOCD = BY_NAME["argocd ServerSideDiff after argocd"]
ARGOCD_SERVER_SIDE = BY_NAME["argocd ServerSideDiff after argocd ServerSideApply"]
ARGOCD_CLIENT_SIDE = [tool for tool in TOOLS if tool.name.endswith("after argocd")]


def by(*tools: Tool) -> pytest.MarkDecorator:
    """One test a tool."""
    return pytest.mark.parametrize("tool", tools, ids=lambda tool: tool.name)


by_every_tool = by(*TOOLS)


@pytest.fixture
def shop() -> Iterator[Podless]:
    """A namespace under a policy that does not exist."""
    with podless() as shop:
        yield shop


def manifest(shop: Shop, tag: str, **container: object) -> Object:
    """What stands in Git."""
    found = shop.deployment(tag, env=[{"name": ENVIRONMENT[tag], "value": ENVIRONMENT[tag]}], **container)
    return found | {"metadata": {**found["metadata"], "namespace": shop.namespace}}


def update(tool: Tool, old: str, new: str) -> set[str]:
    """The lines of a change from one version to another.

    Argo CD's dry run is a server-side apply, which takes nothing away that a client-side sync has stated.
    """
    added = {f"+image: {IMAGE}:{new}", f"+- name: {ENVIRONMENT[new]}", f"+value: {ENVIRONMENT[new]}"}
    taken_away = {f"-- name: {ENVIRONMENT[old]}", f"-value: {ENVIRONMENT[old]}"}
    return added | {f"-image: {IMAGE}:{old}"} | (set() if tool in ARGOCD_CLIENT_SIDE else taken_away)


def look(shop: Shop, tool: Tool, tag: str, **container: object) -> Seen:
    """What the tool sees in a manifest of this version."""
    shop.settled()
    before = shop.primary["metadata"]
    seen = tool.look(manifest(shop, tag, **container))
    assert shop.primary["metadata"] == before
    return seen


def sync(shop: Shop, tool: Tool, *tags: str) -> None:
    """Manifests of these versions are applied by the tool, one after the other."""
    for tag in tags:
        tool.sync(manifest(shop, tag))
        shop.settled()


@by_every_tool
def test_before_an_update_its_change_is_shown(tool: Tool, shop: Podless) -> None:
    sync(shop, tool, "6.0.0")
    seen = look(shop, tool, "6.0.1")
    assert seen.drifted
    assert seen.change == update(tool, "6.0.0", "6.0.1")
    assert shop.waiting is None


@by_every_tool
def test_before_an_update_that_cannot_be_its_error_is_shown(tool: Tool, shop: Podless) -> None:
    sync(shop, tool, "6.0.0")
    seen = look(shop, tool, "6.0.1", imagePullPolicy="Sometimes")
    assert 'spec.template.spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes"' in seen.error


@by_every_tool
def test_while_it_is_diverted_its_manifest_has_no_drift_and_the_next_ones_change_is_shown(
    tool: Tool, shop: Podless
) -> None:
    sync(shop, tool, "6.0.0", "6.0.1")
    assert look(shop, tool, "6.0.1").in_sync
    seen = look(shop, tool, "6.0.2")
    assert seen.drifted
    assert f"+image: {IMAGE}:6.0.2" in seen.change


@by(*(tool for tool in TOOLS if tool not in (KUBECTL_DIFF, *ARGOCD_CLIENT_SIDE)))
def test_the_old_manifest_shows_that_it_cancels_the_canary_and_does(tool: Tool, shop: Podless) -> None:
    sync(shop, tool, "6.0.0", "6.0.1")
    seen = look(shop, tool, "6.0.0")
    assert seen.drifted
    assert seen.taken_off == OF_THE_STASH
    assert not any(line[1:].startswith(("image", "- name")) for line in seen.change)
    assert shop.waiting
    sync(shop, tool, "6.0.0")
    assert shop.waiting is None
    assert look(shop, tool, "6.0.0").in_sync


@by_every_tool
def test_what_somebody_else_changes_during_a_canary_is_drift_and_nothing_else_is(tool: Tool, shop: Podless) -> None:
    sync(shop, tool, "6.0.0", "6.0.1")
    shop("scale", "deployment/podinfo", "--replicas=3")
    seen = look(shop, tool, "6.0.1")
    assert seen.drifted
    assert seen.change == {"-replicas: 3", "+replicas: 2"}


@by_every_tool
def test_while_it_is_promoted_and_afterwards_there_is_no_drift(tool: Tool, shop: Podless) -> None:
    sync(shop, tool, "6.0.0", "6.0.1")
    waiting = stash.diverted(shop.primary)
    assert waiting
    for verb in (stash.GO, stash.DONE):
        ask = f"{stash.PROMOTE}={stash.promote_request(verb, waiting.digest)}"
        shop("annotate", "--overwrite", "deployment/podinfo", ask, *THE_ANALYZER)
        assert shop.live_image == "6.0.1"
        assert look(shop, tool, "6.0.1").in_sync


def reject(shop: Shop) -> None:
    """As the analyzer does."""
    shop("label", "deployment/podinfo", f"{stash.STATE}={stash.STATE_REJECTED}", *THE_ANALYZER)


@by_every_tool
def test_when_it_was_rejected_there_is_no_drift(tool: Tool, shop: Podless) -> None:
    sync(shop, tool, "6.0.0", "6.0.1")
    reject(shop)
    assert look(shop, tool, "6.0.1").in_sync


@by(FLUX, ARGOCD_SERVER_SIDE, ARGOCD)
def test_what_was_rejected_is_not_begun_again_by_the_same_manifest(tool: Tool, shop: Podless) -> None:
    sync(shop, tool, "6.0.0", "6.0.1")
    waiting = shop.waiting
    reject(shop)
    sync(shop, tool, "6.0.1")
    assert shop.waiting == waiting
    assert shop.primary["metadata"]["labels"][stash.STATE] == stash.STATE_REJECTED


@pytest.mark.parametrize(
    ("query", "end", "tool"), [(GOOD, "Succeeded", ARGOCD), (BAD, "Failed", FLUX)], ids=["promoted", "rejected"]
)
def test_from_the_first_weight_to_the_end_of_a_real_analysis_there_is_no_drift(
    query: str, end: str, tool: Tool, open_shop: OpenShop
) -> None:
    shop = judged(open_shop, query, {"interval": "3s"})
    sync(shop, tool, "6.0.0", "6.0.1")
    shop.until_weight(25)
    assert tool.look(manifest(shop, "6.0.1")).in_sync
    shop.until(end)
    shop.until_gone()
    assert look(shop, tool, "6.0.1").in_sync


@pytest.mark.parametrize("how", ["argocd", "argocd ServerSideApply"])
def test_argo_cd_without_its_server_side_diff_looks_at_the_primary_alone(how: str, shop: Podless) -> None:
    tool = Tool(how, ARGOCD.sync, look_by(how))
    sync(shop, tool, "6.0.0", "6.0.1")
    assert f"+image: {IMAGE}:6.0.1" in look(shop, tool, "6.0.1").change
    assert look(shop, tool, "6.0.0").in_sync


@by(*ARGOCD_CLIENT_SIDE)
def test_argo_cd_that_syncs_client_side_takes_the_old_manifest_for_a_third_version_but_its_sync_cancels(
    tool: Tool, shop: Podless
) -> None:
    sync(shop, tool, "6.0.0", "6.0.1")
    assert look(shop, tool, "6.0.0").change == {"+- name: SHAPE", "+value: SHAPE"}
    sync(shop, tool, "6.0.0")
    assert shop.waiting is None


def test_kubectl_diff_sends_nothing_of_the_old_manifest_and_a_dry_run_does(shop: Podless) -> None:
    sync(shop, KUBECTL_DIFF, "6.0.0", "6.0.1")
    assert look(shop, KUBECTL_DIFF, "6.0.0") == Seen()
    seen = look(shop, BY_NAME["kubectl apply --dry-run=server"], "6.0.0")
    assert "cancelled, the primary stays" in seen.said


@by(*(tool for tool in TOOLS if tool.name.startswith("kubectl")))
def test_a_dry_run_says_what_would_happen(tool: Tool, shop: Podless) -> None:
    sync(shop, tool, "6.0.0")
    assert "runs as a canary first" in look(shop, tool, "6.0.1").said
    sync(shop, tool, "6.0.1")
    assert "is on its way as a canary already" in look(shop, tool, "6.0.1").said


def test_flux_takes_over_what_people_did_and_its_canary_goes_on(shop: Podless) -> None:
    sync(shop, FLUX, "6.0.0", "6.0.1")
    shop("label", "deployment/podinfo", "checked-by=somebody")
    generation = shop.settled()["metadata"]["generation"]
    sync(shop, FLUX, "6.0.1")
    primary = shop.settled()["metadata"]
    assert "checked-by" not in primary["labels"]
    assert primary["generation"] == generation  # it counts the writes to annotations, too, and so to what waits

"""What manifests state and no longer state, by one writer and by several: what is diverted is what a twin would run.

The twin is the same Deployment in a namespace without Detour, and gets the same commands. Neither runs a pod.
"""

import json
from collections.abc import Iterator, Sequence

import pytest

from tests.cluster.kubectl import Object, Said, eventually
from tests.cluster.namespaces import namespace
from tests.cluster.pair import Pair, Place, Places, sides
from tests.cluster.podless import paused
from tests.cluster.shop import IMAGE, QUICK, OpenShop, Shop, tag_of
from tests.cluster.writers.commands import typed

CLIENT_SIDE = ()
FLUX = ("--server-side", "--field-manager=kustomize-controller", "--force-conflicts")
SIZER = ("--server-side", "--field-manager=sizer")
SOMEBODY = ("--server-side", "--field-manager=somebody")

both_sides = pytest.mark.parametrize("how", [CLIENT_SIDE, FLUX], ids=["client side", "server side"])


@pytest.fixture
def pair() -> Iterator[Places]:
    """Both called podinfo, as manifests have it; neither is there yet."""
    with sides("manifests") as found:
        yield Pair(Place(found.managed, "podinfo"), Place(found.twin, "podinfo"))


def apply(pair: Places, manifest: Object, how: Sequence[str], *, check: bool = True) -> tuple[Said, Said]:
    """`kubectl apply` of the same to both."""
    text = json.dumps(manifest)
    return pair.both(lambda place: place("apply", *how, "-f", "-", stdin=text, check=check))


def agree(pair: Places) -> None:
    """What waits is what the twin runs, and the primary has not changed."""
    assert pair.managed.desired == pair.twin.live
    assert tag_of(pair.managed.live) == "6.0.0"


def stored(place: Place) -> Object:
    """All that no controller writes: a write by anybody else changes it, were it only his time in managedFields."""
    found = place.get("deployment", place.name, "--show-managed-fields")
    entries = [entry for entry in found["metadata"]["managedFields"] if "subresource" not in entry]
    metadata = {**found["metadata"], "resourceVersion": "", "managedFields": entries}
    return {"metadata": metadata, "spec": found["spec"]}


def first() -> Object:
    """Two containers that run nowhere, with much that the next version does without."""
    env = [{"name": "COLOR", "value": "blue"}, {"name": "LEVEL", "value": "info"}]
    found = Shop("", replicas=1).deployment(env=env, volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}])
    template = found["spec"]["template"]
    template["metadata"]["labels"]["tier"] = "front"
    template["spec"]["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    template["spec"]["containers"].append({"name": "sidecar", "image": f"{IMAGE}:6.0.0"})
    return paused(found)


def second() -> Object:
    """Without an env, a pod label, a volume, and two fields that have defaults."""
    found = first()
    template = found["spec"]["template"]
    podinfo = template["spec"]["containers"][0]
    podinfo["image"] = f"{IMAGE}:6.0.1"
    podinfo["env"] = podinfo["env"][1:]
    del podinfo["volumeMounts"], podinfo["readinessProbe"]["periodSeconds"]
    del template["metadata"]["labels"]["tier"], template["spec"]["volumes"]
    del template["spec"]["terminationGracePeriodSeconds"]
    return found


def sized(memory: str) -> Object:
    """All that a tool states that owns the resources, and nothing else."""
    container = {"name": "podinfo", "resources": {"requests": {"memory": memory}}}
    spec = {"template": {"spec": {"containers": [container]}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "podinfo"}, "spec": spec}


def installed(pair: Places, how: Sequence[str]) -> None:
    """The first version, which counts as available."""
    apply(pair, first(), how)
    pair.both(Place.settled)


@both_sides
def test_what_a_manifest_no_longer_states_is_gone_from_what_waits_and_repetitions_write_nothing(
    pair: Places, how: Sequence[str]
) -> None:
    installed(pair, how)
    apply(pair, second(), how)
    agree(pair)
    template = pair.managed.desired
    assert "tier" not in template["metadata"]["labels"]
    assert "volumes" not in template["spec"]
    assert template["spec"]["terminationGracePeriodSeconds"] == 30
    assert template["spec"]["containers"][0]["env"] == [{"name": "LEVEL", "value": "info"}]
    before = stored(pair.managed)
    for _ in range(2):
        apply(pair, second(), how)
    assert stored(pair.managed) == before
    agree(pair)


def test_who_owns_the_resources_alone_changes_them_in_what_waits_and_repetitions_of_both_write_nothing(
    pair: Places,
) -> None:
    installed(pair, FLUX)
    apply(pair, sized("16Mi"), SIZER)
    apply(pair, second(), FLUX)
    agree(pair)
    apply(pair, sized("32Mi"), SIZER)
    agree(pair)
    before = stored(pair.managed)
    for _ in range(2):
        apply(pair, second(), FLUX)
        apply(pair, sized("32Mi"), SIZER)
    agree(pair)
    assert pair.managed.owners == pair.twin.owners
    assert stored(pair.managed) == before


def test_set_commands_one_after_the_other_add_up_with_an_apply_in_between(pair: Places) -> None:
    installed(pair, CLIENT_SIDE)
    image = typed(f"set image deployment/APP podinfo={IMAGE}:6.0.1")
    env = typed("set env deployment/APP COLOR=red")
    other = typed(f"set image deployment/APP sidecar={IMAGE}:6.0.2")
    for command in (image, env, other):
        pair.both(command)
        agree(pair)
    before = stored(pair.managed)
    for command in (image, env, other):
        pair.both(command)
        assert stored(pair.managed) == before
    apply(pair, second(), CLIENT_SIDE)
    agree(pair)
    for command in (env, other):
        pair.both(command)
        agree(pair)


@pytest.fixture
def shared(pair: Places) -> Places:
    """Two managers: one has brought a new version, which waits, and one owns the resources."""
    installed(pair, FLUX)
    apply(pair, sized("16Mi"), SIZER)
    apply(pair, second(), FLUX)
    return pair


def test_two_appliers_meet_no_conflict_that_they_would_not_have_met_without_detour(shared: Places) -> None:
    for manifest, how in ((sized("32Mi"), SIZER), (second(), FLUX[:2]), (sized("8Mi"), FLUX[:2])):
        guarded, unguarded = conflicts(shared, manifest, how)
        assert guarded == unguarded
        agree(shared)
    assert shared.managed.owners == shared.twin.owners


def test_a_third_that_states_what_waits_meets_a_conflict_with_the_primary_unless_forced(shared: Places) -> None:
    """What docs/changes.md says: the API server compares with the live template, before anybody is asked."""
    guarded, unguarded = conflicts(shared, second(), SOMEBODY)
    assert "kustomize-controller" in guarded
    assert unguarded == ""
    apply(shared, second(), (*SOMEBODY, "--force-conflicts"))
    agree(shared)


def test_a_third_that_states_what_runs_is_believed_and_told_though_a_twin_would_show_a_conflict(shared: Places) -> None:
    """The other way round: no conflict with the live template, and nobody tells a webhook whether it is forced."""
    guarded, unguarded = apply(shared, first(), SOMEBODY, check=False)
    assert "kustomize-controller" in unguarded.err
    assert guarded.code == 0
    assert "as the canary" in guarded.warnings[0]
    believed = shared.managed.desired
    apply(shared, first(), (*SOMEBODY, "--force-conflicts"))
    assert shared.managed.desired == believed
    agree(shared)


def conflicts(pair: Places, manifest: Object, how: Sequence[str]) -> list[str]:
    """What the API server says of fields that belong to somebody else, about the guarded one and its twin."""
    said = apply(pair, manifest, how, check=False)
    return ["\n".join(line for line in each.err.splitlines() if not line.startswith("Warning: ")) for each in said]


def test_after_the_promotion_fields_are_gone_and_belong_to_whom_they_would_without_detour(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, analysis=QUICK, pod={"volumes": [{"name": "scratch", "emptyDir": {}}]})
    with namespace("twin") as twin:
        pair = Pair(Place(shop.namespace, shop.name), Place(twin, shop.name))
        before, after = shop.deployment(), shop.deployment("6.0.1")
        pair.twin.send({**before, "spec": {**before["spec"], "paused": True}})
        pod = after["spec"]["template"]["spec"]
        del pod["volumes"], pod["containers"][0]["lifecycle"]
        apply(pair, before, FLUX)
        apply(pair, sized("16Mi"), SIZER)
        shop.until("Succeeded")
        apply(pair, after, FLUX)
        assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")
        eventually(lambda: shop.live_image == "6.0.1" and shop.phase == "Succeeded", "it is promoted", 60)
        assert pair.managed.desired == pair.twin.live
        assert pair.managed.owners == pair.twin.owners
        assert "volumes" not in pair.managed.desired["spec"]
        assert "lifecycle" not in pair.managed.desired["spec"]["containers"][0]

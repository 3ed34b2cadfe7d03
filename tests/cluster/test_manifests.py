"""What manifests state and no longer state, by one writer and by several: what is diverted is what a twin would run.

The twin is the same Deployment in a namespace without Detour, and gets the same commands. Neither runs a pod.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from tests.bench import idle
from tests.cluster.kubectl import Object, Said, eventually, get, kubectl
from tests.cluster.shop import IMAGE, OpenShop, Shop, tag_of
from webhook import stash

CLIENT_SIDE = ()
FLUX = ("--server-side", "--field-manager=kustomize-controller", "--force-conflicts")
SIZER = ("--server-side", "--field-manager=sizer")
SOMEBODY = ("--server-side", "--field-manager=somebody")
QUICK = {"interval": "1s", "metrics": []}

both_sides = pytest.mark.parametrize("how", [CLIENT_SIDE, FLUX], ids=["client side", "server side"])


@dataclass(frozen=True, slots=True)
class Pair:
    """The Deployment that Detour guards, and its twin that it does not, by their namespaces."""

    managed: str
    twin: str

    def type(self, *arguments: str, stdin: Object | None = None, check: bool = True) -> tuple[Said, Said]:
        """The same command to both, the guarded one first."""
        text = None if stdin is None else json.dumps(stdin)
        said = [kubectl("-n", where, *arguments, stdin=text, check=check) for where in (self.managed, self.twin)]
        return said[0], said[1]

    def apply(self, manifest: Object, how: Sequence[str]) -> tuple[Said, Said]:
        return self.type("apply", *how, "-f", "-", stdin=manifest)

    @property
    def guarded(self) -> Object:
        return get("-n", self.managed, "deployment", "podinfo", "--show-managed-fields")

    @property
    def unguarded(self) -> Object:
        return get("-n", self.twin, "deployment", "podinfo", "--show-managed-fields")

    @property
    def wished(self) -> Object:
        """The template that the guarded one will run."""
        found = stash.diverted(self.guarded)
        return found.template if found else dict(self.guarded["spec"]["template"])

    @property
    def stored(self) -> Object:
        """All that no controller writes: a write by anybody else changes it, were it only his time in managedFields."""
        found = self.guarded
        entries = [entry for entry in found["metadata"]["managedFields"] if "subresource" not in entry]
        metadata = {**found["metadata"], "resourceVersion": "", "managedFields": entries}
        return {"metadata": metadata, "spec": found["spec"]}

    def agree(self) -> None:
        """What waits is what the twin runs, and the primary has not changed."""
        assert self.wished == self.unguarded["spec"]["template"]
        assert tag_of(self.guarded["spec"]["template"]) == "6.0.0"


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two namespaces, of which one has a policy."""
    with idle.namespace("managed", idle.MANAGED) as managed, idle.namespace("twin") as twin:
        yield Pair(managed, twin)


def owners(deployment: Object) -> dict[tuple[str, str], Object]:
    """Which fields of the template belong to whom."""
    found = ((entry, entry["fieldsV1"].get("f:spec", {})) for entry in deployment["metadata"]["managedFields"])
    return {(entry["manager"], entry["operation"]): spec["f:template"] for entry, spec in found if "f:template" in spec}


def first() -> Object:
    """Two containers that run nowhere, with much that the next version does without."""
    env = [{"name": "COLOR", "value": "blue"}, {"name": "LEVEL", "value": "info"}]
    found = Shop("").deployment(env=env, volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}])
    template = found["spec"]["template"]
    template["metadata"]["labels"]["tier"] = "front"
    template["spec"]["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    template["spec"]["containers"].append({"name": "sidecar", "image": f"{IMAGE}:6.0.0"})
    nowhere = {"paused": True, "replicas": 1, "strategy": {"rollingUpdate": {"maxUnavailable": "100%", "maxSurge": 1}}}
    return {**found, "spec": {**found["spec"], **nowhere}}


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


def installed(pair: Pair, how: Sequence[str]) -> None:
    """The first version, which counts as available."""
    pair.apply(first(), how)
    for where in (pair.managed, pair.twin):
        kubectl("-n", where, "wait", "deployment/podinfo", "--for=condition=Available", "--timeout=60s")


@both_sides
def test_what_a_manifest_no_longer_states_is_gone_from_what_waits_and_repetitions_write_nothing(
    pair: Pair, how: Sequence[str]
) -> None:
    installed(pair, how)
    pair.apply(second(), how)
    pair.agree()
    template = pair.wished
    assert "tier" not in template["metadata"]["labels"]
    assert "volumes" not in template["spec"]
    assert template["spec"]["terminationGracePeriodSeconds"] == 30
    assert template["spec"]["containers"][0]["env"] == [{"name": "LEVEL", "value": "info"}]
    before = pair.stored
    for _ in range(2):
        pair.apply(second(), how)
    assert pair.stored == before
    pair.agree()


def test_who_owns_the_resources_alone_changes_them_in_what_waits_and_repetitions_of_both_write_nothing(
    pair: Pair,
) -> None:
    installed(pair, FLUX)
    pair.apply(sized("16Mi"), SIZER)
    pair.apply(second(), FLUX)
    pair.agree()
    pair.apply(sized("32Mi"), SIZER)
    pair.agree()
    before = pair.stored
    for _ in range(2):
        pair.apply(second(), FLUX)
        pair.apply(sized("32Mi"), SIZER)
    pair.agree()
    assert owners(pair.guarded) == owners(pair.unguarded)
    assert pair.stored == before


def test_set_commands_one_after_the_other_add_up_with_an_apply_in_between(pair: Pair) -> None:
    installed(pair, CLIENT_SIDE)
    image = ("set", "image", "deployment/podinfo", f"podinfo={IMAGE}:6.0.1")
    env = ("set", "env", "deployment/podinfo", "COLOR=red")
    other = ("set", "image", "deployment/podinfo", f"sidecar={IMAGE}:6.0.2")
    for command in (image, env, other):
        pair.type(*command)
        pair.agree()
    before = pair.stored
    for command in (image, env, other):
        pair.type(*command)
        assert pair.stored == before
    pair.apply(second(), CLIENT_SIDE)
    pair.agree()
    for command in (env, other):
        pair.type(*command)
        pair.agree()


@pytest.fixture
def shared(pair: Pair) -> Pair:
    """Two managers: one has brought a new version, which waits, and one owns the resources."""
    installed(pair, FLUX)
    pair.apply(sized("16Mi"), SIZER)
    pair.apply(second(), FLUX)
    return pair


def test_two_appliers_meet_no_conflict_that_they_would_not_have_met_without_detour(shared: Pair) -> None:
    for manifest, how in ((sized("32Mi"), SIZER), (second(), FLUX[:2]), (sized("8Mi"), FLUX[:2])):
        guarded, unguarded = conflicts(shared, manifest, how)
        assert guarded == unguarded
        shared.agree()
    assert owners(shared.guarded) == owners(shared.unguarded)


def test_a_third_that_states_what_waits_meets_a_conflict_with_the_primary_unless_forced(shared: Pair) -> None:
    """What docs/changes.md says: the API server compares with the live template, before anybody is asked."""
    guarded, unguarded = conflicts(shared, second(), SOMEBODY)
    assert "kustomize-controller" in guarded
    assert unguarded == ""
    shared.apply(second(), (*SOMEBODY, "--force-conflicts"))
    shared.agree()


def test_a_third_that_states_what_runs_is_believed_and_told_though_a_twin_would_show_a_conflict(shared: Pair) -> None:
    """The other way round: no conflict with the live template, and nobody tells a webhook whether it is forced."""
    guarded, unguarded = shared.type("apply", *SOMEBODY, "-f", "-", stdin=first(), check=False)
    assert "kustomize-controller" in unguarded.err
    assert guarded.code == 0
    assert "as the canary" in guarded.warnings[0]
    believed = shared.wished
    shared.apply(first(), (*SOMEBODY, "--force-conflicts"))
    assert shared.wished == believed
    shared.agree()


def conflicts(pair: Pair, manifest: Object, how: Sequence[str]) -> list[str]:
    """What the API server says of fields that belong to somebody else, about the guarded one and its twin."""
    said = pair.type("apply", *how, "-f", "-", stdin=manifest, check=False)
    return ["\n".join(line for line in each.err.splitlines() if not line.startswith("Warning: ")) for each in said]


def test_after_the_promotion_fields_are_gone_and_belong_to_whom_they_would_without_detour(open_shop: OpenShop) -> None:
    shop = open_shop(replicas=1, analysis=QUICK, pod={"volumes": [{"name": "scratch", "emptyDir": {}}]})
    with idle.namespace("twin") as twin:
        pair = Pair(shop.namespace, twin)
        before, after = shop.deployment(), shop.deployment("6.0.1")
        kubectl(
            "-n", twin, "apply", "-f", "-", stdin=json.dumps({**before, "spec": {**before["spec"], "paused": True}})
        )
        del (
            after["spec"]["template"]["spec"]["volumes"],
            after["spec"]["template"]["spec"]["containers"][0]["lifecycle"],
        )
        pair.apply(before, FLUX)
        pair.apply(sized("16Mi"), SIZER)
        shop.until("Succeeded")
        pair.apply(after, FLUX)
        assert (shop.live_image, tag_of(shop.waiting)) == ("6.0.0", "6.0.1")
        eventually(lambda: shop.live_image == "6.0.1" and shop.phase == "Succeeded", "it is promoted", 60)
        assert pair.wished == pair.unguarded["spec"]["template"]
        assert owners(pair.guarded) == owners(pair.unguarded)
        assert "volumes" not in pair.wished["spec"]
        assert "lifecycle" not in pair.wished["spec"]["containers"][0]

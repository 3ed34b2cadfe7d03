"""Somebody with the ClusterRole edit, or admin of one namespace, who wants an unproven version to be served.

What holds is that he does not get it onto the primary by an update, not in another's name, and not by our own rights.
Deleting and creating a Deployment stays open (docs/policies.md); what each exception takes is in test_exceptions.py.
"""

import copy
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.kubectl import Object, Said, eventually, kubectl
from tests.cluster.person import Person, hire
from tests.cluster.podless import Podless, podless
from tests.cluster.shop import IMAGE, OpenShop
from webhook import stash
from webhook.revision import digest, short

UNPROVEN = "6.6.6"
FIELDS: Object = {
    "restartPolicy": "Always",
    "automountServiceAccountToken": True,
    "enableServiceLinks": True,
    "shareProcessNamespace": False,
    "hostUsers": True,
    "setHostnameAsFQDN": False,
    "serviceAccountName": "default",
    "preemptionPolicy": "PreemptLowerPriority",
    "securityContext": {"fsGroup": 1},
    "dnsPolicy": "Default",
}
"""What a pod template may say beside what every one has: some of it is what the API server fills in."""
MERGE = "--type=merge"


@pytest.fixture(scope="module")
def shop() -> Iterator[Podless]:
    with podless() as found:
        found.create()
        yield found


@pytest.fixture(scope="module")
def attacker(shop: Podless, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return hire(shop, tmp_path_factory.mktemp("attacker"), "attacker", "edit")


@pytest.fixture(autouse=True)
def _the_primary_stays_what_it_was(shop: Podless) -> Iterator[None]:
    before = shop.primary["spec"]["template"]
    yield
    assert shop.primary["spec"]["template"] == before


def unproven(shop: Podless) -> Object:
    """Another template with every call."""
    template: Object = copy.deepcopy(shop.primary["spec"]["template"])
    template["spec"]["containers"][0]["image"] = f"{IMAGE}:{UNPROVEN}-{secrets.token_hex(3)}"
    return template


def patch(person: Person, body: Object, *arguments: str, what: str = "deployment/podinfo") -> Said:
    return person.kubectl("patch", what, MERGE, "-p", json.dumps(body), *arguments)


def author(shop: Podless) -> str:
    found = stash.diverted_by(shop.primary)
    return found.user if found else ""


@pytest.mark.parametrize(
    "manager", ["detour", "detour-bypass", "kubectl-label", "kubectl-rollout", "kubectl-replace", ""]
)
def test_no_name_of_a_field_manager_gets_a_template_past(shop: Podless, attacker: Person, manager: str) -> None:
    said = patch(attacker, {"spec": {"template": unproven(shop)}}, *([f"--field-manager={manager}"] if manager else []))
    assert said.code == 0
    assert author(shop) == attacker.user


def test_a_time_of_deletion_in_the_request_gets_no_template_past(shop: Podless, attacker: Person) -> None:
    leaving = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    said = patch(attacker, {"metadata": leaving, "spec": {"template": unproven(shop)}})
    assert "metadata.deletionTimestamp" in said.err


@pytest.mark.parametrize("subresource", ["scale", "status"])
def test_no_subresource_gets_a_template_past(shop: Podless, attacker: Person, subresource: str) -> None:
    body = {"spec": {"replicas": 2, "template": unproven(shop)}}
    said = patch(attacker, body, f"--subresource={subresource}")
    assert said.code == 0 if subresource == "scale" else "forbidden" in said.err


def test_keys_of_ours_that_a_request_brings_count_for_nothing(shop: Podless, attacker: Person) -> None:
    evil = unproven(shop)
    evil["spec"]["containers"][0]["env"] = [{"name": "FORGED", "value": "yes"}]
    waiting = stash.Stash(evil)
    forged = {
        stash.TEMPLATE: stash.encode(waiting),
        stash.DIVERTED_BY: stash.Author("kubernetes-admin").encode(),
        stash.HISTORY: waiting.digest,
        stash.AT_ONCE: f"{waiting.digest} because",
        stash.LET_PAST: "let past by kubernetes-admin",
    }
    labels = {stash.REVISION: short(waiting.digest), stash.STATE: stash.STATE_PROMOTING}
    assert patch(attacker, {"metadata": {"labels": labels, "annotations": forged}}).code == 0
    kept = shop.primary["metadata"]["annotations"]
    assert not {stash.HISTORY, stash.AT_ONCE, stash.LET_PAST} & kept.keys()
    assert author(shop) == attacker.user
    assert "as a canary" in patch(attacker, {"spec": {"template": evil}}).err
    for verb in stash.VERBS:
        asked = patch(attacker, {"metadata": {"annotations": {stash.PROMOTE: f"{verb}:{waiting.digest}"}}})
        assert f"{stash.PROMOTE} is the analyzer's alone" in asked.err


@pytest.mark.parametrize("label", [f"{stash.POLICY}=none", f"{stash.CANARY_OF}=podinfo"])
def test_no_label_takes_an_application_out(shop: Podless, attacker: Person, label: str) -> None:
    key, _, value = label.partition("=")
    body = {"metadata": {"labels": {key: value}}, "spec": {"template": unproven(shop)}}
    for said in (
        attacker.kubectl("label", "--overwrite", "deployment/podinfo", label),
        patch(attacker, body),
        patch(attacker, body, "--dry-run=server"),
    ):
        assert f"metadata.labels[{key}]" in said.err
        assert said.code == 1


def removed_by_apply(shop: Podless, attacker: Person) -> Said:
    return attacker.kubectl("apply", "-f", "-", stdin=json.dumps(shop.deployment(UNPROVEN)))


def removed_by_replace(shop: Podless, attacker: Person) -> Said:
    return attacker.kubectl("replace", "-f", "-", stdin=json.dumps(shop.deployment(UNPROVEN)))


def removed_by_patch(shop: Podless, attacker: Person) -> Said:
    return patch(attacker, {"metadata": {"labels": {stash.POLICY: None}}, "spec": {"template": unproven(shop)}})


@pytest.mark.parametrize("removed", [removed_by_apply, removed_by_replace, removed_by_patch])
def test_a_label_of_its_own_cannot_be_left_out(
    shop: Podless, attacker: Person, removed: Callable[[Podless, Person], Said]
) -> None:
    own = shop.deployment()
    own["metadata"]["labels"][stash.POLICY] = "default"
    shop.apply(own)
    try:
        said = removed(shop, attacker)
        assert "the verb opt-out on deployments.detour.dev is missing" in said.err
    finally:
        shop("label", "deployment/podinfo", f"{stash.POLICY}-")


@pytest.mark.parametrize("label", [f"{stash.POLICY}=none", f"{stash.CANARY_OF}=podinfo"])
def test_nothing_is_created_out_of_reach_either(shop: Podless, attacker: Person, label: str) -> None:
    key, _, value = label.partition("=")
    found = shop.deployment(UNPROVEN)
    found["metadata"] = {"generateName": "podinfo-", "labels": {key: value}}
    assert f"metadata.labels[{key}]" in attacker.kubectl("create", "-f", "-", stdin=json.dumps(found)).err


@pytest.mark.parametrize("role", ["edit", "admin"])
def test_a_namespace_is_its_owners_neither_to_pause_nor_to_open_nor_to_take_out(
    shop: Podless, tmp_path: Path, role: str
) -> None:
    person = hire(shop, tmp_path, f"{role}-of-one", role)
    signed = f"by {person.user}"
    for metadata in (
        {"annotations": {"detour.dev/direct": signed}},
        {"annotations": {"detour.dev/paused": signed}},
        {"labels": {stash.POLICY: "none"}},
    ):
        assert "forbidden" in patch(person, {"metadata": metadata}, what=f"namespace/{shop.namespace}").err


def test_nobody_writes_the_status_of_a_canary(shop: Podless, attacker: Person) -> None:
    canary = shop.canary()
    canary["metadata"]["name"] = "of-nothing"
    canary["spec"]["targetRef"]["name"] = "nothing"
    history = {"status": {"history": [{"by": "kubernetes-admin", "message": "promoted"}]}}
    assert attacker.kubectl("create", "-f", "-", stdin=json.dumps(canary | history)).code == 0
    assert patch(attacker, history, what="canary/of-nothing").code == 0
    assert "forbidden" in patch(attacker, history, "--subresource=status", what="canary/of-nothing").err
    assert not shop.get("canary", "of-nothing").get("status", {}).get("history")


def test_what_every_namespace_has_is_held_like_any_other_and_hinders_no_deletion(tmp_path: Path) -> None:
    with podless() as other:
        source = {"configMapRef": {"name": "kube-root-ca.crt"}}
        other.create(other.deployment(envFrom=[source]))
        before = other.get("configmap", "kube-root-ca.crt")["data"]
        attacker = hire(other, tmp_path, "attacker", "edit")
        attacker.kubectl("set", "image", "deployment/podinfo", f"podinfo={IMAGE}:{UNPROVEN}")
        container = [{"name": "podinfo", "image": f"{IMAGE}:{UNPROVEN}"}]
        patch(attacker, {"spec": {"template": {"spec": {"containers": container}}}})

        def held() -> bool:
            found = other.get("configmap", "kube-root-ca.crt")
            assert found["data"] == before
            return "podinfo.detour.dev/in-use" in found["metadata"].get("finalizers", ())

        eventually(held, "it is held", 10)
    kubectl("wait", f"namespace/{other.namespace}", "--for=delete", "--timeout=15s")


def test_a_digest_knows_every_template_apart_that_the_api_server_does(shop: Podless) -> None:
    """What it fills in is left out of digests, so whatever differs once it is filled in has to differ in them, too."""
    items = []
    for field, value in FIELDS.items():
        found = shop.deployment()
        found["metadata"]["name"] = f"filled-{field.lower()}"
        found["spec"]["template"]["spec"][field] = value
        items.append(found)
    manifest = {"apiVersion": "v1", "kind": "List", "items": items}
    show = "-o=jsonpath={.spec.template}{'\\n'}"
    created = shop("create", "--dry-run=server", show, "-f", "-", stdin=json.dumps(manifest)).out.splitlines()
    templates = [json.loads(line) for line in created]
    assert len(templates) == len(FIELDS)
    assert len({digest(template) for template in templates}) == len(set(created))


def test_nobody_puts_another_version_on_the_canary_and_has_it_judged_in_its_place(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    shop = open_shop(analysis={"interval": "30s"})
    shop.set_image("6.0.1")
    eventually(lambda: shop.exists("deployment", "podinfo-canary"), "the canary is there", 20)
    editor = hire(shop, tmp_path, "editor", "edit")
    forged = editor.kubectl("set", "image", "deployment/podinfo-canary", f"podinfo={IMAGE}:6.0.0")
    assert "is the canary of podinfo, and runs what waits there" in forged.err
    freed = editor.kubectl("label", "deployment/podinfo-canary", f"{stash.CANARY_OF}-")
    assert freed.code != 0


def test_nobody_has_another_blamed_where_detour_does_not_look_yet(open_shop: OpenShop, tmp_path: Path) -> None:
    shop = open_shop(policy="none")
    editor = hire(shop, tmp_path, "editor", "edit")
    note = f"{stash.LET_PAST}=let past by kubernetes-admin: I wanted it"
    assert (
        "is written by the API server and by Detour alone" in editor.kubectl("annotate", "deployment/podinfo", note).err
    )

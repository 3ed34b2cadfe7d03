"""Claims: which writers claim what, and when they claim nothing."""

import json
from dataclasses import replace

import pytest

from tests.webhook.deployments import template
from tests.webhook.folding import A1, A2, B1, ENV_A, IMAGE, Fields, owned, server_side
from webhook.claims import LAST_APPLIED, WHOLE, claimed
from webhook.fold import fold
from webhook.request import Request

ENV_B: Fields = {'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}}}


def test_one_name_for_two_kinds_of_writing_claims_nothing_when_it_updates() -> None:
    before = [owned("flux", "Apply", image=IMAGE)]
    after = [*before, owned("flux", "Update", env=ENV_A)]
    assert claimed(server_side(after, before), template()) is None


def test_a_replace_claims_everything() -> None:
    bare: Fields = {"metadata": {}, "spec": {"template": template()}}
    diverted: Fields = {"metadata": {"annotations": {"detour.dev/template": "{}"}}, "spec": {"template": template()}}
    assert claimed(Request("", "UPDATE", bare, diverted, manager="kubectl-replace"), template()) is WHOLE
    waiting: Fields = {"image": "p:2", "env": [A1]}
    found = fold(template("p:1"), template(**waiting), template("p:1"), WHOLE)
    assert found == template("p:1")


def test_a_replace_by_what_was_just_read_claims_nothing() -> None:
    diverted: Fields = {"metadata": {"annotations": {"detour.dev/template": "{}"}}, "spec": {"template": template()}}
    assert claimed(Request("", "UPDATE", diverted, diverted, manager="kubectl-replace"), template()) is None


@pytest.mark.parametrize("garbage", ["", "null", "[]", "{", '{"spec": 1}', '{"spec": {"template": {"spec": []}}}'])
def test_books_that_cannot_be_read_claim_nothing(garbage: str) -> None:
    notes = {"kubectl.kubernetes.io/last-applied-configuration": garbage}
    side: Fields = {"metadata": {"annotations": notes}, "spec": {"template": template()}}
    request = Request("", "UPDATE", side, side, manager="kubectl-client-side-apply")
    waiting = template("p:2")
    assert fold(template("p:1"), waiting, template("p:1"), claimed(request, template())) == waiting


def client_side(new: str, old: str | None, wanted: Fields, primary: Fields) -> Request:
    def side(pods: Fields, image: str | None) -> Fields:
        notes = {LAST_APPLIED: json.dumps({"spec": {"template": template(image)}})} if image else {}
        return {"metadata": {"annotations": notes}, "spec": {"template": pods}}

    return Request("", "UPDATE", side(wanted, new), side(primary, old), manager="kubectl-client-side-apply")


V1, V2 = template("podinfo:1"), template("podinfo:2")


@pytest.mark.parametrize("before", ["podinfo:1", "podinfo:2", None])
def test_a_manifest_that_says_what_waits_is_no_wish_to_go_back_though_the_primary_was_restored(
    before: str | None,
) -> None:
    assert claimed(client_side("podinfo:2", before, wanted=V1, primary=V1), V2) is None


def test_a_manifest_that_leaves_out_what_only_the_primary_has_is_no_wish_to_go_back() -> None:
    primary = {**V1, "metadata": {"labels": {"app": "podinfo", "tier": "web"}}}
    request = client_side("podinfo:1", None, wanted=primary, primary=primary)
    request.old["metadata"]["annotations"][LAST_APPLIED] = json.dumps({"spec": {"template": primary}})
    assert claimed(request, V1) is None


def test_a_manifest_that_says_what_the_primary_has_is_a_wish_to_go_back() -> None:
    claim = claimed(client_side("podinfo:1", "podinfo:2", wanted=V1, primary=V1), V2)
    assert fold(V1, V2, V1, claim) == V1


def renewed(policy: str, time: str) -> Request:
    """A server-side apply that changed neither the template nor what it owns, and gives a Deployment this policy."""
    entry = owned("flux", "Apply", image=IMAGE)
    request = server_side([entry | {"time": time}], [entry | {"time": "12:00:00"}])
    request.object["metadata"]["labels"] = {"detour.dev/policy": policy} if policy else {}
    return request


@pytest.mark.parametrize(("time", "back"), [("12:00:00", True), ("12:00:05", False)])
def test_an_apply_that_changed_something_which_is_not_there_was_taken_back_by_us(time: str, back: bool) -> None:
    assert (claimed(renewed("default", time), V2) is not None) is back


def test_an_apply_that_also_changed_something_else_is_a_wish_to_go_back() -> None:
    request = renewed("default", "12:00:05")
    request.object["spec"]["replicas"] = 3
    assert claimed(request, V2) is not None


def test_an_apply_whose_time_is_renewed_for_a_value_that_is_not_stored_is_a_wish_to_go_back() -> None:
    """`hostNetwork: false` is one: the API server leaves it out, and renews the time at every apply."""
    assert claimed(renewed("", "12:00:05"), V2) is not None


@pytest.mark.parametrize(
    "other", [("kubectl-client-side-apply", "Update"), ("kubectl-set", "Update"), ("kubectl", "Apply")]
)
def test_a_tool_that_takes_over_what_others_own_claims_nothing(other: tuple[str, str]) -> None:
    before = [owned(*other, image=IMAGE), owned("flux", "Apply")]
    assert claimed(server_side([owned("flux", "Apply", image=IMAGE)], before), V2) is None


def helm(asked: Fields, owns: Fields, manager: str = "helm", **notes: Fields) -> Request:
    """An upgrade of a release that owned its image, and what `owns` says, before and after."""
    entry = owned(manager, "Update", image=IMAGE, **owns)
    entry["fieldsV1"] |= {"f:metadata": {"f:annotations": notes}}
    side: Fields = {"metadata": {"managedFields": [entry]}}
    new, old = (side | {"spec": {"template": template(**pods)}} for pods in (asked, {"image": "p:1", "env": [A1]}))
    return Request("", "UPDATE", new, old, manager=manager)


RELEASED: Fields = {"f:meta.helm.sh/release-name": {}}


@pytest.mark.parametrize(("manager", "notes"), [("helm", {}), ("helm-controller", RELEASED)])
def test_helm_means_its_whole_release_though_it_sends_only_what_is_not_live(manager: str, notes: Fields) -> None:
    waiting: Fields = {"image": "p:2", "env": [A2, B1]}
    claim = claimed(helm({"image": "p:3", "env": [A1]}, {"env": ENV_A | ENV_B}, manager, **notes), template(**waiting))
    found = fold(template(image="p:1", env=[A1]), template(**waiting), template(image="p:3", env=[A1]), claim)
    assert found == template(image="p:3", env=[A1])


@pytest.mark.parametrize(("manager", "notes"), [("terraform", {}), ("kubectl-edit", RELEASED)])
def test_who_owns_no_release_means_what_he_changed(manager: str, notes: Fields) -> None:
    assert claimed(helm({"image": "p:3"}, {}, manager, **notes), template("p:2")) is None


def test_helm_that_changes_nothing_claims_nothing() -> None:
    assert claimed(helm({"image": "p:1", "env": [A1]}, {}), template("p:2")) is None


def test_helm_that_goes_back_to_the_labels_of_the_old_chart_means_its_template_too() -> None:
    request = helm({"image": "p:1", "env": [A1]}, {"env": ENV_A})
    request.object["metadata"] = request.object["metadata"] | {"labels": {"helm.sh/chart": "shop-1"}}
    claim = claimed(request, template("p:2"))
    assert fold(request.primary, template("p:2", env=[A1]), request.wanted, claim) == request.primary


def test_who_drops_our_label_with_our_annotation_has_put_another_deployment_in_its_place() -> None:
    ours: Fields = {"annotations": {"detour.dev/template": "{}"}, "labels": {"detour.dev/revision": "0123456789"}}
    old: Fields = {"metadata": ours, "spec": {"template": template("p:1")}}
    new: Fields = {"metadata": {}, "spec": {"template": template("p:3")}}
    assert claimed(Request("", "UPDATE", new, old, manager="helm"), template("p:2")) is WHOLE


def named(manager: str, owner: str) -> Request:
    """The same manifest again, of a client-side apply whose last-applied-configuration `owner` owns."""
    request = client_side("podinfo:2", "podinfo:2", wanted=template("podinfo:2", env=[A1]), primary=V1)
    books: Fields = {"f:metadata": {"f:annotations": {f"f:{LAST_APPLIED}": {}}}}
    request.object["metadata"]["managedFields"] = [{"manager": owner, "operation": "Update", "fieldsV1": books}]
    return replace(request, manager=manager)


@pytest.mark.parametrize(
    ("manager", "owner", "applies"),
    [
        ("argocd-controller", "argocd-controller", True),
        ("ci", "argocd-controller", False),
        ("kubectl-edit", "kubectl-edit", False),
    ],
)
def test_who_keeps_client_side_books_under_another_name_means_his_manifest(
    manager: str, owner: str, applies: bool
) -> None:
    assert (claimed(named(manager, owner), V2) is not None) is applies


def test_a_manifest_that_was_read_while_something_waited_means_what_was_changed_in_it() -> None:
    manifest: Fields = {"metadata": {"annotations": {"detour.dev/template": "{}"}}, "spec": {"template": V1}}
    request = client_side("podinfo:1", "podinfo:2", wanted=V1, primary=V1)
    request.object["metadata"]["annotations"][LAST_APPLIED] = json.dumps(manifest)
    assert claimed(request, V2) is None


def test_a_first_apply_is_one_though_it_takes_what_the_same_manager_updated() -> None:
    before = [owned("flux", "Update", image=IMAGE, env=ENV_A)]
    after = [owned("flux", "Apply", image=IMAGE), owned("flux", "Update", env=ENV_A)]
    assert claimed(server_side(after, before), V2) is not None

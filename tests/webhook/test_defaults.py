"""What an API server fills in by itself makes no other template, whichever version of Kubernetes filled it in."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.webhook.deployments import APPLIED, after, changed, decide, deployment, shipped, stored, template
from webhook import stash
from webhook.decision import Kind
from webhook.defaults import equivalent, stripped
from webhook.revision import RESTARTED_AT, digest, same

V1, V2 = template("podinfo:1"), template("podinfo:2")


def filled(pods: dict[str, Any]) -> dict[str, Any]:
    """As a younger Kubernetes stores it."""
    found = copy.deepcopy(pods)
    found["spec"] |= {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "securityContext": {}}
    found["spec"]["containers"][0] |= {"terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent"}
    return found


@pytest.mark.parametrize(
    ("said", "unsaid"),
    [
        ({"ports": [{"containerPort": 80, "protocol": "TCP"}]}, {"ports": [{"containerPort": 80}]}),
        ({"readinessProbe": {"httpGet": {"path": "/"}, "periodSeconds": 10}}, {"readinessProbe": {"httpGet": {}}}),
        ({"imagePullPolicy": "IfNotPresent"}, {}),
        ({"terminationMessagePath": "/dev/termination-log"}, {}),
    ],
)
def test_a_default_that_is_written_out_is_the_same_as_none(said: dict[str, Any], unsaid: dict[str, Any]) -> None:
    assert digest(template(**said)) == digest(template(**unsaid))


@pytest.mark.parametrize(
    "more",
    [
        {"imagePullPolicy": "Always"},
        {"ports": [{"containerPort": 80, "protocol": "UDP"}]},
        {"securityContext": {}},
        {"resources": {"limits": {"protocol": "TCP"}}},
    ],
)
def test_what_is_no_default_makes_another_template(more: dict[str, Any]) -> None:
    assert digest(template(**more)) != digest(template())


def test_a_users_label_that_looks_like_a_default_is_the_users() -> None:
    labelled = template()
    labelled["metadata"]["labels"] |= {"restartPolicy": "Always", "protocol": "TCP"}
    assert digest(labelled) != digest(template())


def test_an_init_container_that_stays_is_no_default() -> None:
    ends, stays = template(), template()
    ends["spec"]["initContainers"] = [{"name": "proxy", "image": "envoy:1"}]
    stays["spec"]["initContainers"] = [{"name": "proxy", "image": "envoy:1", "restartPolicy": "Always"}]
    assert digest(ends) != digest(stays)


def test_a_restart_is_still_seen() -> None:
    restarted = template()
    restarted["metadata"]["annotations"] = {RESTARTED_AT: "2026-11-22T12:00:00Z"}
    assert digest(restarted) == digest(template())
    assert not same(restarted, template())


def test_the_old_manifest_cancels_a_canary_that_an_older_kubernetes_let_wait() -> None:
    waiting = shipped(deployment(V1), V2)
    waiting["spec"]["template"] = filled(V1)  # since the upgrade
    back, manifest = changed(waiting, filled(V1)), json.dumps({"spec": {"template": V1}})
    back["metadata"]["annotations"][APPLIED] = manifest
    decision = decide(back, waiting, "kubectl-client-side-apply")
    assert decision.kind is Kind.CANCELLED


def test_the_same_manifest_again_starts_nothing_after_an_upgrade() -> None:
    manifest = json.dumps({"spec": {"template": V2}})
    new = changed(deployment(V1), V2)
    new["metadata"]["annotations"][APPLIED] = manifest
    waiting = stored(new, decide(new, deployment(V1), "kubectl-client-side-apply"))
    waiting["spec"]["template"] = filled(V1)
    decision = decide(changed(waiting, filled(V2)), waiting, "kubectl-client-side-apply")
    assert decision.kind is Kind.UNCHANGED


def test_what_was_promoted_before_an_upgrade_is_still_proven_after_it() -> None:
    proven = after(after(shipped(deployment(V1), V2), "go", digest(V2)), "done", digest(V2))
    assert digest(filled(V2)) in stash.history(proven)
    again = decide(changed(deployment(V1, annotations=proven["metadata"]["annotations"]), filled(V2)), deployment(V1))
    assert again.kind is Kind.DIVERTED  # what a request brings along proves nothing
    proven["spec"]["template"] = filled(template("podinfo:3"))
    assert decide(changed(proven, filled(V2)), proven).kind is Kind.PROVEN


PARTS: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(["TCP", "Always", "IfNotPresent", "podinfo:1", "", 10, 420, None, {}]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["spec", "containers", "ports", "protocol", "image", "imagePullPolicy", "labels", "restartPolicy",
                 "periodSeconds", "readinessProbe", "securityContext", "resources", "metadata", "serviceAccount"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@given(one=PARTS, other=PARTS, name=st.sampled_from(["", "spec", "containers", "labels"]))
def test_two_parts_are_equivalent_if_and_only_if_nothing_but_defaults_tells_them_apart(
    one: Any, other: Any, name: str
) -> None:
    for left, right in ((one, other), (one, stripped(one, name)), (stripped(other, name), other)):
        assert equivalent(left, right, name) == (stripped(left, name) == stripped(right, name))

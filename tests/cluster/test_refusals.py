"""Templates that the API server or a policy would refuse: said at once, or before anything is created, in its words.

What only pods would show (a quota, a policy on Pods) is said while it is waited for, and ends at the progress deadline.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.mutator import unreachable
from tests.cluster.podless import podless
from tests.cluster.shop import CALM, OpenShop, Shop, tag_of

Policy = Callable[[Shop, str], AbstractContextManager[None]]
"""Something of the shop's namespace that refuses objects of a kind, while it lasts."""

FORBIDDEN = "images of 6.0.1 are not allowed here"
NOWHERE = [{"name": "nowhere", "mountPath": "/data"}]


@contextmanager
def forbidding(shop: Shop, kind: str) -> Iterator[None]:
    """A ValidatingAdmissionPolicy that refuses one image in the shop's namespace, in force."""
    group, pods = ("", "object.spec") if kind == "pods" else ("apps", "object.spec.template.spec")
    rule = {"apiGroups": [group], "apiVersions": ["v1"], "resources": [kind], "operations": ["CREATE", "UPDATE"]}
    expression = f"!{pods}.containers.exists(c, c.image.endsWith(':6.0.1'))"
    policy = {
        "matchConstraints": {"resourceRules": [rule]},
        "validations": [{"expression": expression, "message": FORBIDDEN}],
    }
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": shop.namespace}}}
    binding = {"policyName": shop.namespace, "validationActions": ["Deny"], "matchResources": here}
    specs = {"ValidatingAdmissionPolicy": policy, "ValidatingAdmissionPolicyBinding": binding}
    items = [
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": one,
            "metadata": {"name": shop.namespace},
            "spec": spec,
        }
        for one, spec in specs.items()
    ]
    kubectl("create", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    try:
        refused = shop.deployment("6.0.1") | {"metadata": {"name": "probe"}}
        if kind == "pods":
            refused = {"apiVersion": "v1", "kind": "Pod", "metadata": refused["metadata"]} | {
                "spec": refused["spec"]["template"]["spec"]
            }
        tried = ("create", "--dry-run=server", "-f", "-")
        eventually(lambda: FORBIDDEN in shop(*tried, stdin=json.dumps(refused), check=False).err, "it is in force", 20)
        yield
    finally:
        for one in specs:
            kubectl("delete", one.lower(), shop.namespace)


@contextmanager
def without_a_policy(_: Shop, __: str) -> Iterator[None]:
    yield


def sentence(err: str) -> str:
    """What the API server complains of, without who passed it on."""
    return err.rpartition("is invalid: ")[2].strip()


def test_labels_that_the_selector_does_not_match_are_refused_in_the_api_servers_own_words() -> None:
    change = json.dumps({"spec": {"template": {"metadata": {"labels": {"app": "other"}}}}})
    with podless() as shop, podless(labels={}) as unmanaged:
        said = []
        for one in (shop, unmanaged):
            one.create()
            refused = one("patch", "deployment/podinfo", "-p", change, check=False)
            assert refused.code
            said.append(sentence(refused.err))
        assert "`selector` does not match template `labels`" in said[0]
        assert said[0] == said[1]
        assert shop.waiting is None


@pytest.mark.parametrize(
    ("policy", "container", "complaint"),
    [
        (without_a_policy, {"volumeMounts": NOWHERE}, 'containers[0].volumeMounts[0].name: Not found: "nowhere"'),
        (forbidding, {}, FORBIDDEN),
    ],
    ids=["missing volume", "forbidden image"],
)
def test_what_would_be_refused_in_a_plain_cluster_is_rejected_before_anything_runs(
    open_shop: OpenShop, policy: Policy, container: Object, complaint: str
) -> None:
    shop = open_shop(analysis=CALM, replicas=1)
    with policy(shop, "deployments"):
        bad = shop.deployment("6.0.1", **container)
        shown = shop("apply", "--dry-run=server", "-f", "-", stdin=json.dumps(bad), check=False)
        assert complaint in shown.err
        shop.apply(bad)
        shop.until("Failed", 20)
        assert complaint in shop.status["conditions"][0]["message"]
        shop.tells(complaint)
        assert shop.status["history"][-1]["outcome"] == "Failed"
        assert (shop.live_image, shop.leftovers()) == ("6.0.0", [])
        assert not shop("get", "events", "--field-selector=involvedObject.name=podinfo-canary", "-o", "name").out
        assert "was rejected" in shop.apply(bad).warnings[0]
        shop.apply(shop.deployment("6.0.2"))
        shop.until_weight(25)


@contextmanager
def quota(shop: Shop, _: str) -> Iterator[None]:
    shop("create", "quota", "small", "--hard=pods=1")
    eventually(lambda: shop.get("quota", "small").get("status", {}).get("used"), "the quota counts", 20)
    yield


@contextmanager
def pod_security(shop: Shop, _: str) -> Iterator[None]:
    kubectl("label", "namespace", shop.namespace, "pod-security.kubernetes.io/enforce=restricted")
    yield


@pytest.mark.parametrize(
    ("policy", "complaint"),
    [
        (forbidding, FORBIDDEN),
        (quota, "exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1"),
        (pod_security, 'violates PodSecurity "restricted:latest"'),
    ],
)
def test_pods_that_are_refused_are_no_riddle_and_end_at_the_deadline(
    open_shop: OpenShop, policy: Policy, complaint: str
) -> None:
    shop = open_shop(analysis=CALM, replicas=1, spec={"progressDeadlineSeconds": 5})
    with policy(shop, "pods"):
        shop.set_image("6.0.1")
        shop.says(complaint, 15)
        shop.until("Failed", 40)
        assert complaint in shop.message
        shop.tells(complaint)
        assert (shop.live_image, tag_of(shop.waiting), shop.leftovers()) == ("6.0.0", "6.0.1", [])


def test_a_quota_that_grows_lets_the_canary_go_on(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=CALM, replicas=1)
    with quota(shop, "pods"):
        shop.set_image("6.0.1")
        shop.says("exceeded quota", 15)
        shop("patch", "quota/small", "--type=merge", "-p", json.dumps({"spec": {"hard": {"pods": "9"}}}))
        shop.until_weight(25)


def test_a_canary_that_a_broken_webhook_keeps_from_being_created_says_so_and_ends_at_the_deadline(
    open_shop: OpenShop,
) -> None:
    shop = open_shop(analysis=CALM, replicas=1, spec={"progressDeadlineSeconds": 5})
    complaint = 'failed calling webhook "mutator.example.com"'
    with unreachable(shop.namespace):
        shop.set_image("6.0.1")
        shop.says(complaint, 15)
        shop.until("Failed", 40)
        assert complaint in shop.message
        assert (shop.live_image, shop.leftovers()) == ("6.0.0", [])

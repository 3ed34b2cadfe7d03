"""The labels of the canary's pods."""

from typing import Any

import pytest

from analyzer.labels import LabelError, Rewriting, followed, matches, rewritten
from tests.analyzer.objects import deployment, service, template

Object = dict[str, Any]


def rewriting(primary: Object, *services: Object, protected: tuple[Object, ...] = ()) -> Rewriting:
    return rewritten(primary, services, primary["spec"]["template"], protected)


def policy(name: str, **labels: str) -> Object:
    return {"kind": "NetworkPolicy", "metadata": {"name": name}, "spec": {"podSelector": {"matchLabels": labels}}}


def test_one_label_is_rewritten_where_one_is_enough() -> None:
    primary = deployment(labels={"app": "web", "tier": "backend"})
    found = rewriting(primary, service(selector={"app": "web"}))
    assert found.values == {"app": "web-canary"}


def test_the_label_that_all_selectors_share_is_the_one() -> None:
    primary = deployment(labels={"app": "web", "tier": "backend", "zone": "a"})
    services = [service("a", {"app": "web", "tier": "backend"}), service("b", {"tier": "backend", "zone": "a"})]
    assert rewriting(primary, *services).values == {"tier": "backend-canary"}


def test_two_labels_are_rewritten_where_two_services_have_none_in_common() -> None:
    primary = deployment(labels={"app": "web", "tier": "backend"})
    found = rewriting(primary, service("a", {"app": "web"}), service("b", {"tier": "backend"}))
    assert found.values == {"app": "web-canary", "tier": "backend-canary"}


def test_of_two_labels_the_one_that_no_network_policy_uses_is_rewritten() -> None:
    primary = deployment(labels={"app": "web", "tier": "backend"})
    found = rewriting(primary, protected=(policy("allow", app="web"),))
    assert (found.values, found.lost) == ({"tier": "backend-canary"}, ())


@pytest.mark.parametrize(("rules", "peer"), [("ingress", "from"), ("egress", "to")])
def test_a_network_policy_of_another_application_that_names_the_pods_counts_as_well(rules: str, peer: str) -> None:
    primary = deployment(labels={"app": "web", "tier": "backend"})
    peers = {rules: [{peer: [{"podSelector": {"matchLabels": {"app": "web"}}}]}]}
    database = {"metadata": {"name": "db"}, "spec": {"podSelector": {"matchLabels": {"app": "db"}}, **peers}}
    assert rewriting(primary, protected=(database,)).values == {"tier": "backend-canary"}


def test_what_no_longer_applies_to_the_canary_is_said() -> None:
    budget = {"metadata": {"name": "calm"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1}}
    found = rewriting(
        deployment(), service(), protected=(policy("allow", app="web"), policy("other", app="db"), budget)
    )
    assert found.lost == ("NetworkPolicy allow", "PodDisruptionBudget calm")


def test_a_long_value_is_shortened_so_that_two_of_them_stay_apart() -> None:
    values = [rewriting(deployment(labels={"app": "x" * 62 + end})).values["app"] for end in "ab"]
    assert values[0] != values[1]
    assert all(len(value) <= 63 and value.endswith("-canary") for value in values)


def test_an_empty_value_becomes_a_valid_one() -> None:
    assert rewriting(deployment(labels={"app": ""})).values == {"app": "canary"}


def test_a_value_that_another_service_selects_already_is_avoided() -> None:
    found = rewriting(deployment(), service(), service("other", {"app": "web-canary"}))
    assert found.values["app"] not in ("web", "web-canary")


def test_a_service_that_would_gain_the_new_templates_pods_is_left_as_well() -> None:
    new = template({"app": "web", "tier": "gold"})
    found = rewritten(deployment(), [service("gold", {"tier": "gold"})], new)
    assert found.values == {"app": "web-canary", "tier": "gold-canary"}


def test_a_label_that_only_has_to_exist_is_taken_away() -> None:
    selector = {"matchExpressions": [{"key": "app", "operator": "Exists"}]}
    found = rewriting(deployment(selector=selector))
    assert found == Rewriting({}, frozenset({"app"}))
    assert found.of({"app": "web", "x": "y"}) == {"x": "y"}


def test_no_more_labels_are_taken_away_than_have_to_be() -> None:
    selector = {"matchExpressions": [{"key": key, "operator": "Exists"} for key in ("app", "tier")]}
    primary = deployment(labels={"app": "web", "tier": "a"}, selector=selector)
    found = rewriting(primary, service("a", {"app": "web"}), service("b", {"tier": "a"}))
    assert found == Rewriting({"tier": "a-canary"}, frozenset({"app"}))


def test_a_new_value_is_preferred_to_taking_a_label_away() -> None:
    exists = [{"key": "app", "operator": "Exists"}, {"key": "tier", "operator": "In", "values": ["a", "b"]}]
    found = rewriting(deployment(labels={"app": "web", "tier": "a"}, selector={"matchExpressions": exists}))
    assert (found.values, found.removed) == ({"tier": "a-canary"}, frozenset())


def test_a_selector_that_nothing_escapes_is_refused_with_the_reason() -> None:
    selector = {"matchExpressions": [{"key": "legacy", "operator": "DoesNotExist"}]}
    with pytest.raises(LabelError, match=r"Deployment web selects by NotIn or DoesNotExist alone.*matchLabels"):
        rewriting(deployment(selector=selector))


@pytest.mark.parametrize(
    ("operator", "values", "labels", "expected"),
    [
        ("In", ["a"], {"k": "a"}, True),
        ("In", ["a"], {}, False),
        ("NotIn", ["a"], {"k": "a"}, False),
        ("NotIn", ["a"], {}, True),
        ("Exists", None, {"k": ""}, True),
        ("DoesNotExist", None, {"k": ""}, False),
    ],
)
def test_expressions_mean_what_kubernetes_means(
    operator: str, values: list[str] | None, labels: dict[str, str], expected: bool
) -> None:
    expression = {"key": "k", "operator": operator} | ({"values": values} if values else {})
    assert matches({"matchExpressions": [expression]}, labels) is expected


def test_an_unknown_operator_is_an_error_and_no_match() -> None:
    with pytest.raises(LabelError, match="'Like' is no operator"):
        matches({"matchExpressions": [{"key": "k", "operator": "Like"}]}, {"k": "v"})


SELF = {"matchLabels": {"app": "web", "tier": "backend"}}
OTHERS = {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}


def test_terms_that_mean_the_pod_itself_follow_it() -> None:
    spec = {
        "affinity": {
            "podAntiAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": SELF, "topologyKey": "node"}],
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {"weight": 1, "podAffinityTerm": {"labelSelector": OTHERS, "topologyKey": "zone"}}
                ],
            },
        },
        "topologySpreadConstraints": [{"maxSkew": 1, "labelSelector": SELF}],
        "nodeSelector": {"app": "web"},
    }
    result = followed(spec, {"app": "web", "tier": "backend"}, Rewriting({"app": "web-canary"}), "shop")
    mine = {"matchLabels": {"app": "web-canary", "tier": "backend"}}
    anti = result["affinity"]["podAntiAffinity"]
    assert anti["requiredDuringSchedulingIgnoredDuringExecution"][0]["labelSelector"] == mine
    preferred = anti["preferredDuringSchedulingIgnoredDuringExecution"][0]["podAffinityTerm"]["labelSelector"]
    assert preferred["matchExpressions"][0]["values"] == ["web-canary", "db"]
    assert result["topologySpreadConstraints"][0]["labelSelector"] == mine
    assert result["nodeSelector"] == {"app": "web"}
    assert SELF["matchLabels"]["app"] == "web"


def test_a_term_that_means_other_pods_stays() -> None:
    term = [{"maxSkew": 1, "labelSelector": {"matchLabels": {"app": "db"}}}]
    result = followed({"topologySpreadConstraints": term}, {"app": "web"}, Rewriting({"app": "web-canary"}), "shop")
    assert result["topologySpreadConstraints"] == term


def test_a_term_that_shares_the_label_and_means_another_component_stays() -> None:
    cache = {"matchLabels": {"app": "web", "component": "cache"}}
    nearby = {"requiredDuringSchedulingIgnoredDuringExecution": [{"labelSelector": cache, "topologyKey": "zone"}]}
    result = followed(
        {"affinity": {"podAffinity": nearby}},
        {"app": "web", "component": "api"},
        Rewriting({"app": "web-canary"}),
        "shop",
    )
    assert result["affinity"]["podAffinity"] == nearby


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ({}, "web-canary"),
        ({"namespaces": ["shop", "b"]}, "web-canary"),
        ({"namespaces": ["b"]}, "web"),
        ({"namespaces": ["b"], "namespaceSelector": {}}, "web-canary"),
    ],
)
def test_a_term_that_means_pods_of_another_namespace_stays(where: Object, value: str) -> None:
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "zone", **where}
    near = {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    result = followed({"affinity": near}, {"app": "web"}, Rewriting({"app": "web-canary"}), "shop")
    (found,) = result["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert found["labelSelector"]["matchLabels"] == {"app": value}


@pytest.mark.parametrize("selector", [None, {}])
def test_a_term_that_means_no_pod_or_every_pod_stays(selector: Object | None) -> None:
    spread = [{"maxSkew": 1, "labelSelector": selector}]
    result = followed({"topologySpreadConstraints": spread}, {"app": "web"}, Rewriting({"app": "web-canary"}), "shop")
    assert result["topologySpreadConstraints"] == spread


@pytest.mark.parametrize("required", [True, False])
def test_of_two_labels_the_one_that_keeps_pods_apart_is_rewritten(required: bool) -> None:
    term = {"labelSelector": {"matchLabels": {"tier": "backend"}}, "topologyKey": "kubernetes.io/hostname"}
    must = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    may = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "podAffinityTerm": term}]}
    primary = deployment(labels={"app": "web", "tier": "backend"})
    assert rewriting(primary).values == {"app": "web-canary"}
    primary["spec"]["template"]["spec"]["affinity"] = {"podAntiAffinity": must if required else may}
    assert rewriting(primary).values == {"tier": "backend-canary"}
    both = rewriting(primary, protected=(policy("allow", tier="backend"),))
    assert both.values == {"app": "web-canary"}


def test_a_policy_that_would_take_the_canary_for_a_stranger_counts_as_well() -> None:
    primary = deployment(labels={"app": "web", "tier": "backend"})
    strangers = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}
    deny = {"kind": "NetworkPolicy", "metadata": {"name": "deny"}, "spec": {"podSelector": strangers}}
    assert rewriting(primary, protected=(deny,)).values == {"tier": "backend-canary"}
    assert rewriting(deployment(), protected=(deny,)).lost == ("NetworkPolicy deny",)

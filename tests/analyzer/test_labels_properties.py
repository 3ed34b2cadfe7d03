"""What holds of the canary's labels, whatever the labels, the selectors and the policies are."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analyzer.canary import canary_deployment, canary_services
from analyzer.discovery import Surroundings
from analyzer.labels import LabelError, Rewriting, matches, rewritten
from tests.analyzer.objects import deployment, service, template

Object = dict[str, Any]
Labels = dict[str, str]

KEYS = st.sampled_from("abcde")
LABELS = st.dictionaries(KEYS, st.sampled_from("12"), min_size=1)
EXPRESSIONS = st.one_of(
    st.builds(lambda key: {"key": key, "operator": "Exists"}, KEYS),
    st.builds(lambda key: {"key": key, "operator": "In", "values": ["1", "2"]}, KEYS),
    st.builds(lambda key: {"key": key, "operator": "NotIn", "values": ["3"]}, KEYS),
)
STRANGERS = st.builds(lambda key: {"key": key, "operator": "NotIn", "values": ["1", "2"]}, KEYS)


@dataclass(frozen=True)
class Case:
    """A Deployment by its template's `labels` and its `own` selector; what Services and NetworkPolicies select."""

    labels: Labels
    own: Object
    served: list[Labels]
    shields: list[Object]

    @property
    def primary(self) -> Object:
        return deployment(labels=self.labels, selector=self.own)

    @property
    def services(self) -> list[Object]:
        return [service(f"s{number}", selector) for number, selector in enumerate(self.served)]

    @property
    def policies(self) -> list[Object]:
        return [
            {"kind": "NetworkPolicy", "metadata": {"name": f"p{number}"}, "spec": {"podSelector": selector}}
            for number, selector in enumerate(self.shields)
        ]

    @property
    def selectors(self) -> list[Object]:
        """Those that must not take a canary's pod."""
        return [self.own, *({"matchLabels": selector} for selector in self.served)]

    def rewriting(self) -> Rewriting:
        return rewritten(self.primary, self.services, template(self.labels), self.policies)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """The selector of the Deployment matches its template, as the API server makes sure."""
    labels = draw(LABELS)
    keys = st.sampled_from(sorted(labels))
    own = {
        "matchLabels": {key: labels[key] for key in draw(st.sets(keys, max_size=3))},
        "matchExpressions": [
            each for each in draw(st.lists(EXPRESSIONS, max_size=3)) if matches({"matchExpressions": [each]}, labels)
        ],
    }
    served = [{key: labels[key] for key in chosen} for chosen in draw(st.lists(st.sets(keys, min_size=1), max_size=4))]
    equal = st.builds(lambda chosen: {"matchLabels": {key: labels[key] for key in chosen}}, st.sets(keys, max_size=2))
    listed = st.builds(lambda one: {"matchExpressions": [one]}, st.one_of(EXPRESSIONS, STRANGERS))
    shields = draw(st.lists(st.one_of(equal, listed), max_size=4))
    return Case(labels, own, served + draw(st.lists(LABELS, max_size=2)), shields)


def ways_out(case: Case) -> Iterator[tuple[int, int, int]]:
    """Every change of labels that no selector survives, by brute force: its size, how many labels it takes away, and
    how many policies it is otherwise to."""
    for size in range(len(case.labels) + 1):
        for changed in combinations(case.labels, size):
            for number in range(size + 1):
                for removed in combinations(changed, number):
                    fresh = {key: "fresh" if key in changed else value for key, value in case.labels.items()}
                    result = {key: value for key, value in fresh.items() if key not in removed}
                    if not any(matches(selector, result) for selector in case.selectors):
                        yield size, number, sum(matches(s, case.labels) != matches(s, result) for s in case.shields)


@given(cases())
def test_no_selector_survives_and_no_other_change_is_smaller_or_leaves_more_policies_as_they_are(case: Case) -> None:
    cheapest = min(ways_out(case), default=None)
    if cheapest is None:
        with pytest.raises(LabelError):
            case.rewriting()
        return
    found = case.rewriting()
    assert not any(matches(selector, found.of(case.labels)) for selector in case.selectors)
    assert (len(found.values) + len(found.removed), len(found.removed), len(found.lost)) == cheapest
    assert set(found.values) | found.removed <= set(case.labels)


@given(cases(), st.randoms())
def test_it_depends_neither_on_the_order_of_things_nor_on_what_is_ours_already(case: Case, chance: Any) -> None:
    assume(any(ways_out(case)))
    ours = canary_services(case.primary, Surroundings(services=tuple(case.services)), "d" * 64)
    services, policies = [*case.services, *ours], case.policies
    chance.shuffle(services)
    chance.shuffle(policies)
    found = case.rewriting()
    assert rewritten(case.primary, services, template(case.labels), policies) == found
    assert found.of(found.of(case.labels)) == found.of(case.labels)


@given(cases())
def test_the_canarys_pods_are_its_services_and_its_own_and_nobody_elses(case: Case) -> None:
    assume(any(ways_out(case)))
    around = Surroundings(services=tuple(case.services), all_services=tuple(case.services))
    pods = canary_deployment(case.primary, template(case.labels), around, 1, "d" * 64)["spec"]
    labels = pods["template"]["metadata"]["labels"]
    assert matches(pods["selector"], labels)
    for made in canary_services(case.primary, around, "d" * 64):
        assert matches({"matchLabels": made["spec"]["selector"]}, labels)
        assert not matches({"matchLabels": made["spec"]["selector"]}, case.labels)
    assert not any(matches(selector, labels) for selector in case.selectors)

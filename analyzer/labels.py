"""Which labels the canary's pods carry, so that nothing takes them for pods of the primary.

Design §5: the values of the fewest labels are rewritten such that neither the primary's `spec.selector` nor any
Service selects the canary's pods: a minimal hitting set over the selectors. Among equally small sets the one wins
that leaves most NetworkPolicies, PodDisruptionBudgets and PodMonitors as they are, and after that the one by which most
rules that keep the primary's pods off a node let the canary's onto it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from analyzer.ownership import LONGEST, canary_name, digits

Object = Mapping[str, Any]
Selector = Mapping[str, Any]  # a LabelSelector of apimachinery
Labels = Mapping[str, str]


class LabelError(Exception):
    """No labels keep the canary's pods apart from the primary's; the message names the selector and the remedy."""


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What becomes of the template's labels: new `values` by label, labels taken away, and whose selector minds.

    `lost` names the NetworkPolicies and the like that select the primary's pods and not the canary's, or (by NotIn)
    the other way round.
    """

    values: Mapping[str, str]
    removed: frozenset[str] = frozenset()
    lost: tuple[str, ...] = ()

    def of(self, labels: Labels) -> dict[str, str]:
        """The labels of the canary's pods."""
        return {key: self.values.get(key, value) for key, value in labels.items() if key not in self.removed}


def rewritten(
    primary: Object, services: Iterable[Object], template: Object, protected: Iterable[Object] = ()
) -> Rewriting:
    """The smallest change of the template's labels that no selector of the primary or of a Service survives.

    `services` are all Services of the namespace; `protected` are NetworkPolicies, PodDisruptionBudgets and
    PodMonitors. Raises LabelError when the primary's selector cannot be left, or every new value is taken.
    """
    labels: Labels = template["metadata"].get("labels") or {}
    selectors = [primary["spec"]["selector"], *map(service_selector, filter(serves_pods, services))]
    shields = [(_title(thing), selector) for thing in protected for selector in _selectors_of(thing)]
    repelling = [*_repelling(primary["spec"]["template"]), *_repelling(template)]
    selecting = [selector for selector in selectors if matches(selector, labels)]
    sets = _smallest_sets(primary, selecting)
    choices = [choice for keys in sets if (choice := _rewriting(keys, primary, labels, selectors, shields))]
    if not choices:
        raise LabelError(
            f"every value for the canary's label {' or '.join(map('+'.join, sets))} is selected by a Service already; "
            "take the values that end in -canary out of the Services' selectors"
        )

    def price(choice: Rewriting) -> tuple[int, int, int, list[str]]:
        crowded = sum(matches(selector, choice.of(labels)) for selector in repelling)
        return len(choice.removed), len(choice.lost), crowded, sorted(choice.values)

    return min(choices, key=price)


def matches(selector: Selector, labels: Labels) -> bool:
    """Whether a LabelSelector selects these labels; an empty one selects everything (apimachinery, LabelSelector)."""
    equal: Labels = selector.get("matchLabels") or {}
    expressions: Sequence[Mapping[str, Any]] = selector.get("matchExpressions") or ()
    return equal.items() <= labels.items() and all(_holds(expression, labels) for expression in expressions)


def selects(service: Object, deployment: Object) -> bool:
    """Whether a Service selects the pods of a Deployment, judged by its pod template."""
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return serves_pods(service) and matches(service_selector(service), labels)


def serves_pods(service: Object) -> bool:
    """Whether a Service selects pods at all: not without a selector, nor of type ExternalName."""
    return bool(service["spec"].get("selector")) and service["spec"].get("type") != "ExternalName"


def service_selector(service: Object) -> Selector:
    """A Service's plain map as a LabelSelector."""
    return {"matchLabels": service["spec"]["selector"]}


def followed(pod_spec: Object, labels: Labels, rewriting: Rewriting, home: str) -> dict[str, Any]:
    """The pod spec with affinity and spread terms that mean the pod itself still meaning it.

    A term means the pod itself where its selector takes the labels that the pod had, in its namespace `home`: one that
    shares a label with it and asks for another component goes on meaning that one. Terms on a label that was taken
    away have nothing to follow, and go on meaning the primary's pods.
    """
    new = {(key, labels[key]): value for key, value in rewriting.values.items()}

    def follow(term: Any) -> Any:
        if isinstance(term, list):
            return [follow(each) for each in term]
        if not isinstance(term, dict):
            return term
        if selector := term.get("labelSelector"):
            here = home in (term.get("namespaces") or [home]) or term.get("namespaceSelector") is not None
            itself = here and matches(selector, labels)
            return {**term, "labelSelector": _selector(selector, new)} if itself else term
        return {key: follow(value) for key, value in term.items()}

    result = dict(pod_spec)
    if affinity := pod_spec.get("affinity"):
        between_pods = {"podAffinity", "podAntiAffinity"} & affinity.keys()
        result["affinity"] = {**affinity, **{kind: follow(affinity[kind]) for kind in between_pods}}
    if spread := pod_spec.get("topologySpreadConstraints"):
        result["topologySpreadConstraints"] = follow(spread)
    return result


def _selector(selector: Selector, new: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    result = dict(selector)
    if equal := selector.get("matchLabels"):
        result["matchLabels"] = {key: new.get((key, value), value) for key, value in equal.items()}
    if expressions := selector.get("matchExpressions"):
        result["matchExpressions"] = [
            {**each, "values": [new.get((each["key"], value), value) for value in each["values"]]}
            if each.get("values")
            else each
            for each in expressions
        ]
    return result


def _repelling(template: Object) -> Iterator[Selector]:
    """What pods of a template must not, or would rather not, have beside them."""
    repelled = (template["spec"].get("affinity") or {}).get("podAntiAffinity") or {}
    terms = list(repelled.get("requiredDuringSchedulingIgnoredDuringExecution") or ())
    terms += [each["podAffinityTerm"] for each in repelled.get("preferredDuringSchedulingIgnoredDuringExecution") or ()]
    yield from (term["labelSelector"] for term in terms if term.get("labelSelector"))


def _smallest_sets(primary: Object, selecting: Sequence[Selector]) -> list[tuple[str, ...]]:
    """All smallest sets of labels that have a label of every selector in them."""
    leavable = [_leavable(selector) for selector in selecting]
    if not all(leavable):
        raise LabelError(
            f"spec.selector of Deployment {primary['metadata']['name']} selects by NotIn or DoesNotExist alone, which "
            "no new value of a label escapes; re-create the Deployment with a matchLabels entry in it"
        )
    keys = sorted(set().union(*leavable))
    for size in range(1, len(keys) + 1):
        if sets := [
            chosen for chosen in combinations(keys, size) if all(not each.isdisjoint(chosen) for each in leavable)
        ]:
            return sets
    raise LabelError("the template's labels do not satisfy spec.selector")


def _leavable(selector: Selector) -> frozenset[str]:
    return _by_value(selector) | _by_removal(selector)


def _by_value(selector: Selector) -> frozenset[str]:
    """The labels whose new value makes the selector let go of a pod."""
    listed = {e["key"] for e in selector.get("matchExpressions") or () if e["operator"] == "In"}
    return frozenset((selector.get("matchLabels") or {}).keys() | listed)


def _by_removal(selector: Selector) -> frozenset[str]:
    return frozenset(e["key"] for e in selector.get("matchExpressions") or () if e["operator"] == "Exists")


def _rewriting(
    keys: tuple[str, ...],
    primary: Object,
    labels: Labels,
    selectors: Sequence[Selector],
    shields: Sequence[tuple[str, Selector]],
) -> Rewriting | None:
    """New values for these labels; None when a selector takes them, too.

    Only a Deployment's own selector knows `Exists`, so at most one label has to go.
    """
    own = primary["spec"]["selector"]
    removed = frozenset[str]() if _by_value(own) & set(keys) else frozenset(sorted(_by_removal(own) & set(keys))[:1])
    for salt in ("", digits(f"{primary['metadata']['namespace']}/{primary['metadata']['name']}")):
        values = {key: _value(labels[key], salt) for key in keys if key not in removed}
        result = Rewriting(values, removed).of(labels)
        if not any(matches(selector, result) for selector in selectors):
            lost = {title for title, each in shields if matches(each, labels) != matches(each, result)}
            return Rewriting(values, removed, tuple(sorted(lost)))
    return None


def _value(old: str, salt: str) -> str:
    return canary_name("-".join(filter(None, (old, salt))), LONGEST).lstrip("-")


def _holds(expression: Mapping[str, Any], labels: Labels) -> bool:
    value = labels.get(expression["key"])
    values: Sequence[str] = expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case other:
            raise LabelError(f"{other!r} is no operator of a label selector; use In, NotIn, Exists or DoesNotExist")


def _title(thing: Object) -> str:
    """Items of a list have no kind of their own."""
    kind = thing.get("kind") or ("NetworkPolicy" if "podSelector" in thing["spec"] else "PodDisruptionBudget")
    return f"{kind} {thing['metadata']['name']}"


def _selectors_of(thing: Object) -> Iterator[Selector]:
    """The pod selectors of a NetworkPolicy (those of its peers too), a PodDisruptionBudget or a PodMonitor."""
    spec: Mapping[str, Any] = thing["spec"]
    peers = [peer for rule in spec.get("ingress") or () for peer in rule.get("from") or ()]
    peers += [peer for rule in spec.get("egress") or () for peer in rule.get("to") or ()]
    for holder, key in ((spec, "podSelector"), (spec, "selector"), *((peer, "podSelector") for peer in peers)):
        if holder.get(key) is not None:
            yield holder[key]

"""Which MetricTemplates a Canary may use, and that nothing but its own words decides where its metrics are asked."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from analyzer.addresses import Addresses
from analyzer.cluster import Cluster
from analyzer.gauges import ALL, Gauges, Reach
from analyzer.kube.errors import NotFound
from analyzer.status import Phase
from analyzer.strategy import Strategy
from analyzer.view import View
from tests.analyzer.objects import deployment

HOME, OTHER = "detour", "stranger"


@dataclass
class Known:
    """A cluster in which every namespace has the same templates, and which notes what it is asked."""

    provider: dict[str, Any] = field(default_factory=lambda: {"type": "prometheus", "address": "http://p:9090"})
    asked: list[tuple[str, str]] = field(default_factory=list)

    @property
    def templates(self) -> "Known":
        return self

    @property
    def client(self) -> "Secrets":
        return Secrets()

    def get(self, namespace: str, name: str) -> dict[str, Any]:
        self.asked.append((namespace, name))
        metadata = {"name": name, "namespace": namespace}
        return {"metadata": metadata, "spec": {"provider": self.provider, "query": "vector(1)"}}


class Secrets:
    """There are none."""

    def get(self, resource: object, namespace: str, name: str) -> dict[str, Any]:
        raise NotFound(404, "NotFound", f"secrets {name!r} not found")


def view(**reference: str) -> View:
    metric = {"name": "rate", "templateRef": {"name": "rate", **reference}}
    canary = {
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "targetRef": {"kind": "Deployment", "name": "web"},
            "analysis": {"stepWeight": 50, "metrics": [metric]},
        },
    }
    return View(
        cast("Any", None), ("shop", "web"), canary, deployment(), None, None, ("", Phase.PROGRESSING, None), Strategy()
    )


def problem(found: View, shared: tuple[str, ...] = (HOME,), known: Known | None = None) -> str:
    return Gauges(cast("Cluster", known or Known()), Reach(Addresses(), frozenset(shared))).problem(found)


@pytest.mark.parametrize("reference", [{}, {"namespace": "shop"}, {"namespace": HOME}])
def test_templates_of_its_own_namespace_and_of_detours_may_be_used(reference: dict[str, str]) -> None:
    assert problem(view(**reference)) == ""


def test_a_template_of_another_namespace_is_not_even_looked_for() -> None:
    known = Known()
    assert problem(view(namespace=OTHER), known=known) == (
        "spec.analysis.metrics[rate].templateRef.namespace: namespace stranger is not this one, and does not share its "
        "templates; make a template of your own in namespace shop, or have the analyzer started with "
        "--allow-references-to=stranger"
    )
    assert not known.asked


@pytest.mark.parametrize("shared", [(HOME, OTHER), (ALL,)])
def test_the_operator_lets_a_namespace_or_all_share_theirs(shared: tuple[str, ...]) -> None:
    assert problem(view(namespace=OTHER), shared) == ""


def test_a_template_that_is_shared_shares_no_credentials() -> None:
    known = Known({"type": "prometheus", "address": "http://p:9090", "secretRef": {"name": "token"}})
    assert "has credentials, which are for namespace detour alone" in problem(view(namespace=HOME), known=known)
    assert "Secret token is not in the template's namespace" in problem(view(), known=known)

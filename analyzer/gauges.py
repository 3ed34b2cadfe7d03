"""Metrics, each by its MetricTemplate or built in: which may be used, what they ask, and what comes of it.

A template of another namespace may be used, as with Flagger, but only of those that the operator names, and unless it
has credentials: those are only for the namespace that they are in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analyzer import canary as parts
from analyzer.addresses import Addresses
from analyzer.cluster import Cluster
from analyzer.discovery import Surroundings
from analyzer.fields import SpecError
from analyzer.kube.errors import ApiError, NotFound
from analyzer.kube.errors import Unreachable as NoAnswer
from analyzer.kube.resources import SECRETS
from analyzer.metrics import builtin, provider_for, template_of
from analyzer.metrics.provider import MetricError, Provider, Unreachable
from analyzer.metrics.query import query_for
from analyzer.metrics.verdict import Check, judge, unmeasured
from analyzer.observe import View
from analyzer.spec import parse

Object = Mapping[str, Any]

SHARE, ALL = "--allow-references-to", "*"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far measurements may go, as the operator has it.

    `addresses` may be called, the templates of the namespaces `shared` be used in all others (ALL: every one's), and
    the Prometheus `metrics_server` be asked where a Canary names none.
    """

    addresses: Addresses
    shared: frozenset[str] = frozenset()
    metrics_server: str = ""


class Gauges:
    """Reads the metrics of Canaries; safe between threads."""

    def __init__(self, cluster: Cluster, reach: Reach) -> None:
        self._cluster = cluster
        self._reach = reach

    def check(self, metric: Object, view: View) -> Check:
        """The verdict on a metric, as of now."""
        try:
            template = self._template(metric, view)
            provider = self._provider(template)
            try:
                return judge(metric, provider.query(query_for(metric, template, _values(view))))
            finally:
                provider.close()
        except (MetricError, SpecError) as error:
            return unmeasured(metric, error)

    def problem(self, view: View) -> str:
        """Why a metric could not be measured, by what is known without asking its provider; "" if nothing is wrong."""
        try:
            for metric in parse(view.canary).metrics if view.canary else ():
                template = self._template(metric, view)
                query_for(metric, template, _values(view))
                self._provider(template).close()
        except (MetricError, SpecError) as error:
            return str(error)
        return ""

    def _provider(self, template: Object) -> Provider:
        return provider_for(template, self._secret(template), self._reach.addresses)

    def _template(self, metric: Object, view: View) -> Object:
        namespace = view.key[0]
        reference = template_of(metric, namespace)
        if reference is None:
            return builtin.template(metric, namespace, builtin.series_of(_around(view)), self._address(view))
        where, name = reference
        field = f"spec.analysis.metrics[{metric.get('name')}].templateRef"
        if where != namespace and not {where, ALL} & self._reach.shared:
            problem = f"namespace {where} is not this one, and does not share its templates"
            remedy = f"make a template of your own in namespace {namespace}, or have the analyzer started with"
            raise SpecError(f"{field}.namespace", problem, f"{remedy} {SHARE}={where}")
        template = self._cluster.templates.get(where, name)
        if template is None:
            raise SpecError(field, f"there is no MetricTemplate {name} in namespace {where}", "create it")
        if where != namespace and _secret_of(template):
            problem = f"MetricTemplate {name} has credentials, which are for namespace {where} alone"
            raise SpecError(field, problem, f"make a template of your own in namespace {namespace}")
        return template

    def _address(self, view: View) -> str:
        assert view.canary
        if address := parse(view.canary).metrics_server or self._reach.metrics_server:
            return address
        problem = "a metric without a template is asked of a Prometheus, and none is known"
        raise SpecError("spec.metricsServer", problem, "set it, or the analyzer's --metrics-server")

    def _secret(self, template: Object) -> Object | None:
        name = _secret_of(template)
        if not name:
            return None
        namespace = template["metadata"]["namespace"]
        try:
            return self._cluster.client.get(SECRETS, namespace, name)
        except NotFound:
            return None
        except (ApiError, NoAnswer) as error:
            raise Unreachable(
                f"Secret {name} of MetricTemplate {namespace}/{template['metadata']['name']}: {error}"
            ) from error


def _secret_of(template: Object) -> str | None:
    return (template["spec"]["provider"].get("secretRef") or {}).get("name")


def _around(view: View) -> Surroundings:
    return view.surroundings or Surroundings()


def _values(view: View) -> dict[str, str]:
    """What Flagger's placeholders stand for. `target` is the canary's Deployment, as Flagger's queries mean it."""
    assert view.primary
    assert view.canary
    namespace, name = view.key
    surroundings = view.surroundings
    services = [service["metadata"]["name"] for service in surroundings.services] if surroundings else []
    ingresses = [ingress["metadata"]["name"] for ingress in surroundings.ingresses] if surroundings else []
    routes = [route["metadata"]["name"] for route in surroundings.http_routes] if surroundings else []
    return {
        "name": view.canary["metadata"]["name"],
        "namespace": namespace,
        "target": parts.name(view.primary),
        "primary": name,
        "service": services[0] if services else name,
        "ingress": ingresses[0] if ingresses else name,
        "route": routes[0] if routes else name,
    }

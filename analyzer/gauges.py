"""Metrics, each by its MetricTemplate or built in: which may be used, what they ask, and what comes of it.

A template of another namespace may be used, as with Flagger, but only of those that the operator names, and unless it
has credentials: those are only for the namespace that they are in.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from analyzer.addresses import Addresses
from analyzer.agenda import Key
from analyzer.cluster import Cluster
from analyzer.discovery import Surroundings
from analyzer.fields import SpecError
from analyzer.kube.errors import ApiError, NotFound
from analyzer.kube.errors import Unreachable as NoAnswer
from analyzer.kube.resources import SECRETS
from analyzer.metrics import builtin, provider_for, template_of
from analyzer.metrics.provider import MetricError, Provider, Sample, Unreachable
from analyzer.metrics.query import query_for
from analyzer.metrics.verdict import Check, judge, least_requests, too_few, unmeasured
from analyzer.ownership import canary_name
from analyzer.spec import DEFAULT_WINDOW, Spec, parse

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


class Place(Protocol):
    """Of which application a metric is asked: a View is one."""

    @property
    def key(self) -> Key: ...
    @property
    def canary(self) -> dict[str, Any] | None: ...
    @property
    def surroundings(self) -> Surroundings | None: ...


@dataclass(frozen=True, slots=True)
class AtRest:
    """An application of which nothing is in flight: its routes have not been looked for."""

    key: Key
    canary: dict[str, Any]
    surroundings: None = None


class Gauges:
    """Reads the metrics of Canaries; safe between threads."""

    def __init__(self, cluster: Cluster, reach: Reach) -> None:
        self._cluster = cluster
        self._reach = reach

    def check(self, metric: Object, at: Place) -> Check:
        """The verdict on a metric, as of now."""
        try:
            if least_requests(metric) and (missing := too_few(metric, self._requests(metric, at))):
                return missing
            return judge(metric, self._sample(metric, self._template(metric, at), at))
        except (MetricError, SpecError) as error:
            return unmeasured(metric, error)

    def problem(self, at: Place) -> str:
        """Why a metric could not be measured, by what is known without asking its provider; "" if nothing is wrong."""
        try:
            for metric in parse(at.canary).metrics if at.canary else ():
                template = self._template(metric, at)
                query_for(metric, template, _values(at))
                if least_requests(metric):
                    self._address(at)
                self._provider(template).close()
        except (MetricError, SpecError) as error:
            return str(error)
        return ""

    def vet(self, at: Place) -> MetricError | SpecError | None:
        """Ask for every metric once, as its provider may refuse the query: what is wrong with the first that cannot be
        measured. What the answers say is no matter.
        """
        try:
            for metric in parse(at.canary).metrics if at.canary else ():
                self._sample(metric, self._template(metric, at), at)
                if least_requests(metric):
                    self._requests(metric, at)
        except (MetricError, SpecError) as error:
            return error
        return None

    def asked(self, key: Key, spec: Spec) -> str:
        """A digest of all that is asked for an application, MetricTemplates included; "" where nothing is."""
        if not spec.metrics:
            return ""
        named = [template_of(metric, key[0]) for metric in spec.metrics]
        found = [self._cluster.templates.get(*each) if each else None for each in named]
        asks = [(each["metadata"].get("uid"), each["spec"]) if each else None for each in found]
        server = spec.metrics_server or self._reach.metrics_server
        return hashlib.sha256(json.dumps([spec.metrics, asks, server], sort_keys=True).encode()).hexdigest()

    def _requests(self, metric: Object, at: Place) -> Sample:
        """What the routers count, which is one and the same for all metrics, their own templates or not."""
        count = {**builtin.REQUESTS, "interval": metric.get("interval") or DEFAULT_WINDOW}
        template = self._built_in(count, at)
        return self._sample(count, template, at)

    def _sample(self, metric: Object, template: Object, at: Place) -> Sample:
        provider = self._provider(template)
        try:
            return provider.query(query_for(metric, template, _values(at)))
        finally:
            provider.close()

    def _provider(self, template: Object) -> Provider:
        return provider_for(template, self._secret(template), self._reach.addresses)

    def _template(self, metric: Object, at: Place) -> Object:
        namespace = at.key[0]
        reference = template_of(metric, namespace)
        if reference is None:
            return self._built_in(metric, at)
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

    def _built_in(self, metric: Object, at: Place) -> Object:
        series = builtin.series_of(at.surroundings or Surroundings())
        return builtin.template(metric, at.key[0], series, self._address(at))

    def _address(self, at: Place) -> str:
        assert at.canary
        if address := parse(at.canary).metrics_server or self._reach.metrics_server:
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


def _values(at: Place) -> dict[str, str]:
    """What Flagger's placeholders stand for. `target` is the canary's Deployment, as Flagger's queries mean it."""
    assert at.canary
    namespace, name = at.key
    surroundings = at.surroundings
    services = [service["metadata"]["name"] for service in surroundings.services] if surroundings else []
    ingresses = [ingress["metadata"]["name"] for ingress in surroundings.ingresses] if surroundings else []
    routes = [route["metadata"]["name"] for route in surroundings.http_routes] if surroundings else []
    return {
        "name": at.canary["metadata"]["name"],
        "namespace": namespace,
        "target": canary_name(name),
        "primary": name,
        "service": services[0] if services else name,
        "ingress": ingresses[0] if ingresses else name,
        "route": routes[0] if routes else name,
    }

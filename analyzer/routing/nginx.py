"""Weights by the canary annotations of ingress-nginx: a second Ingress beside the user's, which stays as it is.

Understood by ingress-nginx, Traefik from 3.7 on, Higress and Tengine, under a prefix that can be chosen. Three things
that their documentation does not dwell on, and that shape this module:

* an alternative is found by host, path and pathType, so these are copied to the letter; but it is attached to the
  Service and its port, so every path of the namespace that names them is split with it;
* only the paths of rules count: neither a default backend nor TLS that is passed through can be split;
* of the canary's own annotations only those of its upstream and the canary ones have an effect, and which these are
  differs. The allow-list has all that is harmless and tells how to reach a backend; never a snippet, authentication,
  or what makes other controllers act (certificates, DNS). `canary-weight-total` is left out on purpose: without it
  weights are percentages.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from analyzer.discovery import Surroundings, backends, is_canary_ingress, paths
from analyzer.kube.resources import INGRESSES
from analyzer.ownership import LONGEST, canary_name, is_ours, metadata, route_name
from analyzer.routing import canary_by
from analyzer.routing.classes import INGRESS_CLASS, class_of, unserved
from analyzer.strategy import Strategy
from analyzer.traffic import Traffic

PREFIX = "nginx.ingress.kubernetes.io"

COPIED = re.compile(
    r"affinity(-canary-behavior|-mode)?|session-cookie-[a-z-]+"
    r"|backend-protocol|load-balance|service-upstream|upstream-(hash-by(-subset(-size)?)?|vhost)"
    r"|client-body-buffer-size|proxy-(body-size|buffer-size|buffering|buffers-number|http-version|max-temp-file-size)"
    r"|proxy-(connect|read|send)-timeout|proxy-next-upstream(-timeout|-tries)?|proxy-request-buffering"
    r"|(force-)?ssl-redirect|preserve-trailing-slash|rewrite-target|use-regex|x-forwarded-prefix"
)

ALL = 100
CANARY = "/canary"  # of a prefix: says that an Ingress is an alternative

Object = Mapping[str, Any]
Place = tuple[str, str, str]
"""Host, path and pathType: what an alternative is found by."""


@dataclass(frozen=True, slots=True)
class Nginx:
    """The router for Ingresses; `prefix` as in Flagger's `-ingress-annotations-prefix`.

    `only_class`: Ingresses of this class alone are split; "" for those whose controller is known to.
    """

    kind = INGRESSES.kind
    prefix: str = PREFIX
    only_class: str = ""

    def problem(self, primary: Object, surroundings: Surroundings, ingresses: Iterable[Object]) -> str | None:
        """Why the annotations could not split the traffic of these surroundings."""
        if problem := self.unserved(surroundings):
            return problem
        services, surroundings = _names(surroundings.services), self._served(surroundings)
        for ingress in surroundings.ingresses:
            name = ingress["metadata"]["name"]
            if not any(_routes_to(path, services) for _, path in paths(ingress)):
                service = ", ".join(sorted(backends(ingress) & services))
                return (
                    f"Ingress {name} reaches Service {service} by its default backend alone, which canary annotations "
                    "cannot split: add a rule with the path / to it"
                )
            if self._annotations(ingress).get(f"{self.prefix}/ssl-passthrough") == "true":
                return (
                    f"Ingress {name} passes TLS through, which canary annotations cannot split: end TLS at the Ingress"
                )
        return _contested(primary, surroundings, services, ingresses)

    def unserved(self, surroundings: Surroundings) -> str | None:
        """Why no controller splits any of these Ingresses; None where one does, or where there is none."""
        reasons = {each["metadata"]["name"]: self._unserved(each, surroundings) for each in surroundings.ingresses}
        if not reasons or None in reasons.values():
            return None
        name, reason = min(reasons.items())
        return f"Ingress {name} {reason}"

    def unable(self, strategy: Strategy, surroundings: Surroundings, _primary: Object) -> str | None:
        """What a strategy asks for, and annotations cannot say."""
        if not self._served(surroundings).ingresses:
            return None
        for field, asked in (("mirror", strategy.mirror), ("sessionAffinity", strategy.affinity)):
            if asked:
                return (
                    f"canary annotations cannot do what spec.analysis.{field} asks for: take it out, or use HTTPRoutes"
                )
        why = canary_by.problem(strategy.matches)
        return f"spec.analysis.match: canary annotations {why}" if why else None

    def objects(self, primary: Object, surroundings: Surroundings, traffic: Traffic) -> tuple[dict[str, Any], ...]:
        """The canary Ingresses. At weight 0 they stay canaries, or ingress-nginx would refuse edits of the user's."""
        if not 0 <= traffic.weight <= 100:
            raise ValueError(f"a weight is a percentage, not {traffic.weight}")
        services = _names(surroundings.services)
        return tuple(
            self._alternative(primary, ingress, services, traffic)
            for ingress in self._served(surroundings).ingresses
            if any(_routes_to(path, services) for _, path in paths(ingress))
        )

    def weight_of(self, objects: Iterable[Object], _primary: str = "") -> int | None:
        """The percentage that live canary Ingresses send to the canary; None if they disagree or there are none.

        Whatever goes to it by a header or a cookie alone counts as everything, as in the status of an A/B test.
        """
        weights = {self._weight(ingress) for ingress in objects}
        return weights.pop() if len(weights) == 1 else None

    def _unserved(self, ingress: Object, surroundings: Surroundings) -> str | None:
        return unserved(ingress, surroundings.classes, self.only_class)

    def _served(self, surroundings: Surroundings) -> Surroundings:
        """Without the Ingresses that no controller splits: their requests stay with the primary."""
        served = tuple(each for each in surroundings.ingresses if self._unserved(each, surroundings) is None)
        return replace(surroundings, ingresses=served)

    def _alternative(self, primary: Object, ingress: Object, services: set[str], traffic: Traffic) -> dict[str, Any]:
        spec = ingress["spec"]
        annotations = {
            key: value for key, value in self._annotations(ingress).items() if self._is_copied(key, spec)
        } | {f"{self.prefix}{CANARY}": "true", f"{self.prefix}/canary-weight": str(traffic.weight)}
        chosen = canary_by.annotations(traffic.matches)
        annotations |= {f"{self.prefix}/{key}": value for key, value in chosen.items()}
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": metadata(primary, route_name(primary, ingress), annotations=annotations),
            "spec": {
                **{key: spec[key] for key in ("ingressClassName", "tls") if spec.get(key)},
                "rules": list(_rules(spec.get("rules") or (), services)),
            },
        }

    def _is_copied(self, key: str, spec: Object) -> bool:
        """The class is stated once: an annotation that says otherwise would be refused at creation."""
        if key == INGRESS_CLASS:
            return not spec.get("ingressClassName")
        prefix, _, name = key.rpartition("/")
        return prefix == self.prefix and COPIED.fullmatch(name) is not None

    def _weight(self, ingress: Object) -> int | None:
        annotations = self._annotations(ingress)
        weight = annotations.get(f"{self.prefix}/canary-weight", "0")
        total = annotations.get(f"{self.prefix}/canary-weight-total", "100")
        if annotations.get(f"{self.prefix}{CANARY}") != "true" or not (weight.isdecimal() and total.isdecimal()):
            return None
        whole, rest = divmod(int(weight) * 100, max(int(total), 100))
        chosen = any(f"{self.prefix}/{key}" in annotations for key in (canary_by.HEADER, canary_by.COOKIE))
        return None if rest else whole or (ALL if chosen else 0)

    @staticmethod
    def _annotations(ingress: Object) -> dict[str, str]:
        return dict(ingress["metadata"].get("annotations") or {})


def prefix_of(ingress: Object) -> str:
    """The prefix that a canary Ingress was made with, for whoever does not know what the analyzer was started with."""
    found = (key for key in ingress["metadata"].get("annotations") or {} if key.endswith(CANARY))
    return next(found, PREFIX).removesuffix(CANARY)


def _contested(
    primary: Object, surroundings: Surroundings, services: set[str], ingresses: Iterable[Object]
) -> str | None:
    """A host and path have one backend and one alternative at most.

    With a second backend nobody can say which of them is split: Traefik takes the youngest Ingress of the namespace,
    ingress-nginx the oldest of the cluster. A second alternative is ignored, or refused by admission.
    """
    home, second = primary["metadata"]["namespace"], set()
    for ingress, host, path in _meeting(surroundings, services, ingresses):
        at_home, alternative = ingress["metadata"]["namespace"] == home, is_canary_ingress(ingress)
        if not (at_home and (is_ours(ingress, primary) if alternative else _routes_to(path, services))):
            second.add((alternative, _called(ingress, home), host + path.get("path", "")))
    if not second:
        return None
    alternative, name, place = min(second)
    if alternative:
        return f"Ingress {name} is a canary of {place} already, and there can be only one: delete it"
    return (
        f"Ingress {name} sends {place} to another backend, and it may be that one's requests that would be split: "
        "give each a host or a path of its own"
    )


def _meeting(
    surroundings: Surroundings, services: set[str], ingresses: Iterable[Object]
) -> Iterator[tuple[Object, str, Object]]:
    """Every path that has the place of one of these Services' and may be served by the same controller."""
    classes: dict[Place, set[str | None]] = {}
    for ingress in surroundings.ingresses:
        for host, path in paths(ingress):
            if _routes_to(path, services):
                classes.setdefault(_place(host, path), set()).add(class_of(ingress))
    hosts = {host for host, _, _ in classes}
    for ingress in ingresses:
        if hosts.isdisjoint(rule.get("host", "") for rule in ingress["spec"].get("rules") or ()):
            continue  # nearly all of a large cluster's
        its = class_of(ingress)
        for host, path in paths(ingress):
            known = classes.get(_place(host, path), set())
            if known & {its, None} or (known and its is None):
                yield ingress, host, path


def _called(ingress: Object, home: str) -> str:
    name, namespace = ingress["metadata"]["name"], ingress["metadata"]["namespace"]
    return str(name) if namespace == home else f"{name} of namespace {namespace}"


def _names(services: Iterable[Object]) -> set[str]:
    return {service["metadata"]["name"] for service in services}


def _routes_to(path: Object, services: set[str]) -> bool:
    return (path["backend"].get("service") or {}).get("name") in services


def _place(host: str, path: Object) -> Place:
    return host, path.get("path", ""), path.get("pathType", "Prefix")


def _rules(rules: Iterable[Object], services: set[str]) -> Iterator[dict[str, Any]]:
    """The rules with only the paths of these Services, each sent to its canary's, by the same port."""
    for rule in rules:
        chosen = [path for path in (rule.get("http") or {}).get("paths") or () if _routes_to(path, services)]
        if chosen:
            host = {"host": rule["host"]} if rule.get("host") else {}
            yield {**host, "http": {"paths": [_redirected(path) for path in chosen]}}


def _redirected(path: Object) -> dict[str, Any]:
    service = path["backend"]["service"]
    return {**path, "backend": {"service": {**service, "name": canary_name(service["name"], LONGEST)}}}

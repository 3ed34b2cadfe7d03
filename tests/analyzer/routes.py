"""HTTPRoutes to build cases from, as the API server would give them, and any that a user might write."""

from typing import Any

from hypothesis import strategies as st

Object = dict[str, Any]


def backend(name: str = "web", weight: int = 1, port: int = 80, **more: Any) -> Object:
    """A reference to a Service, with the API server's defaults."""
    return {"group": "", "kind": "Service", "name": name, "port": port, "weight": weight, **more}


def rule(*backends: Object, path: str = "/", **more: Any) -> Object:
    """A rule for a prefix."""
    match = {"path": {"type": "PathPrefix", "value": path}}
    return {"matches": [match], "backendRefs": list(backends or (backend(),)), **more}


def http_route(name: str = "web", *rules: Object, annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    """An HTTPRoute of the shop's namespace that a Gateway has accepted."""
    parent = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "public", "namespace": "infra"}
    accepted = {"type": "Accepted", "status": "True", "reason": "Accepted", "observedGeneration": 1}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations or {}, "generation": 1},
        "spec": {"parentRefs": [parent], "hostnames": ["a.example"], "rules": list(rules or (rule(),)), **spec},
        "status": {"parents": [{"parentRef": parent, "conditions": [accepted]}]},
    }


_MODIFIER = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x", "value": "y"}]}}
_ANSWER = {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "x-by", "value": "y"}]}}
_MIRROR = {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "shadow", "port": 80}}}
_HEADERS = [{"name": "x-tenant", "type": "Exact", "value": "a"}]


def _filters(*choices: Object) -> st.SearchStrategy[Object]:
    lists = st.lists(st.sampled_from(choices), unique_by=lambda each: each["type"], min_size=1, max_size=2)
    return st.one_of(st.just({}), lists.map(lambda found: {"filters": found}))


def backends(names: tuple[str, ...] = ("web", "web-admin", "db")) -> st.SearchStrategy[Object]:
    """References of every sort: to Services of the primary and of others, of other namespaces, and to no Service."""
    more: st.SearchStrategy[Object] = st.one_of(
        st.just({}), st.just({"namespace": "shop"}), st.just({"namespace": "other"}), st.just({"kind": "Bucket"})
    )
    plain = st.builds(backend, st.sampled_from(names), st.integers(0, 50), st.sampled_from((80, 8080)))
    return st.builds(lambda one, two, three: one | two | three, plain, more, _filters(_MODIFIER, _ANSWER))


def rules() -> st.SearchStrategy[list[Object]]:
    """What may stand in `spec.rules`."""
    matches = st.lists(st.sampled_from([{"path": {"type": "Exact", "value": "/a"}}, {"headers": _HEADERS}]), max_size=2)
    one = st.builds(
        lambda refs, some, more, timed: {"backendRefs": refs} | ({"matches": some} if some else {}) | more | timed,
        st.lists(backends(), min_size=1, max_size=3),
        matches,
        _filters(_MODIFIER, _MIRROR),
        st.sampled_from(({}, {"timeouts": {"request": "5s"}}, {"name": "first"})),
    )
    redirect = st.just({"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]})
    return st.lists(st.one_of(one, redirect), min_size=1, max_size=4)

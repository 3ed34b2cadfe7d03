"""Small Kubernetes objects to build cases from, as the API server would give them."""

from typing import Any

Object = dict[str, Any]


def deployment(name: str = "web", labels: dict[str, str] | None = None, **spec: Any) -> Object:
    """A Deployment whose selector is its template's labels, unless `selector` says otherwise."""
    labels = {"app": name} if labels is None else labels
    return {
        "metadata": {"name": name, "namespace": "shop", "uid": f"uid-of-{name}", "generation": 1},
        "spec": {"selector": {"matchLabels": labels}, "template": template(labels), **spec},
    }


def template(labels: dict[str, str], **spec: Any) -> Object:
    """A pod template."""
    return {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:2"}], **spec}}


def service(name: str = "web", selector: dict[str, str] | None = None, **spec: Any) -> Object:
    """A Service with one port."""
    selector = {"app": name} if selector is None else selector
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    return {
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"selector": selector, "ports": ports, "type": "ClusterIP", "clusterIP": "10.0.0.1", **spec},
    }


def ingress(name: str, *routes: tuple[str, str, str], annotations: dict[str, str] | None = None, **spec: Any) -> Object:
    """An Ingress; `routes` are host, path and Service."""
    rules = [{"host": host, "http": {"paths": [path(where, backend)]}} for host, where, backend in routes]
    return {
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations or {}},
        "spec": {"ingressClassName": "nginx", "rules": rules, **spec},
    }


def path(where: str, backend: str) -> Object:
    """A path of a rule."""
    return {"path": where, "pathType": "Prefix", "backend": {"service": {"name": backend, "port": {"number": 80}}}}


def labelled(thing: Object, **labels: str) -> Object:
    """The same object with these labels; `__` stands for `/`, `_` for `-`, and `detour__` for `detour.dev/`."""
    names = {key.replace("detour__", "detour.dev/").replace("_", "-"): value for key, value in labels.items()}
    return {**thing, "metadata": {**thing["metadata"], "labels": names}}

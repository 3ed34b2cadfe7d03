"""What a request to the API server is, in the words of its own metrics and audit log: a verb and a resource."""

from collections.abc import Mapping

_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def described(method: str, path: str, query: Mapping[str, str] | None = None) -> tuple[str, str]:
    """The verb of a request, and what it is about (`deployments`, `canaries/status`), whatever its object is called.

    A path is `/api/v1/…` or `/apis/<group>/<version>/…`, then a namespace where there is one, then the resource.
    https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
    """
    parts = path.strip("/").split("/")
    if parts[0] not in ("api", "apis"):
        return method.lower(), parts[0]
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if rest[:1] == ["namespaces"] and len(rest) > 2:
        rest = rest[2:]
    resource, name, subresource = [*rest, "", "", ""][:3]
    if method == "GET":
        verb = "watch" if "watch" in (query or {}) else "get" if name else "list"
    else:
        verb = _VERBS.get(method, method.lower())
    return verb, "/".join(filter(None, (resource, subresource)))

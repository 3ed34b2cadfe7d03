"""What we may do, asked of the API server's own authorizer: a question leaves no refusal in anybody's logs."""

from analyzer.kube.client import Client
from analyzer.kube.resources import ACCESS_REVIEWS, Resource


def may(client: Client, verb: str, resource: Resource, namespace: str) -> bool:
    """Whether we may `verb` all objects of a kind in a namespace. One request. Raises ApiError, Unreachable."""
    asked = {"namespace": namespace, "verb": verb, "group": resource.group, "resource": resource.plural}
    body = {
        "apiVersion": ACCESS_REVIEWS.api_version,
        "kind": ACCESS_REVIEWS.kind,
        "metadata": {},
        "spec": {"resourceAttributes": asked},
    }
    return bool(client.create(ACCESS_REVIEWS, body)["status"].get("allowed"))

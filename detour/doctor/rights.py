"""What one must be allowed to do, asked of the API server's own authorizer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analyzer.flagger import REVIEWS
from analyzer.kube.client import Client
from analyzer.kube.resources import ACCESS_REVIEWS, Resource

ACCOUNT = "detour-analyzer"


@dataclass(frozen=True, slots=True)
class Right:
    """A verb on a kind of object, in a namespace or (None) in all of them; `name` narrows it down to one object."""

    verb: str
    group: str
    resource: str
    namespace: str | None = None
    name: str = ""

    def __str__(self) -> str:
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {kind}{where}"

    def attributes(self) -> dict[str, str]:
        """As reviews have them; a subresource stands apart there."""
        resource, _, subresource = self.resource.partition("/")
        found = {"verb": self.verb, "group": self.group, "resource": resource, "subresource": subresource}
        return found | {"namespace": self.namespace or "", "name": self.name}


ADMISSION, RBAC = "admissionregistration.k8s.io", "rbac.authorization.k8s.io"
CALLERS = (
    Right("create", "", "namespaces"),
    Right("create", "apiextensions.k8s.io", "customresourcedefinitions"),
    Right("create", RBAC, "clusterroles"),
    Right("create", RBAC, "clusterrolebindings"),
    Right("escalate", RBAC, "clusterroles"),  # it hands out rights that its installer need not have
    Right("create", ADMISSION, "mutatingwebhookconfigurations"),
    Right("create", ADMISSION, "validatingadmissionpolicies"),
    Right("create", ADMISSION, "validatingadmissionpolicybindings"),
    Right("create", "apps", "deployments"),
)
ANALYZERS = (
    *(Right(verb, "apps", "deployments") for verb in ("list", "watch", "create", "patch", "delete")),
    *(Right(verb, "", "services") for verb in ("watch", "create", "patch", "delete")),
    *(Right(verb, "networking.k8s.io", "ingresses") for verb in ("watch", "create", "patch", "delete")),
    *(Right(verb, "gateway.networking.k8s.io", "httproutes") for verb in ("watch", "create", "patch", "delete")),
    Right("watch", "flagger.app", "canaries"),
    Right("create", "flagger.app", "canaries"),
    Right("update", "flagger.app", "canaries/status"),
    Right("watch", "flagger.app", "metrictemplates"),
    Right("watch", "detour.dev", "canarypolicies"),
    Right("watch", "", "namespaces"),
    Right("create", "", "events"),
    Right("create", REVIEWS.group, REVIEWS.plural),
    Right("patch", ADMISSION, "mutatingwebhookconfigurations", name="zz-detour"),
)


def callers(client: Client) -> tuple[str, ...]:
    """What the caller may not do, of what it takes to install Detour. Raises ApiError."""
    return _lacking(client, ACCESS_REVIEWS, CALLERS, {})


def analyzers(client: Client, home: str) -> tuple[str, ...]:
    """What the analyzer may not do, of what it needs. Raises ApiError."""
    at_home = (
        Right("update", "coordination.k8s.io", "leases", home, ACCOUNT),
        Right("update", "detour.dev", "leaders", home, ACCOUNT),
    )
    subject = {
        "user": f"system:serviceaccount:{home}:{ACCOUNT}",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{home}", "system:authenticated"],
    }
    return _lacking(client, REVIEWS, (*ANALYZERS, *at_home), subject)


def _lacking(
    client: Client, review: Resource, needed: Iterable[Right], subject: Mapping[str, object]
) -> tuple[str, ...]:
    return tuple(str(right) for right in needed if not _allowed(client, review, right, subject))


def _allowed(client: Client, review: Resource, right: Right, subject: Mapping[str, object]) -> bool:
    spec = {**subject, "resourceAttributes": right.attributes()}
    body = {"apiVersion": review.api_version, "kind": review.kind, "metadata": {}, "spec": spec}
    return bool(client.create(review, body)["status"].get("allowed"))

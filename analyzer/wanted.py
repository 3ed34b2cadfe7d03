"""Which Services and routes a Canary means, where it does not leave that to us."""

from dataclasses import dataclass

INGRESS, HTTP = "Ingress", "HTTPRoute"  # kinds of routes
PROVIDERS = {"nginx": INGRESS, "gatewayapi:v1": HTTP, "gatewayapi:v1beta1": HTTP}
"""Values of Canary.spec.provider, and the kinds of routes that they are for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a Canary says of its Services and routes; None where it leaves it to us.

    Whoever names a route of one kind means no other, and whoever names a provider means its kind.
    """

    service: str | None = None
    ingress: str | None = None
    http_route: str | None = None
    provider: str = ""

    def takes(self, kind: str, name: str | None = None) -> bool:
        """Whether routes of a kind are looked for, and that one."""
        if self.provider and PROVIDERS.get(self.provider) != kind:
            return False
        named = self.named(kind)
        if named is None:
            return bool(self.provider) or (self.ingress is None and self.http_route is None)
        return name in (None, named)

    def named(self, kind: str) -> str | None:
        """The name of the only route of a kind."""
        return self.ingress if kind == INGRESS else self.http_route


ANYTHING = Wanted()

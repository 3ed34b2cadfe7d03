"""What tells that a canary may be in a user's route: an annotation, from before its first share to after its last.

It names the canary's Services, so that the way out is known whatever else is gone by then. While the fields of the
route still have to be handed back to whoever had them before (`analyzer.routing.handback`), it says who that was.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

Object = Mapping[str, Any]

SPLIT = "detour.dev/split"


@dataclass(frozen=True, slots=True)
class Mark:
    """`canaries` are the canary's Services by the primary's, for each primary by its name; `owners` is for later."""

    canaries: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    owners: tuple[Mapping[str, str], ...] = ()

    @classmethod
    def on(cls, route: Object) -> Self:
        """The mark of a route. One that cannot be read, since somebody has edited it, is as good as none."""
        text = (route["metadata"].get("annotations") or {}).get(SPLIT, "")
        try:
            found = json.loads(text) if text else {}
            canaries = {str(each): _names(names) for each, names in found.get("canaries", {}).items()}
            return cls(canaries, tuple(_names(owner) for owner in found.get("owners", ())))
        except (ValueError, AttributeError, TypeError):
            return cls()

    @property
    def text(self) -> str:
        """As it is written; "" where there is nothing to say."""
        if not (self.canaries or self.owners):
            return ""
        found: dict[str, Any] = {"canaries": self.canaries} | ({"owners": list(self.owners)} if self.owners else {})
        return json.dumps(found, sort_keys=True, separators=(",", ":"))

    def of(self, primary: str) -> Mapping[str, str]:
        """The canary's Services of a primary; none where no canary of it is in the route."""
        return self.canaries.get(primary, {})

    def put(self, primary: str, names: Mapping[str, str]) -> Self:
        """With a canary in it."""
        return replace(self, canaries={**self.canaries, primary: dict(names)}, owners=())

    def taken(self, primary: str) -> Self:
        """Without it."""
        left = {each: names for each, names in self.canaries.items() if each != primary}
        return replace(self, canaries=left, owners=())


def is_marked(route: Object) -> bool:
    """Whether a canary may be in a route, or may have left something there."""
    return SPLIT in (route["metadata"].get("annotations") or {})


def _names(found: Mapping[Any, Any]) -> dict[str, str]:
    return {str(key): str(value) for key, value in found.items()}

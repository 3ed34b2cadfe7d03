"""What the webhook answers, as plain values: which template and which keys of ours shall stand on the Deployment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from webhook.revision import Template

CANARY, DIRECT = "canary", "direct"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator chooses.

    `analyzer`: the user name that the analyzer's requests come under, the only one whose promotions count.
    `rollback`, `restart`: whether going back to a proven template, and restarting one, is `direct` or takes a `canary`.
    `enforce`: what would go directly is promoted by the analyzer at once, since a policy in the API server lets nobody
    else change a template (manifests/enforce).
    """

    analyzer: str
    rollback: str = DIRECT
    restart: str = DIRECT
    enforce: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError naming the field that has no such value."""
        for name in ("rollback", "restart"):
            if getattr(self, name) not in (DIRECT, CANARY):
                raise ValueError(f"{name} must be {DIRECT} or {CANARY}, not {getattr(self, name)!r}")


class Kind(StrEnum):
    """What was decided, for metrics and for the audit log."""

    UNTOUCHED = "untouched"
    DIVERTED = "diverted"
    UNCHANGED = "unchanged"
    CANCELLED = "cancelled"
    RESTARTED = "restarted"
    DIRECT = "direct"
    PROVEN = "proven"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    BACK = "back"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a request is refused: an HTTP status code, its name in Kubernetes, and a sentence for its user."""

    message: str
    code: int = 403
    reason: str = "Forbidden"


@dataclass(frozen=True, slots=True)
class Decision:
    """The Deployment as it shall be stored, as far as it is ours to say.

    `template` None: as requested. `keys`: labels and annotations by name, None: absent; one that is not named stays
    as requested. `revision`: the whole digest of the template that this is about, empty where there is none.
    """

    kind: Kind
    template: Template | None = None
    keys: Mapping[str, str | None] = field(default_factory=dict)
    warning: str = ""
    revision: str = ""
    denial: Denial | None = None


def denied(message: str, code: int = 403, reason: str = "Forbidden") -> Decision:
    """A refusal; nothing is stored."""
    return Decision(Kind.DENIED, denial=Denial(message, code, reason))

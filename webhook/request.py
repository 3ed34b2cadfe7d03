"""What the decision is made from: the part of an AdmissionReview that matters, as plain values."""

from dataclasses import dataclass, field

from webhook.revision import Object, Template

CREATE, UPDATE = "CREATE", "UPDATE"


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the API server, as its AdmissionReview tells it.

    `manager` is the field manager, empty for clients that send none (`kubectl rollout undo` is one); the client
    chooses it, so nothing that protects may hang on it. `old` is empty on CREATE.
    """

    uid: str
    operation: str
    object: Object
    old: Object = field(default_factory=dict)
    namespace: str = ""
    name: str = ""
    user: str = ""
    manager: str = ""
    subresource: str = ""
    dry_run: bool = False

    @property
    def wanted(self) -> Template:
        """The template as requested."""
        found: Template = self.object["spec"]["template"]
        return found

    @property
    def primary(self) -> Template:
        """The template that is live."""
        found: Template = self.old["spec"]["template"]
        return found

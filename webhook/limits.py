"""What Kubernetes stores at most: a stash that does not fit is refused, never cut off."""

from webhook import stash
from webhook.claims import LAST_APPLIED
from webhook.decision import Decision, denied
from webhook.objects import annotations
from webhook.request import Request

ANNOTATIONS_LIMIT = 256 * 1024
"""Bytes of all keys and values together (`TotalAnnotationSizeLimitB` in k8s.io/apimachinery/pkg/api/validation)."""


def within_limits(request: Request, decision: Decision) -> Decision:
    """Never truncate: a stash that does not fit is refused while its user is there to read why."""
    own = sum(_size(key, decision.keys.get(key)) for key in (stash.TEMPLATE, stash.PREVIOUS))
    if not own or decision.denial:
        return decision
    final = annotations(request.object) | {k: v for k, v in decision.keys.items() if k not in stash.LABELS}
    total = sum(_size(key, value) for key, value in final.items())
    if total <= ANNOTATIONS_LIMIT:
        return decision
    remedy = (
        "apply it --server-side, which keeps no copy in annotations" if LAST_APPLIED in final else "make it smaller"
    )
    return denied(
        f"{request.name}: annotations of {total} bytes, {own} of them the diverted template, are more than the "
        f"{ANNOTATIONS_LIMIT} that Kubernetes stores; {remedy}",
        413,
        "RequestEntityTooLarge",
    )


def _size(key: str, value: str | None) -> int:
    return len(key.encode("utf-8", "surrogatepass")) + len(value.encode("utf-8", "surrogatepass")) if value else 0

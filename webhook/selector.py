"""Whether labels satisfy a label selector, as `metav1.LabelSelector` defines it."""

from collections.abc import Mapping
from typing import Any

from webhook.objects import elements, mapping


def matches(selector: Any, labels: Mapping[str, Any]) -> bool:
    """True where every requirement holds. An operator that Kubernetes does not know is left for it to refuse."""
    wanted = mapping(selector, "matchLabels")
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in elements(selector, "matchExpressions")
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    key, values = expression.get("key"), expression.get("values")
    here = isinstance(key, str) and key in labels
    listed = here and isinstance(values, list) and labels[str(key)] in values
    return {"In": listed, "NotIn": not listed, "Exists": here, "DoesNotExist": not here}.get(
        str(expression.get("operator")), True
    )

"""Which namespaces are looked at: all of them, or those that the operator names (Flagger's -namespace).

What is in the others is left alone, whatever stands on it. The API server calls the webhook by selectors of its own,
so these have to agree (manifests/base/webhook.yaml, namespaceSelector): what is diverted elsewhere waits for nobody.
"""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

Touch = Callable[[tuple[str, str]], None]


class Scope:
    """A container of the names of namespaces: of any, if it was given none."""

    def __init__(self, *namespaces: str) -> None:
        self._namespaces = frozenset(namespaces)
        self._told: set[str] = set()

    def __contains__(self, namespace: object) -> bool:
        return not self._namespaces or namespace in self._namespaces

    def admits_diverted(self, namespace: str) -> bool:
        """Whether it is looked at; said once of each that is not, where something waits."""
        if namespace not in self and namespace not in self._told:
            self._told.add(namespace)
            remedy = "have the webhook's namespaceSelector leave it out, or add it to --namespace"
            log.warning("an update waits in namespace %s, which is not looked at: %s", namespace, remedy)
        return namespace in self

    def only(self, touch: Touch) -> Touch:
        """The same for what is in it, and nothing for the rest."""
        return lambda key: touch(key) if key[0] in self else None

"""Who serves an Ingress, by its class, and whether that controller splits requests by canary annotations.

To a controller that does not know them the canary's Ingress would be one like the user's: it would have half of the
requests, or all of them, whatever its weight. So only those get one that are known to.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]

INGRESS_CLASS = "kubernetes.io/ingress.class"
IS_DEFAULT = "ingressclass.kubernetes.io/is-default-class"
SPLITTING = re.compile(r"ingress-nginx|higress")
"""In the names of controllers that understand the annotations (IngressClass.spec.controller): `k8s.io/ingress-nginx`,
which Traefik's provider goes by as well, and what people call a second one of these."""


def class_of(ingress: Object) -> str | None:
    """The class of an Ingress by its field, or by the older annotation; None is whoever takes those without one."""
    annotations = ingress["metadata"].get("annotations") or {}
    return ingress["spec"].get("ingressClassName") or annotations.get(INGRESS_CLASS)


def unserved(ingress: Object, classes: Sequence[Object], only: str = "") -> str | None:
    """Why no controller splits an Ingress, among the IngressClasses of the cluster; without any, nothing is known.

    The older annotation needs no IngressClass, and says nothing without one. The class `only`, where the operator names
    one, is split whatever its controller is called, and no other.
    """
    wanted = class_of(ingress)
    if only:
        return _another(wanted or _default(classes), only)
    for found in classes:
        if found["metadata"]["name"] == wanted or (wanted is None and _is_default(found)):
            controller = found["spec"].get("controller", "")
            if SPLITTING.search(controller):
                return None
            return (
                f"is served by the controller {controller}, which is not known to split requests by canary "
                "annotations: give it a class of ingress-nginx, or of Traefik's provider for that"
            )
    if classes and ingress["spec"].get("ingressClassName"):
        return f"is of class {wanted}, which does not exist: correct spec.ingressClassName, or create the IngressClass"
    return None


def _another(wanted: str | None, only: str) -> str | None:
    """Without a class, and without a default one, whoever takes such Ingresses takes it: nothing is known."""
    if wanted in (None, only):
        return None
    return f"is of class {wanted}, and Detour splits those of class {only} alone (--ingress-class): give it that one"


def _default(classes: Sequence[Object]) -> str | None:
    return next((str(found["metadata"]["name"]) for found in classes if _is_default(found)), None)


def _is_default(found: Object) -> bool:
    return (found["metadata"].get("annotations") or {}).get(IS_DEFAULT) == "true"

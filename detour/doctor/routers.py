"""Who serves Ingresses here, and whether that controller splits requests by canary annotations.

An IngressClass says by whom it is served, but not how well: Traefik goes by ingress-nginx' name, and splits since 3.7.
So the images and arguments of the controllers that run are looked at, too. What only a trial tells, `make demo` tries.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.routing.classes import IS_DEFAULT, SPLITTING
from detour.doctor.finding import Finding, Level, ok, warn
from detour.doctor.snapshot import Object, Snapshot, called, containers_of, is_running, name_of

CHECK = "ingress"
TRAEFIK_SPLITS = (3, 7)  # the first Traefik that knows the canary annotations of ingress-nginx
FALLBACK = "under a policy updates behind it go directly, unproven; under a Canary of its own they wait"
_NGINX = re.compile(r"(^|/)(ingress-nginx/controller|nginx-ingress-controller|higress/\w+)(?=[:@]|$)")
_TRAEFIK = re.compile(r"(^|[/-])traefik(?=[:@]|$)")
_TAG = re.compile(r":v?(\d+)\.(\d+)")
_PROVIDER = "providers.kubernetesingressnginx"


@dataclass(frozen=True, slots=True)
class Controller:
    """One that runs; `lacks` is why it does not split, "" if it does."""

    name: str
    workload: Object
    lacks: str = ""


def controllers(seen: Snapshot) -> list[Controller]:
    """Those that are known, by image."""
    found = []
    for workload in filter(is_running, seen.workloads):
        for container in containers_of(workload):
            image = str(container.get("image") or "")
            if _NGINX.search(image):
                found.append(Controller(f"ingress-nginx ({called(workload)})", workload))
            elif _TRAEFIK.search(image):
                found.append(Controller(f"Traefik ({called(workload)})", workload, _traefik(container, image)))
    return found


def check(seen: Snapshot) -> Iterator[Finding]:
    """Each IngressClass, by its controller."""
    running = controllers(seen)
    for each in seen.classes:
        yield _class(each, running, seen.argument("analyzer", "--ingress-class"))
    if not (seen.classes or seen.gateway_classes) and "ingressclasses" not in seen.unread:
        remedy = "install ingress-nginx, or Traefik 3.7 with its provider kubernetesIngressNGINX, and its IngressClass"
        yield warn(CHECK, f"no IngressClass: {FALLBACK}", remedy)


def splitting(seen: Snapshot) -> list[str]:
    """The IngressClasses whose controller splits requests, the cluster's default first."""
    running, chosen = controllers(seen), seen.argument("analyzer", "--ingress-class")
    able = [each for each in seen.classes if _class(each, running, chosen).level is Level.OK]
    return [name_of(each) for each in sorted(able, key=_is_default, reverse=True)]


def _is_default(found: Object) -> bool:
    return (found["metadata"].get("annotations") or {}).get(IS_DEFAULT) == "true"


def _class(found: Object, running: list[Controller], chosen: str) -> Finding:
    controller = str(found["spec"].get("controller", ""))
    what = f"class {name_of(found)}{', the default,' if _is_default(found) else ''} is served by {controller}"
    if name_of(found) == chosen:
        return ok(CHECK, f"{what}, which splits by canary annotations, as --ingress-class says")
    if chosen or not SPLITTING.search(controller):
        why = f"--ingress-class names {chosen} alone" if chosen else "which is not known to split"
        remedy = "give Ingresses a class of ingress-nginx, or of Traefik's provider kubernetesIngressNGINX"
        return warn(CHECK, f"{what}, {why}: {FALLBACK}", remedy)
    able = [each.name for each in running if not each.lacks]
    if able:
        return ok(CHECK, f"{what}: {', '.join(able)}, which splits by canary annotations")
    if running:
        lacks = "; ".join(f"{each.name} {each.lacks}" for each in running)
        return warn(CHECK, f"{what}, but {lacks}", "correct that first; make demo KUBECONFIG=… shows whether it splits")
    found_none = f"{what}, but none of the controllers that are known runs here"
    return warn(CHECK, found_none, "if it runs under another image, try it: make demo KUBECONFIG=…")


def _traefik(container: Object, image: str) -> str:
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    words += [f"--{each['name'].removeprefix('TRAEFIK_').replace('_', '.')}" for each in container.get("env") or ()]
    lowered = [str(word).lower().lstrip("-") for word in words]
    if not any(word.startswith(_PROVIDER) and not word.endswith("=false") for word in lowered):
        return "has its provider kubernetesIngressNGINX off (--providers.kubernetesIngressNGINX)"
    tag = _TAG.search(image)
    if tag and (int(tag[1]), int(tag[2])) < TRAEFIK_SPLITS:
        return f"{tag[0][1:]} does not know canary annotations yet (3.7 does)"
    return ""

"""What Flagger 1.44 leaves for one Canary, as objects of a cluster in memory."""

import json
from typing import Any

from analyzer.kube.resources import CANARIES, CONFIG_MAPS, DEPLOYMENTS, INGRESSES, SECRETS, SERVICES
from tests.takeover.world import HPA, LAG, LIVE, Object, World

NEWER = "web:2"


def template(image: str = LIVE, app: str = "web", config: str = "settings") -> Object:
    """A pod template that reads a ConfigMap."""
    source = [{"configMapRef": {"name": config}}]
    container = {"name": "web", "image": image, "envFrom": source}
    return {"metadata": {"labels": {"app": app, "tier": "front"}}, "spec": {"containers": [container]}}


def flaggers(newer: str = LIVE, phase: str = "Initialized", replicas: int = 3, autoscaled: bool = False) -> World:
    """What Flagger 1.44 leaves for one Canary of provider nginx: the target's template says `newer`."""
    world = World()
    owner = {"kind": "Canary", "name": "web", "uid": "canaries/web", "controller": True}
    owned = {"ownerReferences": [owner]}
    spec: Object = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "web"},
        "service": {"port": 80},
        "analysis": {"interval": "10s", "threshold": 3, "stepWeight": 10, "maxWeight": 50},
    }
    if autoscaled:
        spec["autoscalerRef"] = {"apiVersion": "autoscaling/v2", "kind": HPA.kind, "name": "web"}
        for name, least in (("web", 2), ("web-primary", 2)):
            metadata = {"name": name, **(owned if name != "web" else {})}
            limits = {"minReplicas": least, "maxReplicas": 10, "scaleTargetRef": {"name": name}}
            world.add(HPA, {"metadata": metadata, "spec": limits})
    status = {"phase": phase, "conditions": [{"type": "Promoted", "status": "True"}]}
    finalizers = ["finalizer.flagger.app", "somebody.else/s"]
    world.add(CANARIES, {"metadata": {"name": "web", "finalizers": finalizers}, "spec": spec, "status": status})
    world.add(DEPLOYMENTS, deployment("web", template(newer), 0))
    serving = template(app="web-primary", config="settings-primary")
    serving["metadata"]["annotations"] = {"flagger-id": "d6e9"}
    world.add(DEPLOYMENTS, deployment("web-primary", serving, replicas, **owned))
    applied = json.dumps({"spec": {"selector": {"app": "web", "tier": "front"}, "ports": [{"port": 80}]}})
    notes = {
        "kustomize.toolkit.fluxcd.io/reconcile": "disabled",
        "helm.toolkit.fluxcd.io/driftDetection": "disabled",
        "kubectl.kubernetes.io/last-applied-configuration": applied,
    }
    world.add(SERVICES, service("web", "web-primary", annotations=notes))
    world.add(SERVICES, service("web-canary", "web", **owned))
    world.add(SERVICES, service("web-primary", "web-primary", **owned))
    world.add(INGRESSES, ingress("web"))
    weight = {"nginx.ingress.kubernetes.io/canary": "true", "nginx.ingress.kubernetes.io/canary-weight": "0"}
    world.add(INGRESSES, ingress("web-canary", "web-canary", annotations=weight, **owned))
    for resource in (CONFIG_MAPS, SECRETS):
        world.add(resource, {"metadata": {"name": "settings"}, "data": {"colour": "blue"}})
        world.add(resource, {"metadata": {"name": "settings-primary", **owned}, "data": {"colour": "blue"}})
    for _ in range(replicas + LAG):
        world.look()
    world.things["canaries", "web"]["status"] = status
    world.problems.clear()
    return world


def deployment(name: str, pods: Object, replicas: int, **metadata: Any) -> Object:
    """A Deployment that Flagger has written, too."""
    books = [{"manager": "kubectl", "fieldsV1": {"f:spec": {}}}, {"manager": "flagger", "fieldsV1": {"f:spec": {}}}]
    labels = {"app": pods["metadata"]["labels"]["app"]}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": pods}
    return {"metadata": {"name": name, "managedFields": books, **metadata}, "spec": spec}


def service(name: str, app: str, **metadata: Any) -> Object:
    """A Service for the pods with this label."""
    return {"metadata": {"name": name, **metadata}, "spec": {"selector": {"app": app}, "ports": [{"port": 80}]}}


def ingress(name: str, backend: str = "web", **metadata: Any) -> Object:
    """An Ingress in front of a Service."""
    paths = [{"path": "/", "backend": {"service": {"name": backend, "port": {"number": 80}}}}]
    return {"metadata": {"name": name, **metadata}, "spec": {"rules": [{"host": "shop", "http": {"paths": paths}}]}}

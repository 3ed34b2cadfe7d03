"""What the API server fills in is what `webhook.defaults` knows: a template is the same before and after."""

import json

from tests.cluster.kubectl import Object, kubectl
from tests.cluster.namespaces import unique
from webhook.revision import digest

SOURCES: tuple[Object, ...] = (
    {"emptyDir": {}},
    {"hostPath": {"path": "/tmp"}},
    {"configMap": {"name": "settings"}},
    {"secret": {"secretName": "passwords"}},
    {"downwardAPI": {"items": [{"path": "name", "fieldRef": {"fieldPath": "metadata.name"}}]}},
    {"projected": {"sources": [{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "settings"}}]}},
    {"persistentVolumeClaim": {"claimName": "data"}},
    {"image": {"reference": "example.com/data:1"}},
    {"iscsi": {"targetPortal": "10.0.0.1:3260", "iqn": "iqn.2001-04.com.example:disk", "lun": 0}},
    {"rbd": {"monitors": ["10.0.0.1:6789"], "image": "disk"}},
    {"azureDisk": {"diskName": "disk", "diskURI": "https://a.blob.core.windows.net/b/disk.vhd"}},
    {"scaleIO": {"gateway": "https://10.0.0.1", "system": "one", "volumeName": "disk", "secretRef": {"name": "key"}}},
    {
        "ephemeral": {
            "volumeClaimTemplate": {
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
            }
        }
    },
)
PROBES: Object = {
    "livenessProbe": {"grpc": {"port": 1}},
    "readinessProbe": {"httpGet": {"port": 80}},
    "startupProbe": {"tcpSocket": {"port": 80}},
}
CONTAINER: Object = {
    "name": "app",
    "image": "example.com/app:1",
    "ports": [{"containerPort": 80}, {"containerPort": 53, "protocol": "UDP"}],
    "env": [
        {"name": "EMPTY"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
        {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
        {"name": "COLOR", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "color"}}},
        {"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "passwords", "key": "shop"}}},
    ],
    "resources": {"limits": {"cpu": "1"}},
    "lifecycle": {"postStart": {"httpGet": {"port": 80}}},
    "securityContext": {"runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}},
    **PROBES,
}
POD: Object = {
    "serviceAccountName": "app",
    "initContainers": [{"name": "first", "image": "example.com/first"}, {**CONTAINER, "restartPolicy": "Always"}],
    "containers": [{**CONTAINER, "name": "latest", "image": "example.com/app:latest"}],
    "volumes": [{"name": f"volume-{number}", **source} for number, source in enumerate(SOURCES)],
    "affinity": {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "labelSelector": {}}}
            ]
        }
    },
    "topologySpreadConstraints": [
        {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}
    ],
    "tolerations": [{"key": "spot", "operator": "Exists"}],
    "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
}


def test_whatever_the_api_server_fills_in_makes_no_other_template() -> None:
    written: Object = {"metadata": {"labels": {"app": "shop"}}, "spec": POD}
    spec = {"selector": {"matchLabels": {"app": "shop"}}, "template": written}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": unique("all")}}
    arguments = ("create", "--dry-run=server", "-o", "json", "-f", "-")
    stored = json.loads(kubectl(*arguments, stdin=json.dumps({**body, "spec": spec})).out)["spec"]["template"]
    assert stored != written
    assert digest(stored) == digest(written)

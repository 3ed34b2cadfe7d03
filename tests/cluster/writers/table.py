"""The table: every way in which kubectl changes a Deployment. One row a name."""

from dataclasses import dataclass

from tests.cluster.pair import Command
from tests.cluster.writers.commands import (
    NEW,
    SERVER_SIDE,
    container,
    edited,
    from_a_config_map,
    grown,
    kustomized,
    patched,
    read_and_replaced,
    sent,
    template,
    typed,
    with_more,
)


@dataclass(frozen=True, slots=True)
class Writer:
    """One row. `created`: the command that the first manifest came by."""

    name: str
    command: Command
    created: str = "apply"

    def __str__(self) -> str:
        return self.name


VOLUME = container(volumeMounts=[{"name": "data", "mountPath": "/data"}]) | {
    "volumes": [{"name": "data", "emptyDir": {}}]
}
AT_IMAGE = "/spec/template/spec/containers/0/image"

TEMPLATE = (
    Writer("set image", typed(f"set image deployment/APP podinfo={NEW}")),
    Writer("set image of all containers", typed(f"set image deployment/APP *={NEW}")),
    Writer("set env", typed("set env deployment/APP COLOR=blue")),
    Writer("set env --from", from_a_config_map),
    Writer("set resources", typed("set resources deployment/APP --limits=cpu=200m,memory=64Mi --requests=cpu=10m")),
    Writer("set serviceaccount", typed("set serviceaccount deployment/APP robot")),
    Writer("edit", edited("s/podinfo:6.0.0/podinfo:6.0.1/")),
    Writer("patch", patched("strategic", template(spec=container(image=NEW)))),
    Writer("patch that adds a volume", patched("strategic", template(spec=VOLUME))),
    Writer("patch --type=merge", patched("merge", template(metadata={"labels": {"tier": "web"}}))),
    Writer("patch --type=json", patched("json", [{"op": "replace", "path": AT_IMAGE, "value": NEW}])),
    Writer("apply", sent()),
    Writer("apply -k", kustomized),
    Writer("apply --server-side", sent(SERVER_SIDE), created=SERVER_SIDE),
    Writer("apply --server-side after apply", sent(f"{SERVER_SIDE} --force-conflicts")),
    Writer("replace", sent("replace"), created="create"),
    Writer("replace of an applied one", sent("replace")),
    Writer("get, edit, replace", read_and_replaced, created="create"),
)

BESIDE = (
    Writer("annotate", typed("annotate deployment/APP note=new")),
    Writer("label", typed("label deployment/APP team=shop")),
    Writer("scale", typed("scale deployment/APP --replicas=3")),
    Writer("autoscale", typed("autoscale deployment/APP --min=1 --max=4")),
    Writer("rollout resume", typed("rollout resume deployment/APP")),
    Writer("patch of the scale", patched("merge", {"spec": {"replicas": 3}}, "--subresource=scale")),
    Writer("patch of the strategy", patched("merge", {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 2}}}})),
    Writer("edit of the replicas", edited("s/replicas: 1/replicas: 3/")),
)

MIXED = (
    Writer("apply", sent(change=grown)),
    Writer("apply --server-side", sent(SERVER_SIDE, change=grown), created=SERVER_SIDE),
    Writer("replace", sent("replace", change=grown)),
    Writer("patch", patched("strategic", with_more(spec=container(image=NEW)))),
    Writer("patch --type=merge", patched("merge", with_more(metadata={"labels": {"tier": "web"}}))),
    Writer(
        "patch --type=json",
        patched(
            "json",
            [
                {"op": "replace", "path": AT_IMAGE, "value": NEW},
                {"op": "replace", "path": "/spec/replicas", "value": 3},
                {"op": "add", "path": "/metadata/labels/team", "value": "shop"},
            ],
        ),
    ),
    Writer(
        "edit", edited("s/podinfo:6.0.0/podinfo:6.0.1/", "s/replicas: 1/replicas: 3/", "s/maxSurge: 1/maxSurge: 2/")
    ),
)

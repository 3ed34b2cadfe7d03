"""What the pods of a template cannot do without, and what of it has to be kept from vanishing: pure.

Tools that hash the names of ConfigMaps and Secrets delete those of the old version as soon as the new manifest is
applied. Without Detour that is right, since the old pods are on their way out; with it the primary still runs them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from analyzer.kube.resources import CONFIG_MAPS, SECRETS, SERVICE_ACCOUNTS

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Reference:
    """An object of the same namespace. `optional`: pods start without it, too."""

    kind: str
    name: str
    optional: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class Templates:
    """The pod templates of a Deployment: what it runs, what waits, and what a promotion under way is replacing."""

    primary: Object
    waiting: Object | None = None
    previous: Object | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """What is still to be held, and what is to be let go of."""

    hold: frozenset[Reference] = frozenset()
    release: frozenset[Reference] = frozenset()


MOST_HELD = 50
"""Objects that are held for one Deployment: each is a request, and who writes Deployments writes their number."""


def duty(templates: Templates | None, held: Mapping[Reference, bool]) -> Duty:
    """What to do, given what is held for this Deployment now and whether that `held` object is being deleted.

    While anything waits or is promoted, what the running pods refer to and the next template does not is held: nobody
    deletes what the manifest still names. Afterwards only what has been deleted meanwhile is kept, as long as the
    primary refers to it, or its next pod would not start; and as long as what waits does, if the manifest came back to
    it: it is there for whoever applies it, and would vanish. `templates` is None once the Deployment is on its way out.
    """
    if templates is None:
        return Duty(release=frozenset(held))
    needed = references(templates.primary) | references(templates.previous)
    in_flight = templates.waiting is not None or templates.previous is not None
    coming = references(templates.waiting or templates.primary)
    kept = {found for found, deleting in held.items() if found in needed | coming and (in_flight or deleting)}
    wanted = sorted(needed - coming - held.keys())[: max(0, MOST_HELD - len(kept))]
    return Duty(frozenset(wanted), frozenset(held.keys() - kept))


def references(template: Object | None) -> frozenset[Reference]:
    """The ConfigMaps, Secrets and ServiceAccount that the pods of a template name (core/v1, PodSpec).

    Claims are not among them: the cluster itself keeps those that a pod uses.
    """
    spec = (template or {}).get("spec") or {}
    named = [*_of_pod(spec)]
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        named += _of_container(container)
    for volume in spec.get("volumes") or ():
        named += _of_volume(volume)
    return frozenset(sorted((found for found in named if found.name), key=lambda found: found.optional))


def _of_pod(spec: Object) -> Iterator[Reference]:
    """Without a name of its own a pod gets the ServiceAccount `default`, which the cluster makes again by itself."""
    account = spec.get("serviceAccountName")
    if account != "default":
        yield Reference(SERVICE_ACCOUNTS.kind, account or "")
    for secret in spec.get("imagePullSecrets") or ():
        yield Reference(SECRETS.kind, secret.get("name", ""), optional=True)


def _of_container(container: Object) -> Iterator[Reference]:
    for variable in container.get("env") or ():
        source = variable.get("valueFrom") or {}
        yield _by(source, CONFIG_MAPS.kind, "configMapKeyRef")
        yield _by(source, SECRETS.kind, "secretKeyRef")
    for source in container.get("envFrom") or ():
        yield _by(source, CONFIG_MAPS.kind, "configMapRef")
        yield _by(source, SECRETS.kind, "secretRef")


def _of_volume(volume: Object) -> Iterator[Reference]:
    """Drivers name their Secrets in fields of their own, but all in one of these ways."""
    yield _by(volume, CONFIG_MAPS.kind, "configMap")
    for source in (volume.get("projected") or {}).get("sources") or ():
        yield _by(source, CONFIG_MAPS.kind, "configMap")
        yield _by(source, SECRETS.kind, "secret")
    for source in volume.values():
        if isinstance(source, Mapping):
            yield _by({"secret": source}, SECRETS.kind, "secret", "secretName")  # secret, azureFile
            yield _by(source, SECRETS.kind, "secretRef")  # cephfs, flexVolume, iscsi, rbd, scaleIO, storageos
            yield _by(source, SECRETS.kind, "nodePublishSecretRef")  # csi


def _by(source: Object, kind: str, field_name: str, key: str = "name") -> Reference:
    found = source.get(field_name) or {}
    return Reference(kind, found.get(key) or "", bool(found.get("optional")))

"""Which objects the pods of a template cannot do without, and what has to be held of them."""

from typing import Any

import pytest

from analyzer.references import MOST_HELD, Reference, Templates, duty, references
from tests.analyzer.objects import template

Object = dict[str, Any]

CONFIG, SECRET, ACCOUNT = "ConfigMap", "Secret", "ServiceAccount"
OLD, NEW, SHARED = (Reference(CONFIG, name) for name in ("config-old", "config-new", "config-shared"))


def pod(**spec: Any) -> Object:
    return template({"app": "web"}, **spec)


def env(**source: Any) -> Object:
    return pod(
        containers=[{"name": "web", "env": [{"name": "PLAIN", "value": "1"}, {"name": "X", "valueFrom": source}]}]
    )


def volume(**source: Any) -> Object:
    return pod(volumes=[{"name": "files", **source}])


def using(*found: Reference) -> Object:
    """A template that mounts these ConfigMaps."""
    return pod(volumes=[{"name": name, "configMap": {"name": name}} for _, name in ((f.kind, f.name) for f in found)])


@pytest.mark.parametrize(
    ("given", "kind", "optional"),
    [
        (env(configMapKeyRef={"name": "x", "key": "k"}), CONFIG, False),
        (env(configMapKeyRef={"name": "x", "key": "k", "optional": True}), CONFIG, True),
        (env(secretKeyRef={"name": "x", "key": "k"}), SECRET, False),
        (pod(containers=[{"name": "web", "envFrom": [{"configMapRef": {"name": "x"}}]}]), CONFIG, False),
        (pod(containers=[{"name": "web", "envFrom": [{"prefix": "P", "secretRef": {"name": "x"}}]}]), SECRET, False),
        (pod(initContainers=[{"name": "first", "envFrom": [{"configMapRef": {"name": "x"}}]}]), CONFIG, False),
        (volume(configMap={"name": "x", "defaultMode": 420}), CONFIG, False),
        (volume(secret={"secretName": "x"}), SECRET, False),
        (volume(secret={"secretName": "x", "optional": True}), SECRET, True),
        (volume(projected={"sources": [{"serviceAccountToken": {}}, {"configMap": {"name": "x"}}]}), CONFIG, False),
        (volume(projected={"sources": [{"secret": {"name": "x"}}]}), SECRET, False),
        (volume(azureFile={"secretName": "x", "shareName": "s"}), SECRET, False),
        (volume(rbd={"image": "i", "secretRef": {"name": "x"}}), SECRET, False),
        (volume(csi={"driver": "d", "nodePublishSecretRef": {"name": "x"}}), SECRET, False),
        (pod(imagePullSecrets=[{"name": "x"}]), SECRET, True),
        (pod(serviceAccountName="x"), ACCOUNT, False),
    ],
)
def test_a_template_refers_to(given: Object, kind: str, optional: bool) -> None:
    (found,) = references(given)
    assert (found, found.optional) == (Reference(kind, "x"), optional)


@pytest.mark.parametrize(
    "given",
    [
        None,
        {},
        pod(),
        pod(serviceAccountName="default"),
        pod(volumes=None, initContainers=None, imagePullSecrets=[{}]),
        env(fieldRef={"fieldPath": "metadata.name"}),
        volume(emptyDir={}),
        volume(persistentVolumeClaim={"claimName": "x"}),
        volume(hostPath={"path": "/x"}),
    ],
)
def test_a_template_refers_to_nothing_that_could_be_pruned(given: Object | None) -> None:
    assert references(given) == frozenset()


def test_what_is_needed_in_one_place_and_optional_in_another_is_needed() -> None:
    optional = {"configMapKeyRef": {"name": "x", "key": "k", "optional": True}}
    both = env(**optional)
    both["spec"]["volumes"] = [{"name": "files", "configMap": {"name": "x"}}]
    assert [found.optional for found in references(both)] == [False]


HELD, DELETED = False, True


@pytest.mark.parametrize(
    ("situation", "templates", "held", "hold", "release"),
    [
        ("nothing waits", Templates(using(OLD)), {}, set(), set()),
        ("the next version names the same", Templates(using(OLD), using(OLD)), {}, set(), set()),
        ("it no longer names one", Templates(using(OLD, SHARED), using(NEW, SHARED)), {}, {OLD}, set()),
        ("that is held already", Templates(using(OLD), using(NEW)), {OLD: HELD}, set(), set()),
        ("and was deleted", Templates(using(OLD), using(NEW)), {OLD: DELETED}, set(), set()),
        ("a newer one names it again", Templates(using(OLD), using(OLD)), {OLD: DELETED}, set(), set()),
        ("promotion is under way", Templates(using(NEW), None, using(OLD)), {}, {OLD}, set()),
        ("and holds it", Templates(using(NEW), None, using(OLD)), {OLD: DELETED}, set(), set()),
        ("a third waits meanwhile", Templates(using(NEW), using(), using(OLD)), {OLD: HELD}, {NEW}, set()),
        ("the manifest came back to it", Templates(using(NEW), using(OLD)), {OLD: DELETED}, {NEW}, set()),
        ("promoted", Templates(using(NEW)), {OLD: DELETED}, set(), {OLD}),
        ("promoted, and nobody deleted it", Templates(using(NEW)), {OLD: HELD}, set(), {OLD}),
        ("cancelled", Templates(using(OLD)), {OLD: HELD}, set(), {OLD}),
        ("cancelled after it was deleted", Templates(using(OLD)), {OLD: DELETED}, set(), set()),
        ("the Deployment goes", None, {OLD: HELD, NEW: DELETED}, set(), {OLD, NEW}),
    ],
)
def test_what_is_held_and_let_go_of_when(
    situation: str,
    templates: Templates | None,
    held: dict[Reference, bool],
    hold: set[Reference],
    release: set[Reference],
) -> None:
    todo = duty(templates, held)
    assert (set(todo.hold), set(todo.release)) == (hold, release), situation


def test_no_more_is_held_for_one_deployment_than_anybody_needs() -> None:
    many = template({"app": "web"}, volumes=[{"name": f"v{n}", "configMap": {"name": f"c{n:03}"}} for n in range(300)])
    todo = duty(Templates(many, waiting=template({"app": "web"}), previous=None), {})
    assert len(todo.hold) == MOST_HELD

"""Conflicts with what waits: an apply that is not forced takes nothing from anybody, be it live or not."""

from dataclasses import replace

import pytest

from tests.webhook.deployments import SETTINGS, changed, deployment, request, stored, template
from tests.webhook.model import NOW
from tests.webhook.test_fold import A1, A2, ENV_A, IMAGE, Fields, owned, server_side
from webhook import stash
from webhook.conflicts import conflict
from webhook.divert import divert
from webhook.request import Request

V1, V2 = template("podinfo:1"), template("podinfo:2")
SETTER = owned("kubectl-set", "Update", image=IMAGE) | {"apiVersion": "apps/v1", "time": "2026-11-22T12:00:00Z"}
IN_CONTAINER = '.spec.template.spec.containers[name="podinfo"]'


def applying(*others: Fields, **mine: Fields) -> Request:
    """A first apply by flux of what the primary has."""
    return server_side([owned("flux", "Apply", **mine), *others], list(others))


def test_the_old_value_of_what_somebody_else_has_waiting_is_a_conflict() -> None:
    found = conflict(applying(SETTER, image=IMAGE), V2)
    owner = '"kubectl-set" using apps/v1 at 2026-11-22T12:00:00Z'
    assert found == f"Apply failed with 1 conflict: conflict with {owner}: {IN_CONTAINER}.image"


def test_all_conflicts_are_told_by_their_owners() -> None:
    asked = applying(
        owned("argo", "Apply", env=ENV_A), owned("helm", "Apply", env=ENV_A, image=IMAGE), image=IMAGE, env=ENV_A
    )
    for side in (asked.object, asked.old):
        side["spec"]["template"] = template("podinfo:1", env=[A1])
    value = f'{IN_CONTAINER}.env[name="A"].value'
    assert conflict(asked, template("podinfo:2", env=[A2])) == (
        f'Apply failed with 3 conflicts: conflicts with "argo":\n- {value}\n'
        f'conflicts with "helm":\n- {value}\n- {IN_CONTAINER}.image'
    )


@pytest.mark.parametrize(
    ("asked", "waiting"),
    [
        (applying(SETTER, image=IMAGE), V1),
        (replace(applying(SETTER, image=IMAGE), forced=True), V2),
        (applying(SETTER, env=ENV_A), V2),
        (applying(image=IMAGE), V2),
        (Request("", "UPDATE", {"spec": {"template": V1}}, {"spec": {"template": V1}}, manager="kubectl-set"), V2),
    ],
    ids=["the same value", "forced", "other fields", "nobody else's", "no apply"],
)
def test_there_is_no_conflict(asked: Request, waiting: Fields) -> None:
    assert conflict(asked, waiting) == ""


def test_a_conflict_is_refused_and_the_canary_goes_on() -> None:
    old = deployment(V1)
    new = changed(old, V2)
    waiting = stored(new, divert(request(new, old), SETTINGS, NOW))
    waiting["metadata"]["managedFields"] = [SETTER]
    back = changed(waiting)
    back["metadata"]["managedFields"] = [SETTER, owned("flux", "Apply", image=IMAGE)]
    refused = divert(request(back, waiting, "flux"), SETTINGS, NOW)
    assert refused.denial is not None
    assert (refused.denial.code, refused.denial.reason) == (409, "Conflict")
    taken = divert(request(back, waiting, "flux", forced=True), SETTINGS, NOW)
    assert stash.diverted(stored(back, taken)) is None

"""Whose limits hold, of the cluster, a namespace and a policy, and that they may be changed at run time."""

from typing import Any

from analyzer.agenda import Key
from analyzer.policy import canary_by
from tests.analyzer.crowd import HOME, Crowd, apps, crowd


def test_limits_of_a_namespace_are_changed_at_run_time() -> None:
    found = crowd(0, *apps("shop", 2), *apps("other", 2))
    assert len(found.flying) == 4
    found.allow("shop", 3)
    found.update(*apps("shop", 4, first=2))
    found.work()
    assert found.began[4:] == [("shop", "app-002")]
    waits = "queued, place 1: namespace shop allows 3 rollouts at once (annotation detour.dev/rollouts-at-once)"
    assert found.status(("shop", "app-003")).problem == waits
    found.allow("shop", 4)
    found.work()
    assert found.began[5:] == [("shop", "app-003")]
    found.allow("shop", 1)
    found.land(("shop", "app-000"))
    found.work()
    assert len(found.began) == 6
    found.allow("shop", None)
    found.work()
    assert len(found.waiting) == 0


def test_the_clusters_limit_is_changed_at_run_time_on_detours_own_namespace() -> None:
    found = crowd(1, *apps("shop", 3))
    found.allow(HOME, 2)
    found.work()
    assert len(found.flying) == 2
    why = "queued, place 1: the cluster allows 2 rollouts at once (annotation detour.dev/rollouts-at-once)"
    assert found.status(found.waiting[0]).problem == why
    found.allow(HOME, None)
    found.land(found.flying[0])
    found.work()
    assert len(found.flying) == 1


def by_policy(key: Key) -> dict[str, Any]:
    """The metadata that a policy gives a Canary of this crowd."""
    spec = {"analysis": {"interval": "10s", "threshold": 1, "stepWeight": 50}, "atOnce": 1}
    target = {"metadata": {"namespace": key[0], "name": key[1], "uid": "1"}}
    return canary_by({"metadata": {"name": "strict"}, "spec": spec}, target)


def test_a_policy_limits_those_that_go_by_it_in_all_namespaces_together() -> None:
    found = Crowd(limits_of_policies={"strict": 1})
    for namespace in "abc":
        given_by = by_policy((namespace, "app"))
        found.adopt((namespace, "app"), given_by["metadata"])
        found.stored[namespace, "app"]["spec"] = given_by["spec"]
    found.update(("a", "app"), ("b", "app"), ("c", "app"), ("c", "own"))
    found.work()
    assert found.began == [("a", "app"), ("c", "own")]
    assert (
        found.status(("b", "app")).problem
        == "queued, place 1: CanaryPolicy strict allows 1 rollout at once (its atOnce)"
    )

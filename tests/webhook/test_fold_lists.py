"""The fold of lists: which elements are there, in which order, and of which kinds of a thing there is one at most."""

from typing import Any

import pytest

from tests.webhook.folding import A1, A2, B1, B2, Fields, client_side, meant
from webhook.fold import fold


def test_a_volume_has_one_source() -> None:
    def pods(**source: Any) -> Fields:
        return {"spec": {"volumes": [{"name": "data", **source}]}}

    primary, waiting = pods(emptyDir={}), pods(configMap={"name": "a"})
    assert fold(primary, waiting, pods(secret={"secretName": "b"}), None) == pods(secret={"secretName": "b"})
    assert fold(primary, waiting, primary, None) == waiting


def test_the_order_is_that_of_what_waits_and_what_is_new_comes_last() -> None:
    sidecar, proxy = {"name": "sidecar", "image": "s"}, {"name": "proxy", "image": "x"}

    def pods(*containers: Fields) -> Fields:
        return {"spec": {"containers": list(containers)}}

    app1, app2 = {"name": "app", "image": "a:1"}, {"name": "app", "image": "a:2"}
    assert fold(pods(app1), pods(sidecar, app2), pods(app1, proxy), None) == pods(sidecar, app2, proxy)


def test_what_an_applier_states_anew_comes_before_what_others_put_there() -> None:
    found = meant({"env": [B2, A2]}, {"env": [A1]}, {"env": [B1, A2]}, client_side({"env": [B1]}, {}))
    assert found["env"] == [B1, A1]


@pytest.mark.parametrize("change", [{"image": "s:2"}, {"env": [A1]}])
def test_a_part_of_a_container_that_what_waits_has_no_longer_does_not_bring_it_back(change: Fields) -> None:
    sidecar, app, newer = (
        {"name": "sidecar", "image": "s"},
        {"name": "app", "image": "a:1"},
        {"name": "app", "image": "a:2"},
    )

    def pods(*containers: Fields) -> Fields:
        return {"spec": {"containers": list(containers)}}

    assert fold(pods(app, sidecar), pods(newer), pods(app, sidecar | change), None) == pods(newer)

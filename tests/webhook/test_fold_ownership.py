"""The fold of what is applied server-side: what a manager means is what it owns, and owned before."""

from tests.webhook.deployments import template
from tests.webhook.folding import A1, B1, ENV_A, IMAGE, Fields, meant, owned, server_side
from webhook.claims import claimed
from webhook.fold import fold


def test_server_side_apply_again_removes_what_it_gave_up() -> None:
    primary: Fields = {"image": "p:1", "env": [A1]}
    waiting: Fields = {"image": "p:2"}
    now = [owned("flux", "Apply", image=IMAGE)]
    assert meant(primary, waiting, {"image": "p:2", "env": [A1]}, server_side(now, now)) == waiting


def test_server_side_apply_lets_go_of_what_it_stated_before() -> None:
    waiting = {"image": "p:2", "env": [A1, B1]}
    others = owned("kubectl-set", "Update", env={'k:{"name":"B"}': {".": {}, "f:name": {}, "f:value": {}}})
    request = server_side(
        [owned("flux", "Apply", image=IMAGE), others], [owned("flux", "Apply", image=IMAGE, env=ENV_A), others]
    )
    assert meant({"image": "p:1"}, waiting, {"image": "p:2"}, request) == {"image": "p:2", "env": [B1]}


def test_server_side_apply_removes_nothing_that_somebody_else_owns() -> None:
    waiting = {"image": "p:2", "env": [A1]}
    others = owned("kubectl-set", "Update", env=ENV_A)
    request = server_side(
        [owned("flux", "Apply", image=IMAGE), others], [owned("flux", "Apply", image=IMAGE, env=ENV_A), others]
    )
    assert meant({"image": "p:1"}, waiting, {"image": "p:2"}, request) == waiting


def test_a_second_applier_means_only_its_own_part() -> None:
    tuner = [owned("helm", "Apply", image=IMAGE), owned("flux", "Apply", resources={"f:limits": {"f:cpu": {}}})]
    primary, waiting = template("p:1"), template("p:2")
    asked = template("p:1", resources={"limits": {"cpu": "1"}})
    found = fold(primary, waiting, asked, claimed(server_side(tuner, tuner[:1]), waiting))
    assert found == template("p:2", resources={"limits": {"cpu": "1"}})


def test_a_map_that_is_owned_as_one_is_taken_as_one() -> None:
    def pods(**selector: str) -> Fields:
        return {"spec": {"nodeSelector": selector}}

    entry = {"manager": "flux", "operation": "Apply"}
    fields: Fields = {"f:spec": {"f:template": {"f:spec": {"f:nodeSelector": {}}}}}
    request = server_side([entry | {"fieldsV1": fields}], [entry | {"fieldsV1": fields}])
    assert fold(pods(disk="ssd"), pods(zone="a"), pods(disk="ssd"), claimed(request, template())) == pods(disk="ssd")


def test_what_only_the_primary_has_is_not_given_up_in_parts() -> None:
    primary: Fields = {"image": "p:1", "env": [A1]}
    others = owned("kubectl-set", "Update", env={'k:{"name":"A"}': {"f:value": {}}})
    request = server_side(
        [owned("flux", "Apply", image=IMAGE), others], [owned("flux", "Apply", image=IMAGE, env=ENV_A), others]
    )
    assert meant(primary, {"image": "p:2"}, {"image": "p:2", "env": [A1]}, request) == {"image": "p:2"}

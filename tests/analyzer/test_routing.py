"""The canary Ingress."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.discovery import Surroundings
from analyzer.routing import Router
from analyzer.routing.nginx import Nginx
from analyzer.traffic import Traffic
from tests.analyzer.objects import deployment, ingress, labelled, path, service

Object = dict[str, Any]
PREFIX = "nginx.ingress.kubernetes.io"
PRIMARY = deployment()
ROUTER: Router = Nginx()


def around(*ingresses: Object) -> Surroundings:
    return Surroundings(services=(service(),), ingresses=ingresses)


def made(route: Object, weight: int = 10) -> Object:
    (only,) = ROUTER.objects(PRIMARY, around(route), Traffic(weight))
    return only


def annotated(**annotations: str) -> Object:
    names = {f"{PREFIX}/{key.replace('_', '-')}": value for key, value in annotations.items()}
    return ingress("web", ("a.example", "/", "web"), annotations=names)


def by_annotation(route: Object) -> Object:
    annotations = {**route["metadata"]["annotations"], "kubernetes.io/ingress.class": route["spec"]["ingressClassName"]}
    return without_class({**route, "metadata": {**route["metadata"], "annotations": annotations}})


def without_class(route: Object) -> Object:
    return {**route, "spec": {key: value for key, value in route["spec"].items() if key != "ingressClassName"}}


def elsewhere(thing: Object) -> Object:
    return {**thing, "metadata": {**thing["metadata"], "namespace": "elsewhere"}}


def test_the_users_host_and_path_lead_to_the_canarys_service_by_weight() -> None:
    alternative = made(ingress("web", ("a.example", "/shop", "web")))
    assert alternative["metadata"]["name"] == "web-canary"
    assert alternative["metadata"]["annotations"] == {f"{PREFIX}/canary": "true", f"{PREFIX}/canary-weight": "10"}
    assert alternative["metadata"]["labels"] == {"detour.dev/canary-of": "web"}
    assert alternative["spec"]["rules"] == [{"host": "a.example", "http": {"paths": [path("/shop", "web-canary")]}}]
    assert alternative["spec"]["ingressClassName"] == "nginx"


def test_only_the_paths_of_the_primarys_service_are_taken() -> None:
    both = [path("/", "web"), path("/db", "db"), path("/v2", "web")]
    route = ingress(
        "web", rules=[{"host": "a", "http": {"paths": both}}, {"host": "b"}, {"http": {"paths": both[1:2]}}]
    )
    (rule,) = made(route)["spec"]["rules"]
    assert [each["path"] for each in rule["http"]["paths"]] == ["/", "/v2"]


def test_a_backend_by_the_name_of_a_port_keeps_the_name() -> None:
    named = path("/", "web")
    named["backend"]["service"]["port"] = {"name": "http"}
    (rule,) = made(ingress("web", rules=[{"http": {"paths": [named]}}]))["spec"]["rules"]
    assert rule["http"]["paths"][0]["backend"]["service"] == {"name": "web-canary", "port": {"name": "http"}}
    assert named["backend"]["service"]["name"] == "web"


def test_tls_goes_along_and_a_default_backend_does_not() -> None:
    tls = [{"hosts": ["a.example"], "secretName": "a"}]
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    spec = made(ingress("web", ("a.example", "/", "web"), tls=tls, defaultBackend=backend))["spec"]
    assert (spec["tls"], "defaultBackend" in spec) == (tls, False)


def test_every_ingress_gets_its_own() -> None:
    routes = around(ingress("web", ("a.example", "/", "web")), ingress("b", ("b.example", "/", "web")))
    assert [each["metadata"]["name"] for each in ROUTER.objects(PRIMARY, routes, Traffic(5))] == [
        "web-canary",
        "b.web-canary",
    ]


def test_two_applications_in_one_ingress_get_one_each() -> None:
    shared = ingress("shop", ("a.example", "/", "web"), ("a.example", "/db", "db"))
    (of_web,) = ROUTER.objects(PRIMARY, around(shared), Traffic(5))
    around_db = Surroundings(services=(service("db"),), ingresses=(shared,))
    (of_db,) = ROUTER.objects(deployment("db"), around_db, Traffic(5))
    assert (of_web["metadata"]["name"], of_db["metadata"]["name"]) == ("shop.web-canary", "shop.db-canary")
    assert ROUTER.problem(PRIMARY, around(shared), [shared, of_web, of_db]) is None


def test_annotations_that_tell_how_to_reach_the_backend_are_copied() -> None:
    kept = annotated(backend_protocol="GRPC", proxy_read_timeout="120", force_ssl_redirect="true", rewrite_target="/$1")
    assert made(kept)["metadata"]["annotations"].items() >= kept["metadata"]["annotations"].items()


@pytest.mark.parametrize(
    "name",
    [
        f"{PREFIX}/configuration-snippet",
        f"{PREFIX}/server-snippet",
        f"{PREFIX}/auth-url",
        f"{PREFIX}/auth-tls-secret",
        f"{PREFIX}/server-alias",
        f"{PREFIX}/canary-weight-total",
        f"{PREFIX}/canary-by-header",
        f"{PREFIX}/affinity-mode-x",
        "other.example/proxy-read-timeout",
        "cert-manager.io/cluster-issuer",
        "external-dns.alpha.kubernetes.io/hostname",
        "kubectl.kubernetes.io/last-applied-configuration",
    ],
)
def test_annotations_that_make_somebody_act_are_not(name: str) -> None:
    route = ingress("web", ("a.example", "/", "web"), annotations={name: "x"})
    assert name not in made(route)["metadata"]["annotations"]


def test_the_class_is_stated_once_in_the_way_that_the_user_stated_it() -> None:
    by_annotation = ingress("web", ("", "/", "web"), annotations={"kubernetes.io/ingress.class": "old"})
    assert "kubernetes.io/ingress.class" not in made(by_annotation)["metadata"]["annotations"]
    del by_annotation["spec"]["ingressClassName"]
    assert made(by_annotation)["metadata"]["annotations"]["kubernetes.io/ingress.class"] == "old"
    assert "ingressClassName" not in made(by_annotation)["spec"]


def test_the_prefix_can_be_chosen() -> None:
    route = ingress("web", ("", "/", "web"), annotations={"alb.example/ssl-redirect": "true"})
    (other,) = Nginx("alb.example").objects(PRIMARY, around(route), Traffic(3))
    keys = {"alb.example/canary": "true", "alb.example/canary-weight": "3", "alb.example/ssl-redirect": "true"}
    assert other["metadata"]["annotations"] == keys
    assert Nginx("alb.example").weight_of([other]) == 3


@given(st.integers(0, 100))
def test_the_weight_that_was_written_is_the_weight_that_is_read(weight: int) -> None:
    assert ROUTER.weight_of([made(annotated(), weight)], "web") == weight


def test_at_weight_0_it_stays_a_canary() -> None:
    assert made(annotated(), 0)["metadata"]["annotations"][f"{PREFIX}/canary"] == "true"


def test_a_weight_that_is_no_percentage_is_refused() -> None:
    with pytest.raises(ValueError, match="a weight is a percentage, not 101"):
        ROUTER.objects(PRIMARY, around(annotated()), Traffic(101))


@pytest.mark.parametrize(
    ("annotations", "weight"),
    [
        ({"canary": "true", "canary_weight": "10", "canary_weight_total": "200"}, 5),
        ({"canary": "true", "canary_weight": "10", "canary_weight_total": "50"}, 10),
        ({"canary": "true"}, 0),
        ({"canary": "false", "canary_weight": "10"}, None),
        ({"canary": "true", "canary_weight": "many"}, None),
        ({"canary": "true", "canary_weight": "1", "canary_weight_total": "1000"}, None),
    ],
)
def test_a_route_that_was_edited_by_hand_is_read_as_the_controller_reads_it(
    annotations: dict[str, str], weight: int | None
) -> None:
    assert ROUTER.weight_of([annotated(**annotations)], "web") == weight


def test_routes_that_disagree_have_no_weight() -> None:
    assert ROUTER.weight_of([made(annotated(), 5), made(annotated(), 10)], "web") is None
    assert ROUTER.weight_of([], "web") is None


def test_a_default_backend_alone_cannot_be_split_and_the_reason_is_said() -> None:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    route = ingress("web", ("a.example", "/db", "db"), defaultBackend=backend)
    problem = ROUTER.problem(PRIMARY, around(route), [route])
    assert problem
    assert problem.startswith("Ingress web reaches Service web by its default backend alone")
    assert ROUTER.objects(PRIMARY, around(route), Traffic(5)) == ()


def test_tls_that_is_passed_through_cannot_be_split() -> None:
    problem = ROUTER.problem(PRIMARY, around(annotated(ssl_passthrough="true")), [])
    assert problem
    assert "passes TLS through" in problem


def test_a_host_and_path_that_has_a_canary_already_is_refused_unless_it_is_ours() -> None:
    theirs = ingress("by-hand", ("a.example", "/", "web"), annotations={f"{PREFIX}/canary": "true"})
    problem = ROUTER.problem(PRIMARY, around(annotated()), [annotated(), theirs])
    assert problem == "Ingress by-hand is a canary of a.example/ already, and there can be only one: delete it"
    ours = labelled(theirs, detour__canary_of="web")
    assert ROUTER.problem(PRIMARY, around(annotated()), [annotated(), ours]) is None
    elsewhere = ingress("by-hand", ("b.example", "/", "web"), annotations={f"{PREFIX}/canary": "true"})
    assert ROUTER.problem(PRIMARY, around(annotated()), [annotated(), elsewhere]) is None


def test_somebody_elses_canary_is_seen_whichever_way_its_class_is_stated() -> None:
    theirs = by_annotation(ingress("by-hand", ("a.example", "/", "web"), annotations={f"{PREFIX}/canary": "true"}))
    problem = ROUTER.problem(PRIMARY, around(annotated()), [annotated(), theirs])
    assert problem
    assert problem.startswith("Ingress by-hand is a canary")


@pytest.mark.parametrize(
    ("second", "who"),
    [
        (ingress("old", ("a.example", "/", "db")), "Ingress old"),
        (by_annotation(ingress("old", ("a.example", "/", "db"))), "Ingress old"),
        (without_class(ingress("old", ("a.example", "/", "db"))), "Ingress old"),
        (elsewhere(ingress("old", ("a.example", "/", "db"))), "Ingress old of namespace elsewhere"),
        (elsewhere(ingress("web", ("a.example", "/", "web"))), "Ingress web of namespace elsewhere"),
        (ingress("web", ("a.example", "/", "web"), ("a.example", "/", "db")), "Ingress web"),
    ],
)
def test_a_host_and_path_with_a_second_backend_is_refused(second: Object, who: str) -> None:
    route = second if second["metadata"] == annotated()["metadata"] else annotated()
    problem = ROUTER.problem(PRIMARY, around(route), [route, second])
    assert problem == (
        f"{who} sends a.example/ to another backend, and it may be that one's requests that would be split: "
        "give each a host or a path of its own"
    )


@pytest.mark.parametrize(
    "beside",
    [
        ingress("other", ("b.example", "/", "db")),
        ingress("other", ("a.example", "/db", "db")),
        ingress("other", ("a.example", "/", "db"), ingressClassName="internal"),
        ingress("again", ("a.example", "/", "web")),
        ingress("exact", rules=[{"host": "a.example", "http": {"paths": [path("/", "db") | {"pathType": "Exact"}]}}]),
    ],
)
def test_what_no_request_of_these_goes_to_is_in_nobodys_way(beside: Object) -> None:
    assert ROUTER.problem(PRIMARY, around(annotated()), [annotated(), beside]) is None


def test_a_canary_of_the_same_name_in_another_namespace_is_not_ours_and_its_own_route_is_named() -> None:
    namesake = elsewhere(annotated())
    theirs = elsewhere(labelled(made(annotated()), detour__canary_of="web"))
    problem = ROUTER.problem(PRIMARY, around(annotated()), [theirs, annotated(), namesake])
    assert problem
    assert problem.startswith("Ingress web of namespace elsewhere sends a.example/ to another backend")

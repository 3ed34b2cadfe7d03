"""Whether anybody splits the requests of an Ingress, by its class."""

from typing import Any

import pytest

from analyzer.discovery import Surroundings
from analyzer.routing.nginx import Nginx
from analyzer.traffic import Traffic
from tests.analyzer.objects import deployment, ingress, service

Object = dict[str, Any]


def ingress_class(name: str, controller: str, *, default: bool = False) -> Object:
    annotations = {"ingressclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {"metadata": {"name": name, "annotations": annotations}, "spec": {"controller": controller}}


NGINX, INTERNAL = (
    ingress_class("nginx", "k8s.io/ingress-nginx"),
    ingress_class("internal", "k8s.io/internal-ingress-nginx"),
)
TRAEFIK = ingress_class("traefik", "traefik.io/ingress-controller", default=True)


def problem(stated: Object, *classes: Object, only: str = "") -> str | None:
    route = ingress("web", ("a.example", "/", "web"))
    del route["spec"]["ingressClassName"]
    route["metadata"]["annotations"] = stated.get("annotations", {})
    route["spec"] |= stated.get("spec", {})
    around = Surroundings(services=(service(),), ingresses=(route,), classes=classes)
    return Nginx(only_class=only).problem(deployment(), around, [route])


def by_field(name: str) -> Object:
    return {"spec": {"ingressClassName": name}}


def by_annotation(name: str) -> Object:
    return {"annotations": {"kubernetes.io/ingress.class": name}}


@pytest.mark.parametrize(
    "stated", [by_field("nginx"), by_field("internal"), by_annotation("nginx"), by_annotation("of-old")]
)
def test_a_class_of_ingress_nginx_is_split(stated: Object) -> None:
    assert problem(stated, TRAEFIK, NGINX, INTERNAL) is None


@pytest.mark.parametrize("stated", [by_field("traefik"), by_annotation("traefik"), {}])
def test_a_controller_that_would_take_the_canary_for_one_like_any_other_gets_none(stated: Object) -> None:
    said = problem(stated, NGINX, TRAEFIK)
    assert said
    assert said.startswith("Ingress web is served by the controller traefik.io/ingress-controller, which is not known")


def test_a_class_that_does_not_exist_is_named() -> None:
    said = problem(by_field("gone"), NGINX)
    assert said
    assert said.startswith("Ingress web is of class gone, which does not exist")


def test_of_two_ingresses_the_one_that_is_split_is_enough_and_the_other_one_is_left_alone() -> None:
    public, private = (
        ingress(name, (f"{name}.example", "/", "web"), ingressClassName=name) for name in ("nginx", "gone")
    )
    around = Surroundings(services=(service(),), ingresses=(public, private), classes=(NGINX,))
    assert Nginx().problem(deployment(), around, [public, private]) is None
    assert [each["metadata"]["name"] for each in Nginx().objects(deployment(), around, Traffic(5))] == [
        "nginx.web-canary"
    ]


def test_where_nothing_is_known_of_classes_none_is_doubted() -> None:
    assert problem(by_field("gone")) is None
    assert problem({}, NGINX) is None


@pytest.mark.parametrize("stated", [by_field("traefik"), by_annotation("traefik"), {}])
def test_the_class_that_the_operator_names_is_split_whatever_its_controller_is_called(stated: Object) -> None:
    assert problem(stated, NGINX, TRAEFIK, only="traefik") is None


def test_and_no_other_class_is() -> None:
    said = problem(by_field("nginx"), NGINX, TRAEFIK, only="traefik")
    assert said
    assert "is of class nginx, and Detour splits those of class traefik alone" in said


def test_an_ingress_without_any_class_is_not_doubted() -> None:
    assert problem({}, NGINX, only="nginx") is None

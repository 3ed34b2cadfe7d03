"""The post from its beginning to its end: tests/seed, on a real cluster, its script under bash as it is.

One test, since the post has one application in a namespace that is not ours to choose: it is told in three acts.
"""

import time
from collections.abc import Iterator

import pytest

from tests.cluster.kubectl import Object, eventually, kubectl
from tests.cluster.post import HOST, Post, measured, states, tasks_of_the_load_tester
from tests.cluster.users import plainly

ANNOTATIONS = ("force-ssl-redirect", "proxy-read-timeout", "proxy-send-timeout")
NGINX = "nginx.ingress.kubernetes.io"
STEPS = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50]
HEY = 20  # requests a second that the post's load test sends: two workers, ten each
VERDICT = "Halt podinfo.default advancement falgger-request-duration 2482.00 > 500"
"""Of the post: the canary's name there is podinfo.test."""


@pytest.fixture
def post() -> Iterator[Post]:
    found = Post()
    found.take_away()
    try:
        found.set_up()
        yield found
    finally:
        found.take_away()


def test_the_post_comes_true(post: Post) -> None:
    the_application_is_guarded_and_served(post)
    a_good_version_is_promoted_by_the_posts_script(post)
    a_slow_version_is_rolled_back_with_the_posts_figure(post)


def the_application_is_guarded_and_served(post: Post) -> None:
    kubectl("wait", "canary/podinfo", "--for=jsonpath={.status.phase}=Initialized", "--timeout=60s")
    service, canary = post.shop.get("service", "podinfo"), post.shop.get("canary", "podinfo")
    assert [owner["uid"] for owner in service["metadata"]["ownerReferences"]] == [canary["metadata"]["uid"]]
    assert [(port["name"], port["port"]) for port in service["spec"]["ports"]] == [("http", 8080)]
    kubectl("rollout", "status", "deployment/podinfo", "--timeout=60s")
    with post.users():
        pass  # the first answer has come by HTTPS, under the certificate's name
    redirected = plainly().request("GET", "/", headers={"Host": HOST}, redirect=False, retries=False)
    assert (redirected.status, redirected.headers["Location"]) == (308, f"https://{HOST}/")


def a_good_version_is_promoted_by_the_posts_script(post: Post) -> None:
    began = time.monotonic()
    with states("ingress", "podinfo-canary", "default") as ingresses, post.users() as users:
        script = post.update()
    assert script.returncode == 0, script.stdout + script.stderr
    assert script.stdout.splitlines()[-1].split()[:2] == ["podinfo", "Succeeded"]
    assert post.shop.live_image == "3.0.1"
    assert users.failed == []
    assert set(users.answered) == {"3.0.0", "3.0.1"}
    the_weights_went_up_step_by_step(post, ingresses)
    the_load_test_ran(users.answered["3.0.1"], time.monotonic() - began)


def the_weights_went_up_step_by_step(post: Post, ingresses: list[Object]) -> None:
    """And the canary's Ingress had at all times what makes the user's own work."""
    user = post.shop.get("ingress", "podinfo")
    expected = {f"{NGINX}/{name}": user["metadata"]["annotations"][f"{NGINX}/{name}"] for name in ANNOTATIONS}
    weights = []
    for ingress in ingresses:
        annotations = ingress["metadata"]["annotations"]
        assert ingress["spec"]["tls"] == user["spec"]["tls"]
        assert expected.items() <= annotations.items()
        weights.append(int(annotations[f"{NGINX}/canary-weight"]))
    assert [weight for weight in dict.fromkeys(weights) if weight] == STEPS


def the_load_test_ran(asked: int, seconds: float) -> None:
    """Once, though it was asked for before the first step and after each; the canary has had its requests."""
    assert "podinfo.default: hey started" in kubectl("--namespace=test", "logs", "deployment/flagger-loadtester").out
    tasks = tasks_of_the_load_tester()
    assert (tasks["started"], tasks["failed"], tasks["refused"]) == (1, 0, 0)
    assert tasks["joined"] >= len(STEPS)
    answered = 'http_request_duration_milliseconds_count{namespace="default", pod=~"podinfo-canary-[^-]+-[^-]+"}'
    by_hey = measured(f"max_over_time({answered}[{seconds:.0f}s])") - asked
    # A busy machine may keep it from its rate, and what is answered after the last scrape is not counted.
    assert by_hey > HEY * 10 * len(STEPS) / 2


def a_slow_version_is_rolled_back_with_the_posts_figure(post: Post) -> None:
    template, pods = post.shop.primary["spec"]["template"], post.pods()
    with post.users() as users:
        kubectl("set", "image", "deployment/podinfo", "deploy-container=seed-app:slow")
        post.shop.until("Failed", 180)
    eventually(lambda: VERDICT in post.events(), "the verdict is told", 10, post.events)
    assert post.shop.primary["spec"]["template"] == template
    assert post.pods() == pods
    assert users.failed == []
    post.shop.until_gone()

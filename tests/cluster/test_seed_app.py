"""The application of tests/seed, by itself: what the post's queries find in its metrics, and the faults of its tags."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cluster.kubectl import Said, eventually, kubectl
from tests.cluster.namespaces import namespace

Asked = Callable[[str, str], Said]
Run = Callable[[str], Asked]


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs the image of a tag in a pod `app`; the answer asks it for a path on a port."""
    with namespace("seed-app") as where:

        def ask(port: str, path: str) -> Said:
            return kubectl("get", "--raw", f"/api/v1/namespaces/{where}/pods/app:{port}/proxy{path}", check=False)

        def started(tag: str) -> Asked:
            kubectl("-n", where, "run", "app", f"--image=seed-app:{tag}", "--image-pull-policy=IfNotPresent")
            eventually(lambda: ask("8080", "/healthz").code == 0, "it answers", 30)
            return ask

        yield started


def buckets(ask: Asked, status: int) -> dict[str, int]:
    """Upper bound → how many requests with this status took so long or less."""
    label = f'status="{status}"'
    lines = [line for line in ask("7001", "/metrics").out.splitlines() if "_bucket{" in line and label in line]
    return {line.split('le="')[1].split('"')[0]: int(line.split()[1]) for line in lines}


def test_it_answers_with_its_version_and_counts_what_users_ask_and_nothing_else(run: Run) -> None:
    ask = run("3.0.1")
    assert ask("8080", "/").out == ask("8080", "/version").out == '{"version":"3.0.1"}\n'
    ask("7001", "/metrics")
    ask("8080", "/healthz")
    assert buckets(ask, 200)["+Inf"] == 2


def test_all_requests_of_the_slow_version_fall_between_the_bounds_that_make_the_posts_figure(run: Run) -> None:
    ask = run("slow")
    with ThreadPoolExecutor(4) as users:
        assert all(said.code == 0 for said in users.map(lambda _: ask("8080", "/"), range(8)))
    found = buckets(ask, 200)
    bounds = list(found)
    at = bounds.index("700")
    assert bounds[at - 1 : at + 2] == ["300", "700", "2500"]
    assert (found["700"], found["2500"]) == (0, 8)


def test_a_part_of_the_answers_of_the_faulty_version_are_errors_and_counted_as_such(run: Run) -> None:
    ask = run("errors")
    with ThreadPoolExecutor(4) as users:
        failed = sum(said.code != 0 for said in users.map(lambda _: ask("8080", "/"), range(100)))
    assert (buckets(ask, 500)["+Inf"], buckets(ask, 200)["+Inf"]) == (failed, 100 - failed)
    # 33 are expected of 100; five standard deviations of a random choice are 24.
    assert 9 <= failed <= 57

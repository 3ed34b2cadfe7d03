"""Waiting for the cluster: what counts as ready, and what is said when it does not become so."""

from pathlib import Path
from typing import Any

import pytest

from sandbox import cgroups, cluster, detour_image, status
from sandbox.cluster import NotYet, wait_until
from sandbox.errors import UserError
from sandbox.layout import NAME


def _deployment(**status: int) -> dict[str, Any]:
    return {"metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": {"observedGeneration": 2, **status}}


def test_a_deployment_is_ready_when_all_its_pods_are_new_and_available() -> None:
    assert cluster._is_complete(_deployment(replicas=2, updatedReplicas=2, availableReplicas=2))


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 1},
        {"replicas": 3, "updatedReplicas": 2, "availableReplicas": 3},
        {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2, "observedGeneration": 1},
    ],
)
def test_a_deployment_is_not_ready_while_it_rolls(status: dict[str, int]) -> None:
    assert not cluster._is_complete(_deployment(**status))


def test_waiting_ends_as_soon_as_the_check_passes() -> None:
    answers = iter([NotYet("the node is not ready"), None])

    def check() -> None:
        if answer := next(answers):
            raise answer

    wait_until(check, 5, pause=0)
    assert next(answers, "none left") == "none left"


def test_waiting_in_vain_says_what_was_missing() -> None:
    def check() -> None:
        raise NotYet("the node is not ready")

    with pytest.raises(UserError, match="still the node is not ready: the logs are in /"):
        wait_until(check, 0, pause=0)


def test_the_control_groups_are_taken_away_from_the_innermost_outwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path)
    for controller in ("memory", "pids"):
        (tmp_path / controller).mkdir()
    cgroups.create()
    (tmp_path / "pids" / NAME / "kubepods" / "burstable").mkdir(parents=True)
    (tmp_path / "pids" / "somebody-else").mkdir()
    cgroups.delete()
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "memory",
        "pids",
        "pids/somebody-else",
    ]


def test_a_single_hierarchy_hands_the_controllers_down_to_the_pods(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cgroups, "MOUNT", tmp_path)
    (tmp_path / "cgroup.controllers").write_text("cpuset cpu io memory pids rdma\n")
    cgroups.create()
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +cpuset +memory +pids"
    assert (tmp_path / NAME).is_dir()


def test_the_process_id_inside_is_the_last_one_of_the_line() -> None:
    assert status._innermost_pid("Name:\tetcd\nNSpid:\t21561\t5\nThreads:\t9\n") == 5


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for folder in ("analyzer", "certs", "detour", "webhook"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "code.py").write_text(folder)
    for file in ("Dockerfile", ".dockerignore", "requirements.lock"):
        (tmp_path / file).write_text(file)
    return tmp_path


@pytest.mark.parametrize("name", ["Dockerfile", "requirements.lock", "webhook/code.py", "analyzer/new.py"])
def test_a_changed_file_asks_for_a_new_image(checkout: Path, name: str) -> None:
    before = detour_image.inputs(checkout)
    (checkout / name).write_text("changed")
    assert detour_image.inputs(checkout) != before


@pytest.mark.parametrize("name", ["webhook/__pycache__/code.pyc", "tests.py", "manifests.yaml"])
def test_what_does_not_ship_asks_for_no_new_image(checkout: Path, name: str) -> None:
    before = detour_image.inputs(checkout)
    (checkout / name).parent.mkdir(exist_ok=True)
    (checkout / name).write_text("changed")
    assert detour_image.inputs(checkout) == before

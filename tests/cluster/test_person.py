"""The commands of a person, as programs run them: what they print, and how they exit."""

import json
from itertools import pairwise
from pathlib import Path

from tests.cluster.kubectl import eventually
from tests.cluster.person import BAD, GOOD, QUICK, SLOW, Person, Process, analysing, hire, judge_by, judged
from tests.cluster.shop import IMAGE, OpenShop
from webhook import stash


def test_a_viewer_sees_all_there_is_to_see(open_shop: OpenShop, tmp_path: Path) -> None:
    shop = analysing(open_shop)
    viewer = hire(shop, tmp_path, "viewer", "view")
    tree = viewer("status", "deploy/podinfo")
    assert tree.code == 0, tree.err
    for image in (f"primary   {IMAGE}:6.0.0  2/2", f"canary    {IMAGE}:6.0.1  1/1"):
        assert image in tree.out
    assert "Ingress podinfo-canary  25 %" in tree.out
    assert "weight 25 %, step 1 of 2, next 50 %" in tree.out
    table = viewer("status").out.splitlines()
    assert table[0].split()[:3] == ["NAME", "PHASE", "WEIGHT"]
    assert table[1].split()[:4] == ["podinfo", "Progressing", "25", "%"]
    told = json.loads(viewer("status", "podinfo", "-o", "json").out)
    waiting = stash.diverted(shop.primary)
    assert waiting is not None
    assert (told["phase"], told["weight"], told["diverted"]["revision"]) == ("Progressing", 25, waiting.digest)
    assert told["routes"] == [{"kind": "Ingress", "name": "podinfo-canary", "weight": 25}]


def test_a_watch_tells_each_change(open_shop: OpenShop) -> None:
    shop = judged(open_shop, GOOD, SLOW)
    watching = Person(shop).begins("status", "podinfo", "--watch", "-o", "json")
    try:
        assert watching.stdout
        told = [json.loads(watching.stdout.readline())]
        shop.set_image("6.0.1")
        while told[-1]["weight"] < 25:
            told.append(json.loads(watching.stdout.readline()))
    finally:
        watching.terminate()
        watching.communicate()
    assert told[0]["phase"] == "Initialized"
    assert told[-1]["canary"]["images"] == [f"{IMAGE}:6.0.1"]
    assert all(before != after for before, after in pairwise(told))


def test_diff_shows_what_would_change_and_says_by_its_exit_status_whether_anything_would(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    shop = open_shop()
    viewer = hire(shop, tmp_path, "viewer", "view")
    assert (viewer("diff", "podinfo").code, viewer("diff", "podinfo").out) == (0, "")
    shop.set_image("6.0.1")
    found = viewer("diff", "podinfo")
    assert found.code == 1
    changed = [line for line in found.out.splitlines() if line[0] in "+-" and line[1] not in "+-"]
    assert [line.split()[-1] for line in changed] == [f"{IMAGE}:6.0.0", f"{IMAGE}:6.0.1"]


def test_wait_right_after_an_update_tells_what_became_of_that_one(open_shop: OpenShop) -> None:
    shop = judged(open_shop, BAD, QUICK)
    ci = Person(shop)
    assert ci("wait", "podinfo", "--timeout", "30s").code == 0
    shop.set_image("6.0.1")
    failed = ci("wait", "podinfo", "--timeout", "90s")
    assert failed.code == 1
    assert "failed: failed checks threshold reached 2: success-rate 98.00 < 99" in failed.err

    again = ci("wait", "podinfo", "--timeout", "30s")
    assert (again.code, again.err) == (1, failed.err)

    judge_by(shop, GOOD)
    shop.set_image("6.0.2")
    promoted = ci("wait", "deployment/podinfo", "--timeout", "90s")
    assert promoted.code == 0, promoted.err
    assert "promoted: every check passed" in promoted.out
    assert "Progressing at weight 25 %" in promoted.out
    assert shop.live_image == "6.0.2"
    assert shop.primary["status"]["updatedReplicas"] == shop.primary["status"]["availableReplicas"] == 2

    outcomes = [entry["outcome"] for entry in json.loads(ci("history", "podinfo", "-o", "json").out)]
    assert outcomes == ["Failed", "Succeeded"]
    lines = ci("history", "podinfo").out.splitlines()
    assert len(lines) == 3
    assert f"{IMAGE}:6.0.1" in lines[1]
    assert "kubectl-set" in lines[1]


def test_wait_runs_out_of_time_is_superseded_and_is_cancelled(open_shop: OpenShop) -> None:
    shop = analysing(open_shop)
    ci = Person(shop)
    assert ci("wait", "podinfo", "--timeout", "1s").code == 2
    superseded = begun(ci)
    shop.set_image("6.0.2")
    assert "superseded: " in said(superseded)
    cancelled = begun(ci)
    shop("replace", "-f", "-", stdin=json.dumps(shop.deployment("6.0.0")))
    assert "cancelled: " in said(cancelled)


def begun(ci: Person) -> Process:
    """It waits in the background, once it knows what for."""
    process = ci.begins("wait", "podinfo")
    assert process.stdout
    assert "waiting for revision" in process.stdout.readline()
    return process


def said(process: Process) -> str:
    """Its last word, once it has ended with 1."""
    _, last = process.communicate(timeout=90)
    assert process.returncode == 1
    return last


def test_wait_follows_an_update_whose_canary_appears_with_it(open_shop: OpenShop) -> None:
    shop = open_shop()
    shop("delete", "canary", "podinfo")
    eventually(lambda: stash.POLICY not in shop.primary["metadata"]["labels"], "the Deployment is let go", 20)
    shop("label", "deployment", "podinfo", f"{stash.POLICY}=default")
    person = Person(shop)
    assert "under policy default: a Canary comes with the first update" in person("status", "podinfo").out
    shop.set_image("6.0.1")
    waiting = begun(person)
    shop.until("Progressing", 20)
    assert person("abort", "podinfo").code == 0
    assert "aborted by kubernetes-admin" in said(waiting)
    assert shop.live_image == "6.0.0"


def test_errors_say_what_there_is_not(open_shop: OpenShop) -> None:
    shop = open_shop()
    person = Person(shop)
    shop("create", "deployment", "other", f"--image={IMAGE}:6.0.0")
    for command in ("status", "diff", "promote", "abort", "retry", "history", "wait"):
        missing = person(command, "nobody")
        assert (missing.code, "no Deployment nobody in namespace" in missing.err) == (3, True)
    for command in ("promote", "abort", "retry", "history"):
        unmanaged = person(command, "other")
        assert (unmanaged.code, "Deployment other is not managed" in unmanaged.err) == (3, True)
    for command in ("promote", "abort", "retry"):
        resting = person(command, "podinfo")
        assert (resting.code, f"nothing to {command}" in resting.err) == (3, True)
    eventually(lambda: "not managed" in person("status", "other").out, "status says so, too", 5)
    assert person("wait", "other", "--timeout", "60s").code == 0

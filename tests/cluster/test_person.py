"""The commands of a person, as programs run them: what they print, how they exit, and what they are not allowed."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from analyzer.wishes import ASK, ASKED_BY, REASON
from tests.cluster.kubectl import KUBECONFIG, ROOT, Object, Said, eventually
from tests.cluster.shop import IMAGE, OpenShop, Shop
from webhook import stash

GOOD, BAD = "vector(100)", "vector(98)"
QUICK = {"interval": "1s"}
SLOW = {"interval": "30s"}


class Person:
    """Somebody with a kubeconfig, who types `detour` in the namespace of a shop."""

    def __init__(self, shop: Shop, kubeconfig: Path, user: str) -> None:
        self.user = user
        self._shop, self._kubeconfig = shop, kubeconfig

    def __call__(self, *arguments: str) -> Said:
        command = [sys.executable, "-m", "detour", *arguments, "-n", self._shop.namespace]
        command += ["--kubeconfig", str(self._kubeconfig)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
        return Said(done.stdout, done.stderr, done.returncode)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> Said:
        return self._shop(f"--kubeconfig={self._kubeconfig}", *arguments, stdin=stdin, check=False)


Hire = Callable[..., Person]


@pytest.fixture
def hire(tmp_path: Path) -> Hire:
    """A ServiceAccount with these ClusterRoles in the shop's namespace, and its kubeconfig."""

    def hired(shop: Shop, name: str, *roles: str) -> Person:
        shop("create", "serviceaccount", name)
        account = f"{shop.namespace}:{name}"
        for role in roles:
            shop("create", "rolebinding", f"{name}-{role}", f"--clusterrole={role}", f"--serviceaccount={account}")
        config = json.loads(KUBECONFIG.read_text())
        config["users"][0]["user"] = {"token": shop("create", "token", name).out.strip()}
        path = tmp_path / name
        path.write_text(json.dumps(config))
        return Person(shop, path, f"system:serviceaccount:{account}")

    return hired


@pytest.fixture
def admin() -> Callable[[Shop], Person]:
    """Who set up the cluster."""
    return lambda shop: Person(shop, KUBECONFIG, "kubernetes-admin")


Admin = Callable[[Shop], Person]


def judged(open_shop: OpenShop, query: str, analysis: Object) -> Shop:
    """A shop whose only check always says the same."""
    shop = open_shop(analysis=analysis)
    shop.apply(shop.template() | {"spec": {**shop.template()["spec"], "query": query}})
    return shop


def analysing(open_shop: OpenShop) -> Shop:
    """A shop that will have a canary of 25 % for the next half minute."""
    shop = judged(open_shop, GOOD, SLOW)
    shop.set_image("6.0.1")
    shop.until_weight(25)
    return shop


def test_a_viewer_sees_all_there_is_to_see(open_shop: OpenShop, hire: Hire) -> None:
    shop = analysing(open_shop)
    viewer = hire(shop, "viewer", "view")
    tree = viewer("status", "deploy/podinfo")
    assert tree.code == 0, tree.err
    for image in (f"{IMAGE}:6.0.0  2/2", f"{IMAGE}:6.0.1  1/1"):
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


def test_diff_shows_what_would_change_and_says_by_its_exit_status_whether_anything_would(
    open_shop: OpenShop, hire: Hire
) -> None:
    shop = open_shop()
    viewer = hire(shop, "viewer", "view")
    assert (viewer("diff", "podinfo").code, viewer("diff", "podinfo").out) == (0, "")
    shop.set_image("6.0.1")
    found = viewer("diff", "podinfo")
    assert found.code == 1
    changed = [line for line in found.out.splitlines() if line[0] in "+-" and line[1] not in "+-"]
    assert [line.split()[-1] for line in changed] == [f"{IMAGE}:6.0.0", f"{IMAGE}:6.0.1"]


def test_wait_right_after_an_update_tells_what_became_of_that_one(open_shop: OpenShop, admin: Admin) -> None:
    shop = judged(open_shop, BAD, QUICK)
    ci = admin(shop)
    assert ci("wait", "podinfo", "--timeout", "30s").code == 0
    shop.set_image("6.0.1")
    failed = ci("wait", "podinfo", "--timeout", "90s")
    assert failed.code == 1
    assert "failed: failed checks threshold reached 2: success-rate 98.00 < 99" in failed.err

    again = ci("wait", "podinfo", "--timeout", "30s")
    assert (again.code, again.err) == (1, failed.err)

    shop.apply(shop.template() | {"spec": {**shop.template()["spec"], "query": GOOD}})
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


def test_wait_runs_out_of_time_is_superseded_and_is_cancelled(open_shop: OpenShop, admin: Admin) -> None:
    shop = analysing(open_shop)
    ci = admin(shop)
    assert ci("wait", "podinfo", "--timeout", "1s").code == 2
    superseded = start(shop, "wait", "podinfo")
    shop.set_image("6.0.2")
    assert "superseded: " in said(superseded)
    cancelled = start(shop, "wait", "podinfo")
    shop("replace", "-f", "-", stdin=json.dumps(shop.deployment("6.0.0")))
    assert "cancelled: " in said(cancelled)


def said(process: "subprocess.Popen[str]") -> str:
    """Its last word, once it has ended with 1."""
    _, last = process.communicate(timeout=90)
    assert process.returncode == 1
    return last


def start(shop: Shop, *arguments: str) -> "subprocess.Popen[str]":
    """A command in the background, once it knows what it waits for."""
    command = [sys.executable, "-u", "-m", "detour", *arguments, "-n", shop.namespace, "--kubeconfig", str(KUBECONFIG)]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert "waiting for revision" in process.stdout.readline()
    return process


def test_who_may_edit_gives_up_and_retries_and_is_named_in_the_history(open_shop: OpenShop, hire: Hire) -> None:
    shop = analysing(open_shop)
    editor = hire(shop, "editor", "edit")
    assert "was not rejected" in editor("retry", "podinfo").err
    aborted = editor("abort", "podinfo", "--reason", "wrong branch")
    assert aborted.code == 0, aborted.err
    assert "is given up" in aborted.out
    assert editor("wait", "podinfo", "--timeout", "60s").code == 1
    entry = shop.status["history"][-1]
    assert (entry["outcome"], entry["message"]) == ("Aborted", f"aborted by {editor.user}: wrong branch")
    assert "was rejected already" in editor("abort", "podinfo").err

    assert editor("retry", "canary/podinfo").code == 0
    shop.until("Progressing", 10)
    annotations = shop.get("canary", "podinfo")["metadata"].get("annotations") or {}
    assert not {ASK, ASKED_BY, REASON} & annotations.keys(), "what was heard is gone from the Canary"


def test_promoting_at_once_needs_the_verb_promote(open_shop: OpenShop, hire: Hire) -> None:
    shop = analysing(open_shop)
    editor, owner = hire(shop, "editor", "edit"), hire(shop, "owner", "admin")
    trusted = hire(shop, "trusted", "edit", "detour-promote")
    refused = editor("promote", "podinfo")
    assert refused.code == 3
    assert "metadata.annotations[detour.dev/ask]" in refused.err
    assert "ClusterRole detour-promote" in refused.err
    assert [may_promote(person, shop) for person in (editor, owner, trusted)] == [False, True, True]
    promoted = trusted("promote", "podinfo", "--reason", "the outage")
    assert promoted.code == 0, promoted.err
    assert "is promoted without the rest of its analysis" in promoted.out
    assert trusted("wait", "podinfo", "--timeout", "60s").code == 0
    assert shop.live_image == "6.0.1"
    shop.until("Succeeded", 30)
    assert shop.status["history"][-1]["message"] == f"promoted by {trusted.user}: the outage"


def may_promote(person: Person, shop: Shop) -> bool:
    """By the API server's own answer: `kubectl auth can-i` does not know groups without resources in them."""
    attributes = {"namespace": shop.namespace, "verb": "promote", "group": "detour.dev", "resource": "canaries"}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = person.kubectl("create", "--validate=false", "-o", "json", "-f", "-", stdin=json.dumps(review))
    return bool(json.loads(answer.out)["status"]["allowed"])


def test_who_may_only_view_is_told_what_is_missing(open_shop: OpenShop, hire: Hire) -> None:
    shop = analysing(open_shop)
    refused = hire(shop, "viewer", "view")("abort", "podinfo")
    assert refused.code == 3
    assert 'cannot patch resource "canaries"' in refused.err
    assert "ask for the ClusterRole edit" in refused.err


def test_nobody_wishes_in_anothers_name_and_annotations_that_stay_or_go_are_no_wish(
    open_shop: OpenShop, hire: Hire
) -> None:
    shop = judged(open_shop, GOOD, SLOW)
    editor = hire(shop, "editor", "edit")
    promote, retry = (f"{ASK}={verb} {'0' * 64} token" for verb in ("promote", "retry"))
    own = f"{ASKED_BY}={editor.user}"
    forged = editor.kubectl("annotate", "canary/podinfo", retry, f"{ASKED_BY}=kubernetes-admin")
    assert f"set it to '{editor.user}'" in forged.err
    assert editor.kubectl("annotate", "canary/podinfo", retry).code != 0
    assert "may not promote" in editor.kubectl("annotate", "canary/podinfo", promote, own).err
    assert editor.kubectl("annotate", "canary/podinfo", retry, own).code == 0

    gitops = hire(shop, "gitops", "edit")
    put_words = gitops.kubectl("annotate", "canary/podinfo", f"{REASON}=mine")
    assert "is not your user name" in put_words.err
    manifest = json.dumps({**shop.canary(), "metadata": {"name": "podinfo", "labels": {"team": "a"}}})
    for arguments in ((), ("--server-side", "--force-conflicts")):
        applied = gitops.kubectl("apply", *arguments, "-f", "-", stdin=manifest)
        assert applied.code == 0, applied.err
    assert ASK in shop.get("canary", "podinfo")["metadata"]["annotations"]

    copied = shop.get("canary", "podinfo")
    copy = {**copied, "metadata": {"name": "copy", "annotations": copied["metadata"]["annotations"]}}
    created = editor.kubectl("create", "-f", "-", stdin=json.dumps(copy))
    assert "a new Canary cannot bring a wish with it; take detour.dev/ask" in created.err
    assert gitops.kubectl("replace", "-f", "-", stdin=manifest).code == 0
    assert ASK not in (shop.get("canary", "podinfo")["metadata"].get("annotations") or {})


def test_errors_say_what_there_is_not(open_shop: OpenShop, admin: Admin) -> None:
    shop = open_shop()
    person = admin(shop)
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

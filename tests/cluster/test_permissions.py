"""Who may ask for what: the API server checks it, and that nobody signs with another's name."""

import json
from pathlib import Path

from analyzer.wishes import ASK, ASKED_BY, REASON
from tests.cluster.audit import noted
from tests.cluster.kubectl import eventually
from tests.cluster.person import GOOD, SLOW, Person, analysing, hire, judged
from tests.cluster.shop import QUICK, OpenShop, Shop


def test_who_may_edit_gives_up_and_retries_and_is_named_in_the_history(open_shop: OpenShop, tmp_path: Path) -> None:
    shop = analysing(open_shop)
    editor = hire(shop, tmp_path, "editor", "edit")
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


def test_promoting_at_once_needs_the_verb_promote(open_shop: OpenShop, tmp_path: Path) -> None:
    shop = analysing(open_shop)
    editor, owner = hire(shop, tmp_path, "editor", "edit"), hire(shop, tmp_path, "owner", "admin")
    trusted = hire(shop, tmp_path, "trusted", "edit", "detour-promote")
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
    assert f"by {trusted.user}: the outage" in noted(shop.namespace, "detour-wishes/wish")[-1]


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


def test_who_may_only_view_is_told_what_is_missing(open_shop: OpenShop, tmp_path: Path) -> None:
    shop = analysing(open_shop)
    refused = hire(shop, tmp_path, "viewer", "view")("abort", "podinfo")
    assert refused.code == 3
    assert 'cannot patch resource "canaries"' in refused.err
    assert "ask for the ClusterRole edit" in refused.err


def test_nobody_wishes_in_anothers_name_and_annotations_that_stay_or_go_are_no_wish(
    open_shop: OpenShop, tmp_path: Path
) -> None:
    shop = judged(open_shop, GOOD, SLOW)
    editor = hire(shop, tmp_path, "editor", "edit")
    promote, retry = (f"{ASK}={verb} {'0' * 64} token" for verb in ("promote", "retry"))
    own = f"{ASKED_BY}={editor.user}"
    forged = editor.kubectl("annotate", "canary/podinfo", retry, f"{ASKED_BY}=kubernetes-admin")
    assert f"set it to '{editor.user}'" in forged.err
    assert editor.kubectl("annotate", "canary/podinfo", retry).code != 0
    assert "may not promote" in editor.kubectl("annotate", "canary/podinfo", promote, own).err
    assert editor.kubectl("annotate", "canary/podinfo", retry, own).code == 0

    gitops = hire(shop, tmp_path, "gitops", "edit")
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


def test_a_paused_namespace_lets_new_revisions_wait(open_shop: OpenShop) -> None:
    shop = open_shop(analysis=QUICK)
    owner = Person(shop)
    assert "wait from now on" in owner("pause", "--reason", "release freeze").out
    shop.set_image("6.0.1")
    paused = f"the namespace is paused by {owner.user} (release freeze)"
    eventually(lambda: paused in shop.status.get("message", ""), "it waits, and says why", 10, lambda: shop.status)
    assert shop.phase == "Waiting"
    assert "begin again" in owner("resume").out
    shop.until("Succeeded", 60)
    assert shop.live_image == "6.0.1"

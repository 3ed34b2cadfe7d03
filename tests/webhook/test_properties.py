"""What holds for every Deployment and every sequence of updates, whoever sends them and whatever they contain."""

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhook.deployments import SETTINGS, after, changed, deployment, request, stored
from tests.webhook.examples import examples
from tests.webhook.model import ANALYZER, NOW, review
from tests.webhook.test_twin import manifests
from webhook import stash
from webhook.decision import Decision
from webhook.divert import divert
from webhook.review import parse, patch, respond
from webhook.revision import RESTARTED_AT, digest, short
from webhook.wording import LONGEST

MANAGERS = st.sampled_from(["", "kubectl-set", "kubectl-edit", "kubectl-replace", "kubectl-client-side-apply", "flux"])
DIGEST = st.sampled_from([digest({}), "0" * 64])
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FORGERIES = st.fixed_dictionaries(
    {},
    optional={
        stash.TEMPLATE: manifests().map(lambda m: stash.encode(stash.Stash(m))) | st.text(max_size=5),
        stash.PREVIOUS: manifests().map(lambda m: stash.encode(stash.Stash(m))) | st.none(),
        stash.HISTORY: DIGEST,
        stash.DIVERTED_BY: st.text(max_size=5),
        stash.CHANGE_CAUSE: st.text(max_size=5),
        RESTARTED_AT: st.just("now"),
    },
)
LABELS = st.fixed_dictionaries(
    {},
    optional={
        stash.REVISION: DIGEST.map(short),
        stash.STATE: st.sampled_from(["rejected", "promoting"]),
        stash.POLICY: st.sampled_from(["default", "canary"]),
    },
)


@st.composite
def updates(draw: st.DrawFn, old: dict[str, Any]) -> dict[str, Any]:
    """What some user makes of a stored Deployment: another template, forged keys of ours, or none."""
    pods = draw(st.none() | st.just(old["spec"]["template"]) | manifests())
    new = changed(old, copy.deepcopy(pods), **draw(FORGERIES))
    new["metadata"]["labels"] = draw(st.sampled_from([old["metadata"]["labels"], {}])) | draw(LABELS)
    if draw(st.booleans()):
        new["metadata"]["annotations"] = {}
    return new


@given(manifests(), manifests())
@settings(max_examples=examples(100), deadline=None)
def test_the_patch_gives_back_exactly_the_old_template_and_the_stash_proves_itself(one: Any, other: Any) -> None:
    old = deployment(one)
    new = changed(old, other)
    found = stored(new, divert(request(new, old), SETTINGS, NOW))
    assert found["spec"]["template"] == one
    waiting = stash.diverted(found)
    if one == other:
        assert waiting is None
    else:
        assert waiting == stash.Stash(other)
        assert found["metadata"]["labels"][stash.REVISION] == short(waiting.digest)


@given(st.data())
@settings(max_examples=examples(150), deadline=None)
def test_whatever_is_sent_the_primary_runs_only_what_was_promoted(data: st.DataObject) -> None:
    """Nobody opts out here, nothing is broken, and the analyzer never promotes: so the primary may only restart."""
    first = data.draw(manifests())
    here = deployment(first)
    for _ in range(data.draw(st.integers(1, 6))):
        new, manager = data.draw(updates(here)), data.draw(MANAGERS)
        decision = divert(request(new, here, manager), SETTINGS, NOW)
        if decision.denial is not None:
            continue
        assert len(decision.warning) <= LONGEST
        here = stored(new, decision)
        assert digest(here["spec"]["template"]) == digest(first)
        assert stash.history(here) == ()
        waiting = stash.diverted(here)
        assert (waiting is None) == (stash.REVISION not in here["metadata"]["labels"])
        assert waiting is None or short(waiting.digest) == here["metadata"]["labels"][stash.REVISION]


@given(st.data(), st.sampled_from([None, *stash.VERBS]))
@settings(max_examples=examples(150), deadline=None)
def test_twice_is_once(data: st.DataObject, verb: str | None) -> None:
    """A second call that sees the answer of the first changes nothing of it."""
    here = deployment(data.draw(manifests()))
    for _ in range(data.draw(st.integers(0, 2))):
        new = data.draw(updates(here))
        decision = divert(request(new, here), SETTINGS, NOW)
        here = here if decision.denial else stored(new, decision)
    if verb and (waiting := stash.diverted(here)):
        here = after(here, "go", waiting.digest)
        new = changed(here, **{stash.PROMOTE: f"{verb}:{waiting.digest}"})
        manager, user = "detour", ANALYZER
    else:
        new, manager, user = data.draw(updates(here)), data.draw(MANAGERS), "ann"
    decision = divert(request(new, here, manager, user), SETTINGS, NOW)
    if decision.denial is not None:
        return
    once = stored(new, decision)
    assert stored(once, divert(request(once, here, manager, user), SETTINGS, NOW)) == once


@given(st.data(), JSON, st.sampled_from(["template", "status", "metadata", "annotation"]))
@settings(max_examples=examples(150), deadline=None)
def test_no_input_raises(data: st.DataObject, junk: Any, where: str) -> None:
    old, new = deployment(data.draw(manifests())), deployment(data.draw(manifests()))
    for side in data.draw(st.sampled_from([[old], [new], [old, new]])):
        if where == "template":
            side["spec"]["template"] = {"metadata": junk, "spec": {"containers": junk, "volumes": junk}}
        elif where == "status":
            side["status"] = {"conditions": junk}
        elif where == "metadata":
            side["metadata"] |= {"ownerReferences": junk, "managedFields": junk}
        else:
            side["metadata"]["annotations"] = {stash.TEMPLATE: json.dumps(junk), stash.HISTORY: json.dumps(junk)}
    manager = data.draw(MANAGERS)
    if where == "metadata":
        for side in (old, new):
            side["metadata"]["managedFields"] = [{"manager": manager, "operation": "Apply", "fieldsV1": junk}]
    asked = parse(json.dumps(review(new, old, manager)).encode())
    decision: Decision = divert(asked, SETTINGS, NOW)
    json.dumps(respond(asked, decision))
    if decision.denial is None:
        patch(asked, decision).apply(new)


@given(manifests())
@settings(max_examples=examples(100), deadline=None)
def test_a_stash_reads_as_it_was_written(pods: Any) -> None:
    for waiting in (stash.Stash(pods), stash.Stash(pods, "because ☃")):
        assert stash.decode(stash.encode(waiting)) == waiting
    large = stash.Stash({**pods, "padding": "☃" * stash.COMPRESS_ABOVE})
    assert len(stash.encode(large)) < stash.COMPRESS_ABOVE
    assert stash.decode(stash.encode(large)) == large


@given(manifests())
@settings(max_examples=examples(100), deadline=None)
def test_a_digest_knows_no_restart_and_no_order(pods: Any) -> None:
    stamped = copy.deepcopy(pods)
    stamped["metadata"].setdefault("annotations", {})[RESTARTED_AT] = "now"
    reordered = dict(reversed(list(pods.items())))
    older = pods | {"metadata": pods["metadata"] | {"creationTimestamp": None}}
    assert {digest(found) for found in (stamped, reordered, older)} == {digest(pods)}
    assert digest(pods | {"other": 1}) != digest(pods)

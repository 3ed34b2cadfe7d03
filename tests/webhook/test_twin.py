"""The twin law: what is desired of a managed Deployment is what a twin without Detour runs, whatever is typed.

Out of reach, and skipped: a command for which kubectl sends nothing, since it compares with the live primary; and one
by which two managers come to share a field that waits.
"""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.webhook.clients import (
    Client,
    Promotion,
    apply,
    last_applied,
    replace,
    restart,
    server_side,
    set_env,
    set_image,
    set_resources,
)
from tests.webhook.examples import examples
from tests.webhook.model import ApiServer, Sent
from tests.webhook.trees import Path, ordered
from webhook import stash
from webhook.claims import CLIENT_SIDE_APPLY, LAST_APPLIED
from webhook.revision import digest, without_restart

IMAGES = st.sampled_from(["podinfo:1", "podinfo:2", "podinfo:3"])
NAMES = st.sampled_from(["app", "sidecar"])
VARIABLES = st.sampled_from(["A", "B", "C"])
VALUES = st.sampled_from(["1", "2"])


@st.composite
def containers(draw: st.DrawFn, name: str) -> dict[str, Any]:
    container: dict[str, Any] = {"name": name, "image": draw(IMAGES)}
    options: dict[str, st.SearchStrategy[Any]] = {
        "imagePullPolicy": st.sampled_from(["Always", "IfNotPresent"]),
        "command": st.sampled_from([["./podinfo"], ["./podinfo", "--level=debug"]]),
        "resources": st.sampled_from([{}, {"limits": {"cpu": "1"}}, {"limits": {"memory": "1Gi"}}]),
        "readinessProbe": st.sampled_from(
            [{"httpGet": {"path": "/a", "port": 9898}}, {"httpGet": {"path": "/b", "port": 9898}, "periodSeconds": 3}]
        ),
        "securityContext": st.sampled_from([{}, {"runAsUser": 1}, {"runAsUser": 2, "runAsGroup": 3}]),
        "ports": st.sampled_from([[{"containerPort": 9898}], [{"containerPort": 9898, "name": "http"}]]),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(options)), unique=True))
    container |= {field: copy.deepcopy(draw(options[field])) for field in chosen}
    names = draw(st.lists(VARIABLES, unique=True))
    if names:
        container["env"] = [{"name": name, "value": draw(VALUES)} for name in names]
    return container


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """A pod template as a user writes it."""
    names = draw(st.sampled_from([["app"], ["app", "sidecar"], ["sidecar", "app"]]))
    pod: dict[str, Any] = {"containers": [draw(containers(name)) for name in names]}
    if draw(st.booleans()):
        pod["volumes"] = [{"name": "data", "emptyDir": draw(st.sampled_from([{}, {"medium": "Memory"}]))}]
        pod["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    if draw(st.booleans()):
        pod["nodeSelector"] = draw(st.sampled_from([{"disk": "ssd"}, {"disk": "ssd", "zone": "a"}]))
    labels = {"app": "podinfo"} | draw(st.sampled_from([{}, {"tier": "web"}, {"tier": "api", "team": "x"}]))
    metadata: dict[str, Any] = {"labels": labels}
    if draw(st.booleans()):
        metadata["annotations"] = {"scrape": draw(VALUES)}
    return {"metadata": metadata, "spec": pod}


TUNING = st.sampled_from(["1", "2"]).map(
    lambda cpu: {"spec": {"containers": [{"name": "app", "resources": {"limits": {"cpu": cpu}}}]}}
)

COMMANDS: st.SearchStrategy[Client] = st.one_of(
    st.builds(set_image, NAMES, IMAGES),
    st.builds(set_env, NAMES, VARIABLES, st.one_of(st.none(), VALUES)),
    st.builds(set_resources, NAMES, VALUES),
    st.builds(restart, VALUES),
    st.builds(Promotion, st.sampled_from(stash.VERBS)),
)
CLIENT_SIDE = st.one_of(COMMANDS, st.builds(apply, manifests()), st.builds(replace, manifests()))
# An emptied map that is stated as `{}` needs two server-side applies to come back: left out.
STEADY = manifests().filter(lambda manifest: "'securityContext': {}" not in repr(manifest))
SERVER_SIDE = st.one_of(
    COMMANDS, st.builds(server_side, STEADY, st.just("flux")), st.builds(server_side, TUNING, st.just("tuner"))
)


def twins(
    first: dict[str, Any], manager: str, operation: str, notes: dict[str, str], calls: int = 1
) -> tuple[ApiServer, ApiServer]:
    pair = ApiServer(managed=True, calls=calls), ApiServer(managed=False)
    for server in pair:
        server.create(copy.deepcopy(first), manager, operation, notes)
    return pair


def obey(managed: ApiServer, twin: ApiServer, command: Client) -> Sent | None:
    """Give both the command; neither, where it is out of reach."""
    if isinstance(command, Promotion):
        return command(managed)
    rehearsed = copy.deepcopy(managed), copy.deepcopy(twin)
    sent = [command(server) for server in rehearsed]
    if (sent[0] is None) != (sent[1] is None) or shared(rehearsed[0]) != shared(rehearsed[1]):
        return None
    command(twin)
    return command(managed)


def shared(server: ApiServer) -> set[Path]:
    """Leaves with more than one owner.

    A forced apply that states what somebody else has waiting takes it from him, since it is not live; in the twin the
    two would share it, and either could give it up without taking it away.
    """
    counted = Counter(path for paths in server.owners.values() for path in paths)
    return {path for path, owners in counted.items() if owners > 1}


def left_over(twin: ApiServer) -> bool:
    """Whether an applier gave up a variable that `set env` had stated, too: its bare name stays, and means nothing."""
    containers = twin.template["spec"]["containers"].values()
    return any("value" not in variable for container in containers for variable in container.get("env", {}).values())


def check(pair: tuple[ApiServer, ApiServer], commands: list[Client], form: Callable[[Any], Any]) -> None:
    managed, twin = pair
    proven = {digest(managed.live["spec"]["template"])}
    for command in commands:
        waited = managed.desired
        sent = obey(managed, twin, command)
        assert sent is None or not sent.denial, sent
        if left_over(twin):
            return
        assert form(without_restart(managed.desired)) == form(without_restart(twin.desired))
        if isinstance(command, Promotion) and command.verb == stash.GO and sent:
            proven.add(digest(waited))
        assert digest(managed.live["spec"]["template"]) in proven


CALLS = st.sampled_from([1, 2])
"""How often the webhook is asked about one request: a second time by the second entry, or after another webhook."""


@given(manifests(), st.lists(CLIENT_SIDE, max_size=14), CALLS)
@settings(max_examples=examples(150), deadline=None)
def test_client_side_commands_mean_what_they_mean_without_detour(
    first: Any, commands: list[Client], calls: int
) -> None:
    notes = {LAST_APPLIED: last_applied(first)}
    check(twins(first, CLIENT_SIDE_APPLY, "Update", notes, calls), commands, lambda x: x)


@given(STEADY, st.lists(SERVER_SIDE, max_size=14))
@settings(max_examples=examples(150), deadline=None)
def test_server_side_commands_mean_what_they_mean_without_detour(first: Any, commands: list[Client]) -> None:
    """Asked once: a second call about the same apply looks as the first one about going back does (`claims`)."""
    check(twins(first, "flux", "Apply", {}), commands, ordered)


@given(manifests(), st.lists(CLIENT_SIDE, max_size=4), manifests())
@settings(max_examples=examples(60), deadline=None)
def test_the_same_manifest_applied_again_writes_nothing(first: Any, before: list[Client], manifest: Any) -> None:
    managed, twin = twins(first, CLIENT_SIDE_APPLY, "Update", {LAST_APPLIED: last_applied(first)})
    for command in before:
        obey(managed, twin, command)
    apply(manifest)(managed)
    for _ in range(3):
        sent = apply(manifest)(managed)
        assert sent is None or not sent.wrote


@given(STEADY, st.lists(SERVER_SIDE, max_size=4), STEADY)
@settings(max_examples=examples(60), deadline=None)
def test_the_same_server_side_apply_again_writes_nothing(first: Any, before: list[Client], manifest: Any) -> None:
    managed, twin = twins(first, "flux", "Apply", {})
    for command in before:
        obey(managed, twin, command)
    if server_side(manifest, "flux")(managed) is None:
        return
    for _ in range(3):
        sent = server_side(manifest, "flux")(managed)
        assert sent is not None
        assert not sent.wrote

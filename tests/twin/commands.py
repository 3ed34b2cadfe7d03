"""What a user may type at a Deployment, as values: the words of one kubectl command, and what it reads.

Every command changes one thing, since kubectl leaves out what the primary has already: of several changes a part would
be lost (`docs/changes.md`, "What kubectl does not send"). Each must also name the same thing in both Deployments; so
none goes by an index, and none restates a whole list.
"""

import copy
import json
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hypothesis import strategies as st

from tests.cluster.podless import always_available
from tests.webhook.test_twin import IMAGES, NAMES, STEADY, TUNING, VALUES, VARIABLES, manifests

NAME = "podinfo"
DEPLOYMENT = f"deployment/{NAME}"

Object = dict[str, Any]


@dataclass(frozen=True)
class Command:
    """One command of a user's. `stdin` is its manifest; `script` what his editor does to the text (`man 1 sed`)."""

    words: tuple[str, ...]
    stdin: str = ""
    script: str = ""

    @property
    def kind(self) -> str:
        """What it is called in a count: the words before what they are done to."""
        kind = self.words[: 1 + (self.words[0] in ("set", "rollout"))]
        return " ".join(
            [*kind, *(word for word in self.words if word.startswith(("--type", "--server-side", "--force")))]
        )

    def __repr__(self) -> str:
        """As it is typed."""
        read = f" <<< '{self.stdin}'" if self.stdin else ""
        return f"{f'EDITOR=sed {self.script!r} ' if self.script else ''}kubectl {' '.join(self.words)}{read}"


@dataclass(frozen=True)
class Promotion:
    """What the analyzer asks for: no command of a user's, and nothing to a twin.

    What waits is promoted; a promotion that is under way is done, or is taken `back`.
    """

    back: bool


Step = Command | Promotion


def manifest(template: Object) -> str:
    """The file of a Deployment with this template, which runs nowhere (`tests.cluster.pair.sides`)."""
    selector = {"matchLabels": {"app": "podinfo"}}
    spec = {"replicas": 1, "selector": selector, "strategy": always_available(), "template": template}
    return _named({"spec": spec})


def _named(rest: Object) -> str:
    return json.dumps({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}, **rest})


def apply(template: Object) -> Command:
    """`kubectl apply -f`."""
    return Command(("apply", "-f", "-"), manifest(template))


def server_side(text: str, manager: str, *, force: bool) -> Command:
    """`kubectl apply --server-side -f`, by one of several managers."""
    forced = ("--force-conflicts",) if force else ()
    return Command(("apply", "--server-side", *forced, f"--field-manager={manager}", "-f", "-"), text)


def _set(what: str, container: str, *words: str) -> Command:
    return Command(("set", what, DEPLOYMENT, f"--containers={container}", *words))


def _patch(how: str, template: Any) -> Command:
    body = template if how == "json" else {"spec": {"template": template}}
    return Command(("patch", DEPLOYMENT, f"--type={how}", f"--patch={json.dumps(body)}"))


def _in_container(name: str, fields: Object) -> Object:
    return {"spec": {"containers": [{"name": name, **fields}]}}


def _pod_label(value: str | None) -> Object:
    return {"metadata": {"labels": {"tier": value}}}


def _added(field: str, value: Any) -> list[Object]:
    return [{"op": "add", "path": f"/spec/template/spec/{field}", "value": value}]


VARIABLE = st.builds(lambda name, value: {"env": [{"name": name, "value": value}]}, VARIABLES, VALUES)
NO_VARIABLE = VARIABLES.map(lambda name: {"env": [{"name": name, "$patch": "delete"}]})
NO_PROBE = st.just({"readinessProbe": None})
MAYBE = st.none() | VALUES
SECONDS = st.sampled_from([5, 10])

SETTING: st.SearchStrategy[Command] = st.one_of(
    st.builds(lambda name, image: Command(("set", "image", DEPLOYMENT, f"{name}={image}")), NAMES, IMAGES),
    st.builds(lambda name, key, value: _set("env", name, f"{key}={value}"), NAMES, VARIABLES, VALUES),
    st.builds(lambda name, key: _set("env", name, f"{key}-"), NAMES, VARIABLES),
    st.builds(lambda name, cpu: _set("resources", name, f"--limits=cpu={cpu}"), NAMES, VALUES),
    VALUES.map(lambda number: Command(("set", "serviceaccount", DEPLOYMENT, f"account-{number}"))),
)
PATCHING: st.SearchStrategy[Command] = st.one_of(
    st.builds(_in_container, NAMES, VARIABLE | NO_VARIABLE | NO_PROBE).map(lambda part: _patch("strategic", part)),
    st.builds(_pod_label, MAYBE).map(lambda part: _patch("strategic", part)),
    st.builds(_pod_label, MAYBE).map(lambda part: _patch("merge", part)),
    MAYBE.map(lambda disk: _patch("merge", {"spec": {"nodeSelector": {"disk": disk}}})),
    SECONDS.map(lambda seconds: _patch("merge", {"spec": {"terminationGracePeriodSeconds": seconds}})),
    SECONDS.map(lambda seconds: _patch("json", _added("terminationGracePeriodSeconds", seconds))),
    VALUES.map(lambda zone: _patch("json", _added("nodeSelector", {"zone": zone}))),
)
BESIDE: st.SearchStrategy[Command] = st.one_of(
    VALUES.map(lambda team: Command(("label", DEPLOYMENT, "--overwrite", f"team={team}"))),
    VALUES.map(lambda note: Command(("annotate", DEPLOYMENT, "--overwrite", f"note={note}"))),
    st.sampled_from([Command(("scale", DEPLOYMENT, f"--replicas={count}")) for count in (1, 2)]),
)
EDITING = SECONDS.map(
    lambda seconds: Command(("edit", DEPLOYMENT), script=f"s/(terminationGracePeriodSeconds:).*/\\1 {seconds}/")
)
RESTART, UNDO = (Command(("rollout", verb, DEPLOYMENT)) for verb in ("restart", "undo"))
ROLLING = st.sampled_from([RESTART, UNDO])
PROMOTING = st.sampled_from([False, False, True]).map(Promotion)
ANYBODY: list[st.SearchStrategy[Any]] = [SETTING, SETTING, PATCHING, BESIDE, EDITING, ROLLING, PROMOTING, PROMOTING]

APPLYING = manifests().map(apply)
REPLACING = manifests().map(lambda template: Command(("replace", "-f", "-"), manifest(template)))
# An emptied map that is stated as `{}` needs two server-side applies to come back, with Detour and without: STEADY.
FLUX = STEADY.map(lambda template: server_side(manifest(template), "flux", force=True))
MAYBE_FORCED = st.sampled_from([True, True, False])
TUNER = st.builds(
    lambda part, force: server_side(_named({"spec": {"template": copy.deepcopy(part)}}), "tuner", force=force),
    TUNING,
    MAYBE_FORCED,
)
CAREFUL = STEADY.map(lambda template: server_side(manifest(template), "flux", force=False))


@dataclass(frozen=True)
class Sequence:
    """A Deployment is created by the first command; the others follow."""

    first: Command
    steps: list[Step]


# One update after another, promoted or undone: an undo means the same in both where no two have waited.
RELEASES: st.SearchStrategy[list[Step]] = st.one_of(
    SETTING.map(lambda change: [change, Promotion(False), Promotion(False)]),
    SETTING.map(lambda change: [change, UNDO]),
    st.just([UNDO]),
)


def sequences(length: int) -> st.SearchStrategy[Sequence]:
    """A Deployment's life under client-side apply, under server-side apply by two managers, or by releases."""

    def lives(first: st.SearchStrategy[Command], *appliers: st.SearchStrategy[Command]) -> st.SearchStrategy[Sequence]:
        step = st.sampled_from([*ANYBODY, *appliers]).flatmap(lambda kind: kind)
        return st.builds(Sequence, first, st.lists(step, min_size=length, max_size=length))

    released = st.lists(RELEASES, min_size=length // 2, max_size=length // 2).map(
        lambda parts: list(chain.from_iterable(parts))
    )
    return st.one_of(
        lives(APPLYING, APPLYING, APPLYING, REPLACING),
        lives(FLUX, FLUX, CAREFUL, TUNER),
        st.builds(Sequence, APPLYING, released),
    )

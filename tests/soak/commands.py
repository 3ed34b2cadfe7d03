"""What people type, at random: each command with what it may be refused for."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.cluster.kubectl import Object, Said
from tests.cluster.person import Person
from tests.cluster.shop import Shop

TAGS = ("6.0.0", "6.0.1", "6.0.2")
LEVEL = "LEVEL"
SERVER_SIDE = ("--server-side", "--force-conflicts")

Typed = Callable[[Shop, Random], Said]


@dataclass(frozen=True, slots=True)
class Command:
    """`often` is relative to the others; `refusals` is what the program may answer instead of doing it."""

    name: str
    often: int
    typed: Typed
    refusals: str = r"(?!)"

    def excuses(self, said: Said) -> bool:
        """Whether it was done, or refused for a reason of its own."""
        return said.code == 0 or re.search(self.refusals, said.err) is not None


def manifest(shop: Shop, tag: str) -> Object:
    """One of the three versions: an image, and an environment variable that goes with it."""
    return shop.deployment(tag, env=[{"name": LEVEL, "value": tag}])


def apply(shop: Shop, tag: str, how: Sequence[str]) -> Said:
    """A manifest, client side or server side; it states one replica, too."""
    return shop("apply", *how, "-f", "-", stdin=json.dumps(manifest(shop, tag)), check=False)


def _set_image(shop: Shop, random: Random) -> Said:
    return shop("set", "image", "deployment/podinfo", f"podinfo={_image(shop, random)}", check=False)


def _image(shop: Shop, random: Random) -> str:
    found: str = shop.deployment(random.choice(TAGS))["spec"]["template"]["spec"]["containers"][0]["image"]
    return found


def _scale(shop: Shop, random: Random) -> Said:
    wanted = random.choice((0, 1, 1, 2, 2))
    return shop("scale", "deployment/podinfo", f"--replicas={wanted}", check=False)


def _rollout(verb: str) -> Typed:
    return lambda shop, _: shop("rollout", verb, "deployment/podinfo", check=False)


COMMANDS = (
    Command("set image", 6, _set_image),
    Command("apply", 4, lambda shop, random: apply(shop, random.choice(TAGS), ())),
    Command("apply --server-side", 4, lambda shop, random: apply(shop, random.choice(TAGS), SERVER_SIDE)),
    Command("rollout undo", 2, _rollout("undo"), "no rollout history found|cannot rollback a paused"),
    Command("rollout restart", 2, _rollout("restart"), "can't restart paused|within the past second"),
    Command("detour abort", 2, lambda shop, _: Person(shop)("abort", "podinfo"), "nothing to abort"),
    Command("scale", 2, _scale),
    Command("rollout pause", 1, _rollout("pause"), "already paused"),
    Command("rollout resume", 3, _rollout("resume"), "is not paused"),
)


def pick(random: Random) -> Command:
    """One of them."""
    return random.choices(COMMANDS, [command.often for command in COMMANDS])[0]

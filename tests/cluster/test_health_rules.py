"""What docs/ci.md promises of Argo CD and Flux, by Argo CD's published script and Flux's own library."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sandbox import build
from sandbox.parts import Part
from tests.cluster.kubectl import ROOT, Object
from tests.cluster.person import BAD, GOOD, QUICK, Person, analysing, judge_by, judged
from tests.cluster.shop import OpenShop, Shop

RULES = Part(
    name="health",
    version="1",
    programs={"health": "detour.dev/tests/health"},
    minutes=1.5,
    gigabytes=2,
    home=ROOT / "tests/detour/parts",
)
DOCUMENT = ROOT / "docs/ci.md"


@dataclass(frozen=True, slots=True)
class Judged:
    """What each of them says of a Canary."""

    argocd: str
    kstatus: str
    flux: str


@pytest.fixture(scope="module")
def rules() -> Path:
    """The program that knows the rules; built once, and kept like the sandbox's own parts."""
    return build.programs([RULES])["health"]


def health(rules: Path, shop: Shop) -> Judged:
    """Of the shop's Canary as it is now."""
    block = re.search(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert block
    (expressions,) = yaml.safe_load(block[1])["spec"]["healthCheckExprs"]
    canary: Object = shop.get("canary", "podinfo")
    assert (expressions.pop("apiVersion"), expressions.pop("kind")) == (canary["apiVersion"], canary["kind"])
    asked = json.dumps({"object": canary, **expressions})
    done = subprocess.run([rules], input=asked, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return Judged(**json.loads(done.stdout))


def test_a_canary_in_flight_is_progressing_for_both_and_healthy_for_kstatus_alone(
    open_shop: OpenShop, rules: Path
) -> None:
    shop = analysing(open_shop)
    assert health(rules, shop) == Judged("Progressing", "Current", "InProgress")


def test_at_rest_and_when_promoted_it_is_healthy_and_when_failed_it_is_not(open_shop: OpenShop, rules: Path) -> None:
    shop = judged(open_shop, GOOD, QUICK)
    assert health(rules, shop) == Judged("Healthy", "Current", "Current")
    shop.set_image("6.0.1")
    assert Person(shop)("wait", "podinfo", "--timeout", "90s").code == 0
    shop.until("Succeeded", 30)
    assert health(rules, shop) == Judged("Healthy", "Current", "Current")
    judge_by(shop, BAD)
    shop.set_image("6.0.2")
    shop.until("Failed")
    assert health(rules, shop) == Judged("Degraded", "Current", "Failed")


def test_what_waits_is_unknown_to_argo_cd(open_shop: OpenShop, rules: Path) -> None:
    shop = judged(open_shop, GOOD, QUICK)
    shop("rollout", "pause", "deployment/podinfo")
    shop.set_image("6.0.1")
    shop.until("Waiting", 20)
    assert health(rules, shop) == Judged("Unknown", "Current", "InProgress")

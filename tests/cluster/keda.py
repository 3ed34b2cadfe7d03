"""KEDA's ScaledObject as its own definition has it. Its controller is not here: nothing acts on what is made of it."""

from pathlib import Path

from sandbox import build
from sandbox.parts import Part
from tests.cluster.kubectl import kubectl

MODULE, FOLDER = "github.com/kedacore/keda/v2", "config/crd/bases"
KEDA = Part(
    name="keda",
    version="2.21.0",
    programs={},
    assets={MODULE: FOLDER},
    minutes=0.2,
    gigabytes=0.5,
    home=Path(__file__).parent / "parts",
)


def define() -> None:
    """From now on the cluster knows ScaledObjects."""
    build.programs([KEDA])
    path = build.entry(KEDA) / FOLDER / "keda.sh_scaledobjects.yaml"
    kubectl("apply", "--server-side", "-f", str(path))
    kubectl("wait", "--for=condition=established", "-f", str(path), "--timeout=30s")

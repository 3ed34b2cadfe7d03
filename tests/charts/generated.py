"""What of the charts, and of their documentation, is made from something else: `python -m tests.charts` writes it.

A chart cannot read what is outside its folder, and what it shares with kustomize is assembled there (the definitions'
schemas, the namespace in the policies' expressions). So the chart carries kustomize's result, with a word of its own in
place of the namespace, and its templates change in it what a value says. Every object is written by hand once, in
manifests/; what is new there is in the chart without anybody's doing, and test_generated.py says when this is stale.
"""

import json
import shutil
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.charts.options import Schema, table, values
from tests.charts.rendering import CHARTS, MANIFESTS, ROOT, Key, keyed, kustomize

NAMESPACE = "release-namespace"
HEADER = "# Made from manifests/{} by `make chart`: change it there.\n"
COMPONENTS = ("enforce", "certificates/cert-manager")


def from_kustomize() -> dict[Path, str]:
    """The objects that the charts begin with, by the files that hold them."""
    folder = CHARTS / "detour/files"
    base = keyed(rendered(namespace=NAMESPACE))
    definitions = {key for key in base if key[0] == "CustomResourceDefinition"}
    own = {key for key in base if key[0] != "Namespace"}  # a release's namespace is there before it
    found = {
        folder / "crds.yaml": stream("crds", base, definitions),
        folder / "detour.yaml": stream("", base, own - definitions),
    }
    for component in COMPONENTS:
        whole = keyed(rendered(component, namespace=NAMESPACE))
        name = component.rpartition("/")[2]
        found[folder / f"{name}.yaml"] = stream(component, whole, whole.keys() - base.keys())
    for name, file in (
        ("telemetry", folder / "telemetry.yaml"),
        ("loadtester", CHARTS / "loadtester/files/loadtester.yaml"),
    ):
        apart = keyed(rendered(folder=name, namespace=NAMESPACE))
        found[file] = stream(name, apart, apart)
    return found


def from_schemas() -> dict[Path, str]:
    """The values of both charts, and the table of them."""
    schemas = {chart: schema(chart) for chart in ("detour", "loadtester")}
    written = {CHARTS / name / "values.yaml": values(found) for name, found in schemas.items()}
    return {**written, ROOT / "docs/options.md": table(schemas)}


def schema(chart: str) -> Schema:
    """What the values of a chart may be."""
    found: Schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    return found


def rendered(*components: str, folder: str = "", namespace: str = "detour") -> str:
    """What kustomize makes of a folder of manifests/ with these components, as an operator's overlay has them."""
    with TemporaryDirectory() as temporary:
        base, overlay = Path(temporary) / "manifests", Path(temporary) / "overlay"
        shutil.copytree(MANIFESTS, base, ignore=shutil.ignore_patterns("charts"))
        for chosen in (base / "kustomization.yaml", base / "telemetry/kustomization.yaml"):
            chosen.write_text(chosen.read_text().replace("namespace: detour\n", f"namespace: {namespace}\n"))
        overlay.mkdir()
        given = [f"../manifests/{name}" for name in components]
        (overlay / "kustomization.yaml").write_text(
            json.dumps({"resources": [f"../manifests/{folder}"], "components": given})
        )
        return kustomize(overlay)


def stream(source: str, found: dict[Key, str], keys: Collection[Key]) -> str:
    """These objects as one file, in kustomize's order."""
    return HEADER.format(source) + "---\n".join(document for key, document in found.items() if key in keys)

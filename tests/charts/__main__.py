"""`make chart`: writes what of the charts is made from something else."""

from sandbox.progress import say
from tests.charts.generated import from_kustomize, from_schemas
from tests.charts.rendering import ROOT

for path, text in (from_kustomize() | from_schemas()).items():
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)
        say(f"written: {path.relative_to(ROOT)}")

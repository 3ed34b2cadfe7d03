"""values.yaml and docs/options.md, both from values.schema.json: a value is described once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

Schema = Mapping[str, Any]

VALUES = """\
# {title}. Made from values.schema.json by `make chart`: change it there. As a table: docs/options.md.
"""
TABLE = """\
<!-- Made from the charts' values.schema.json by `make chart`: change it there. -->
# What an operator sets

With Helm, these are the values of the charts: `--set replicas=3`, or a file for `--values`. A name that is not in the
tables, or a value that cannot be, is refused before anything is sent. With kustomize, an overlay changes what the last
column names: a flag is an argument of the container that stands before it, the rest are fields and objects of
`manifests/`.

The chart has the objects of `manifests/`, but for the Namespace, which is the release's: label it
`pod-security.kubernetes.io/enforce=restricted`, as `manifests/` does. Is it well? `helm test detour` has the webhook
divert an update and sees that an analyzer leads. An upgrade brings the definitions of Canary and the like up to date,
and never touches the caBundle. Definitions that do not bear `app.kubernetes.io/name: detour`, such as Flagger's, are
left as they are; where Helm renders without a cluster (Argo CD), say `crds.install=false` for that.

To take over what `kubectl apply` has installed, add `--take-ownership`, with Helm 4 also `--server-side=true
--force-conflicts`. `helm uninstall` leaves the definitions, and with them every Canary; in the namespace it leaves what
the analyzer made there (its CA, Lease and Leader), so that an installation that follows goes on with it.
"""
HEADINGS = {
    "detour": """
## Detour

<!-- not run: tests/charts renders them, and the cluster tests install them -->
```sh
helm upgrade --install detour manifests/charts/detour --namespace detour --create-namespace
```
""",
    "loadtester": """
## The load tester

<!-- not run: tests/charts renders them, and the cluster tests install them -->
```sh
helm upgrade --install flagger-loadtester manifests/charts/loadtester --namespace test
```
""",
}
COLUMNS = """
| value | default | what it says | what it becomes |
|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Option:
    """One value that can be set. `path` is its name as after --set; `becomes` is what it changes."""

    path: str
    default: Any
    description: str
    becomes: str


def options(schema: Schema, above: str = "") -> Iterator[Option]:
    """Every value of a schema, in its order; `global` is Helm's own."""
    for name, field in schema["properties"].items():
        path = f"{above}{name}"
        if "x-becomes" in field:
            yield Option(path, field["default"], field["description"] + _limits(field), field["x-becomes"])
        elif name != "global":
            yield from options(field, f"{path}.")


def values(schema: Schema) -> str:
    """values.yaml: every value with its default, and in the line above it what it says."""
    lines = [VALUES.format(title=schema["title"])]
    above: list[str] = []
    for each in options(schema):
        *groups, name = each.path.split(".")
        for depth, group in enumerate(groups):
            if above[: depth + 1] != groups[: depth + 1]:
                lines.append(f"{'  ' * depth}{group}:\n")
        above, indent = groups, "  " * len(groups)
        lines += [f"{indent}# {each.description}\n", f"{indent}{name}: {_inline(each.default)}\n"]
    return "".join(lines)


def table(schemas: Mapping[str, Schema]) -> str:
    """docs/options.md."""
    parts = [TABLE]
    for chart, schema in schemas.items():
        parts += [HEADINGS[chart], COLUMNS]
        parts += [
            f"| `{each.path}` | {_code(each.default)} | {_cell(each.description)} | {_cell(each.becomes)} |\n"
            for each in options(schema)
        ]
    return "".join(parts)


def _limits(field: Schema) -> str:
    """What a schema allows, where a description need not say it."""
    if "enum" in field:
        return f" One of {', '.join(map(str, field['enum']))}."
    if "maximum" in field:
        return f" {field.get('minimum', field.get('exclusiveMinimum')):g} to {field['maximum']:g}."
    return ""


def _inline(value: Any) -> str:
    """On one line, as a person writes it in YAML."""
    if value == "":
        return '""'
    return yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False).removesuffix("...\n").strip()


def _code(value: Any) -> str:
    return f"`{_inline(value)}`" if value not in ("", [], {}) else "–"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")

"""Queries of a MetricTemplate: Flagger's placeholders replaced by values, none of which can leave its place.

Flagger renders `spec.query` by Go's text/template, with functions named like the values: `{{ namespace }}`,
`{{- target -}}`, `{{ variables.path }}`. Only these are understood, and `primary`, which is ours. A value inside a
string literal stays inside it; outside of one only a template variable may be a piece of PromQL, as with Flagger.
"""

import re
from collections.abc import Mapping
from typing import Any

from analyzer.fields import SpecError
from analyzer.spec import DEFAULT_WINDOW

NAMES = ("name", "namespace", "target", "primary", "service", "ingress", "route", "interval")

_TOKEN = re.compile(
    r"""(?: \s*\{\{-\s | \{\{ ) \s* (?P<expression>[^{}]*?) \s* (?: \s-\}\}\s* | \}\} )  # a dash eats white space
      | \\. | . """,
    re.VERBOSE | re.DOTALL,
)
_VARIABLE = re.compile(r"variables\.(?P<name>\w+)")
_HARMLESS = re.compile(r"[\w.:-]*")
_IN_QUOTES = re.compile(r"\\[^\n]|[\\\"'\n]")


def query_for(metric: Mapping[str, Any], metric_template: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """The query of a MetricTemplate, for one entry of a Canary's `spec.analysis.metrics`. Raises SpecError.

    `values` are those of NAMES but `interval`, which is the metric's own, or a minute (Flagger's default for its
    built-in metrics; its templates get an empty range there).
    """
    interval = str(metric.get("interval") or DEFAULT_WINDOW)
    variables = metric.get("templateVariables") or {}
    query = str((metric_template.get("spec") or {}).get("query") or "")
    try:
        if not query.strip():
            raise SpecError("spec.query", "it is empty", "write the query of the metric")
        return render(query, {**values, "interval": interval}, variables)
    except SpecError as error:
        raise error.of(f"MetricTemplate {metric_template['metadata']['name']}") from None


def render(query: str, values: Mapping[str, str], variables: Mapping[str, str] | None = None) -> str:
    """`query` with its placeholders replaced. Raises SpecError for one that is not known, or a value that cannot be."""
    rendered, inside = [], ""
    for token in _TOKEN.finditer(query):
        expression = token["expression"]
        if expression is None:
            inside = _inside_after(inside, token.group())
            rendered.append(token.group())
        elif variable := _VARIABLE.fullmatch(expression):
            rendered.append(_placed(_variable(variable["name"], variables or {}), inside, expression))
        else:
            rendered.append(_placed(_value(expression, values), inside, expression, _HARMLESS))
    return "".join(rendered)


def _inside_after(inside: str, token: str) -> str:
    """Which literal or comment, named by its opening character, the text after a token is in; "" for none.

    PromQL's own rules: backslashes escape between double and single quotes, not between backquotes.
    """
    if len(token) == 2 and inside in ("'", '"'):
        return inside
    last = token[-1]
    if inside == "":
        return last if last in ('"', "'", "`", "#") else ""
    return "" if last in ("\r\n" if inside == "#" else inside) else inside


def _placed(value: str, inside: str, expression: str, outside: re.Pattern[str] | None = None) -> str:
    """The value as it has to be written where it stands. Escapes that are in it already are left alone."""
    match inside:
        case "'" | '"':
            return _IN_QUOTES.sub(lambda found: _escaped(found.group(), inside), value)
        case "`" if "`" in value:
            raise SpecError(f"the value of {expression}", "it has a backquote", 'use "…" around it in the query')
        case "#":
            return " ".join(re.split(r"[\r\n]", value))
        case "" if outside and not outside.fullmatch(value):
            raise SpecError(f"the value of {expression}", f"{value!r} is no plain name", "quote it in the query")
    return value


def _escaped(found: str, quote: str) -> str:
    if found == "\n":
        return r"\n"
    return f"\\{found}" if found in ("\\", quote) else found


def _value(expression: str, values: Mapping[str, str]) -> str:
    if expression in NAMES and expression in values:
        return values[expression]
    known = ", ".join([name for name in NAMES if name in values] + ["variables.NAME"])
    raise SpecError(f"{{{{ {expression} }}}} in spec.query", "there is no such value", f"use one of {known}")


def _variable(name: str, variables: Mapping[str, str]) -> str:
    if name not in variables:
        raise SpecError(
            f"variables.{name} in spec.query", "the metric does not set it", "add it to its templateVariables"
        )
    return str(variables[name])

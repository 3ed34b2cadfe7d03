"""Queries of a MetricTemplate."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analyzer.fields import SpecError
from analyzer.metrics.query import query_for, render

VALUES = {
    "name": "podinfo",
    "namespace": "default",
    "target": "podinfo-canary",
    "primary": "podinfo",
    "service": "podinfo",
    "ingress": "podinfo",
    "interval": "10s",
}

SUCCESS_RATE = """sum(
    irate(
        http_request_duration_milliseconds_bucket{
          kubernetes_namespace="{{ namespace }}",
          kubernetes_pod_name=~"{{ target }}-[^-]+-[^-]+$",
          status!~"5.*"
          }[{{ interval }}]
    )
          )
          /
  sum(
    irate(http_request_duration_milliseconds_bucket{
        kubernetes_namespace=~"{{ namespace }}",
        kubernetes_pod_name=~"{{ target }}-[^-]+-[^-]+$",
    }[{{ interval }}])) * 100
"""
LATENCY = """histogram_quantile(0.99, sum(irate(http_request_duration_milliseconds_bucket{
    kubernetes_namespace="{{ namespace }}",
    kubernetes_pod_name=~"{{ target }}-[^-]+-[^-]+$",
  }[{{ interval }}])) by (le))
"""


@pytest.mark.parametrize("query", [SUCCESS_RATE, LATENCY])
def test_a_flagger_users_queries_render_to_the_letter(query: str) -> None:
    expected = query.replace("{{ namespace }}", "default").replace("{{ target }}", "podinfo-canary")
    assert render(query, VALUES) == expected.replace("{{ interval }}", "10s")


@pytest.mark.parametrize(
    ("query", "rendered"),
    [
        ('{a="{{namespace}}"}', '{a="default"}'),
        ('{a="{{   namespace   }}"}', '{a="default"}'),
        ("up\n  {{- interval -}}\n  x", "up10sx"),
        ("up  {{ interval -}}  x", "up  10sx"),
        ("up  {{- interval }}  x", "up10s  x"),
        ('{a="{{ primary }}",b="{{ target }}"}', '{a="podinfo",b="podinfo-canary"}'),
        ('{a="{{ variables.path }}"}', '{a="root"}'),
        ("no placeholder {at=`all`} # {nor here", "no placeholder {at=`all`} # {nor here"),
    ],
)
def test_placeholders_may_be_written_as_gos_templates_allow(query: str, rendered: str) -> None:
    assert render(query, VALUES, {"path": "root"}) == rendered


@pytest.mark.parametrize("expression", ["nmespace", ".namespace", "printf `x`", "variables", "route", ""])
def test_an_unknown_placeholder_is_named_with_those_that_are_known(expression: str) -> None:
    with pytest.raises(SpecError, match=r"there is no such value; use one of name, namespace, target.*variables\.NAME"):
        render(f"up{{a='{{{{ {expression} }}}}'}}", VALUES)


def test_a_variable_that_the_metric_does_not_set_is_named() -> None:
    with pytest.raises(SpecError, match=r"variables\.path in spec\.query: the metric does not set it; add it to its"):
        render("{{ variables.path }}", VALUES, {"other": "x"})


def test_the_interval_is_the_metrics_own_or_a_minute() -> None:
    template = {"metadata": {"name": "t"}, "spec": {"query": "rate(x{p='{{ variables.p }}'}[{{ interval }}])"}}
    values = {name: value for name, value in VALUES.items() if name != "interval"}
    metric: dict[str, Any] = {"name": "m", "templateVariables": {"p": "/"}}
    assert query_for(metric, template, values) == "rate(x{p='/'}[1m])"
    assert query_for({**metric, "interval": "30s"}, template, values) == "rate(x{p='/'}[30s])"


def test_an_empty_query_is_refused() -> None:
    with pytest.raises(SpecError, match=r"spec\.query of MetricTemplate t: it is empty"):
        query_for({"name": "m"}, {"metadata": {"name": "t"}, "spec": {"query": " \n"}}, VALUES)


def test_escapes_that_are_in_a_value_already_stay_as_they_are() -> None:
    assert render('{a=~"{{ variables.re }}"}', VALUES, {"re": r"a\\.b"}) == r'{a=~"a\\.b"}'


def test_outside_of_quotes_a_variable_is_a_piece_of_promql_and_a_name_is_not() -> None:
    assert render("up{ {{ variables.which }} }", VALUES, {"which": 'code="500"'}) == 'up{ code="500" }'
    with pytest.raises(SpecError, match="is no plain name; quote it in the query"):
        render("up[{{ interval }}]", {**VALUES, "interval": "1m]) or vector(0"})


@pytest.mark.parametrize(
    ("query", "rendered"),
    [
        (r"""x{a="\"{{ variables.v }}"}""", r"""x{a="\"\"'"}"""),
        (r"""x{a='\'{{ variables.v }}'}""", r"""x{a='\'"\''}"""),
        (r"""x{a=`\` + {{ variables.v }}""", r"""x{a=`\` + "'"""),
        (r"""x{a="'"} {{ variables.v }}""", r"""x{a="'"} "'"""),
        (r"""x{a="#{{ variables.v }}"}""", r"""x{a="#\"'"}"""),
        ("x # it's\n + {a='{{ variables.v }}'}", "x # it's\n + {a='\"\\''}"),
        ("x{a='b'} # {{ variables.v }}", "x{a='b'} # \"'"),
    ],
)
def test_what_is_inside_of_quotes_is_known_to_the_character(query: str, rendered: str) -> None:
    assert render(query, VALUES, {"v": "\"'"}) == rendered


def test_a_backquote_cannot_be_between_backquotes() -> None:
    with pytest.raises(SpecError, match="it has a backquote"):
        render("up{a=`{{ variables.x }}`}", VALUES, {"x": "`"})


def test_a_comment_ends_where_it_did() -> None:
    assert render("up # {{ variables.x }}\n", VALUES, {"x": "a\nor vector(0)"}) == "up # a or vector(0)\n"


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_no_value_ends_the_comment_that_it_is_put_into(end: str) -> None:
    """Prometheus' lexer takes a carriage return for the end of a line, too."""
    query = f'up # {{{{ variables.x }}}}{end}+ "{{{{ variables.x }}}}"'
    assert render(query, {}, {"x": f'a{end}"b'}).splitlines()[0].startswith("up # a ")
    assert '"a' in render(query, {}, {"x": 'a"'}).splitlines()[-1]
    assert render(query, {}, {"x": 'a"'}).endswith('a\\""')


LITERAL = re.compile(r"""("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)""")
"""A string of PromQL: its lexer's rules, written down anew."""


AWKWARD = st.text(alphabet=st.one_of(st.sampled_from("\\\"'`\n}x"), st.characters()), max_size=12)


@given(st.sampled_from("\"'`"), AWKWARD)
@example('"', "\\")
@example('"', '\\\\"')
@example("'", "\\'")
def test_no_value_leaves_the_string_it_is_put_into(quote: str, value: str) -> None:
    query = f"up{{a={quote}<{{{{ variables.v }}}}>{quote}}} or down"
    try:
        rendered = render(query, VALUES, {"v": value})
    except SpecError:
        assert quote == "`"
        assert "`" in value
        return
    before, literal, after = LITERAL.split(rendered, maxsplit=1)
    assert (before, after) == ("up{a=", "} or down")
    assert literal.startswith(f"{quote}<")
    assert literal.endswith(f">{quote}")


@given(st.text(alphabet="{}- \\\"'`#\nax", max_size=40))
def test_a_query_without_placeholders_comes_out_as_it_went_in(text: str) -> None:
    if "{{" not in text:
        assert render(text, VALUES) == text

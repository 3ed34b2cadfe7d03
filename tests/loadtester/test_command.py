"""A command line: words and pipes as a shell has them, and nothing that only a shell could do."""

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtester import interpreters
from loadtester.command import LONGEST_PIPE, permissible, permit, split, understood
from loadtester.errors import NotAllowed, Refused
from loadtester.payload import Kind, Task

ALLOWED = frozenset({"hey", "curl", "grep"})
SEED = "hey -z 10m -q 10 -c 2 -host podinfo.grasp.com  http://podinfo-canary.test.svc:9898"
SPECIAL = st.text(alphabet="ab -='\"\\|;&<>()$`*?[]{}~#!%^\n\té", max_size=14)
PARTS = st.lists(
    st.sampled_from(
        ["a", "=", " ", "\t", "'b $c'", '"d\\"e"', '"f\\g"', "''", "\\", "\\\n", "\\'", "é", "!", "'", '"', "]", "%"]
    ),
    max_size=10,
).map("".join)
ANYTHING = st.text(max_size=30)


def words_of_a_shell(line: str) -> list[str]:
    script = f"set -f; set -- {line}\nprintf '%s\\0' \"$@\""
    found = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, timeout=5)
    return found.stdout.decode().split("\0")[:-1]


def test_the_seeds_load_test_is_split_into_its_words() -> None:
    assert split(SEED) == (tuple(SEED.split()),)


def test_quotes_keep_a_word_together_and_pipes_join_programs() -> None:
    line = "curl -sd 'a;b | $c' -H \"X: \\\"y\\\"\" http://x/token | grep 'to|ken'"
    assert split(line) == (
        ("curl", "-sd", "a;b | $c", "-H", 'X: "y"', "http://x/token"),
        ("grep", "to|ken"),
    )


def test_a_block_of_yaml_may_end_in_a_line_break_and_go_on_after_a_backslash() -> None:
    assert split("hey -z 1m \\\n  http://x/\n") == (("hey", "-z", "1m", "http://x/"),)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("hey x; curl y", "';' (a second command)"),
        ("hey x && curl y", "'&&' (a second command)"),
        ("hey x || curl y", "'||' (a second command)"),
        ("hey x |& curl y", "'|&'"),
        ("hey x &", "'&' (a command in the background)"),
        ("hey x\ncurl y", "a line break (a second command)"),
        ("hey x > /etc/passwd", "'>' (a redirection)"),
        ("hey x < /etc/passwd", "'<' (a redirection)"),
        ("hey $(id)", "'$(' (the output of another command)"),
        ('hey "$(id)"', "'$(' (the output of another command)"),
        ("hey `id`", "a backquote (the output of another command)"),
        ('hey "`id`"', "a backquote (the output of another command)"),
        ("hey $HOME", "'$' (a variable)"),
        ('hey "${HOME}"', "'$' (a variable)"),
        ("(hey)", "'(' (a subshell)"),
        ("hey /etc/*", "'*' (a glob)"),
        ("hey http://x/?a", "'?' (a glob)"),
        ("hey [ab]", "'[' (a glob)"),
        ("hey {a,b}", "'{' (braces)"),
        ("hey ~root", "'~' (a home directory)"),
        ("hey # x", "'#' (a comment)"),
    ],
)
def test_what_only_a_shell_could_do_is_refused_by_name_and_with_the_remedy(line: str, named: str) -> None:
    with pytest.raises(Refused) as refused:
        split(line)
    assert named in str(refused.value)
    assert "single quotes" in str(refused.value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("hey |", "no program on one side"),
        ("| hey", "no program on one side"),
        ("hey 'x", "never closed"),
        ('hey "x', "never closed"),
        ("hey \\", "ends in a backslash"),
        ('hey "\\$x"', "use single quotes"),
        ("A=1 hey", "sets a variable"),
        ("hey \0", "control character"),
        ("hey a\rb", "control character"),
        ("hey \ud800", "surrogate"),
        ("|".join(["hey"] * (LONGEST_PIPE + 1)), "at most 8"),
    ],
)
def test_a_line_that_makes_no_sense_is_refused_with_a_sentence(line: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence):
        split(line)


@settings(max_examples=300, deadline=None)
@given(SPECIAL | PARTS)
def test_a_line_that_is_accepted_means_what_it_means_to_a_shell(line: str) -> None:
    try:
        stages = split(line)
    except Refused:
        return
    if len(stages) == 1:
        assert list(stages[0]) == words_of_a_shell(line.strip("\n"))


@given(st.lists(st.sampled_from(["a", "b c", "é", "'", '"', "|", ";", "$x", "`", "*", "\\"]), min_size=1, max_size=6))
def test_quoted_in_single_quotes_everything_is_literal(words: list[str]) -> None:
    line = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    assert split(f"hey {line}") == (("hey", *words),)


@given(SPECIAL | ANYTHING)
def test_no_character_that_a_shell_would_act_upon_survives_outside_quotes(line: str) -> None:
    for meta in (";", "&", ">", "<", "$", "`", "(", ")", "*", "?", "[", "{", "}", "~", "#"):
        with pytest.raises(Refused):
            split(f"hey {meta}{line}")


@given(SPECIAL | ANYTHING | st.lists(st.sampled_from([*ALLOWED, "sh", "|", "-c", "id"]), max_size=8).map(" ".join))
def test_nothing_that_is_not_on_the_list_is_ever_permitted(line: str) -> None:
    try:
        pipeline = split(line)
        permit(pipeline, ALLOWED)
    except (Refused, NotAllowed):
        return
    assert pipeline
    assert all(words[0] in ALLOWED for words in pipeline)
    assert not any("\0" in word for words in pipeline for word in words)


@pytest.mark.parametrize("line", ["/usr/bin/hey x", "./hey", "sh -c hey", "curl x | sh", "HEY x", "'' hey", "! hey"])
def test_an_unknown_program_is_refused_and_the_allowed_ones_are_named(line: str) -> None:
    with pytest.raises(NotAllowed, match="allowed are: curl, grep, hey"):
        permit(split(line), ALLOWED)


@pytest.mark.parametrize("name", [*sorted(interpreters.NAMES), "/bin/hey", "..", "", "a b", "-x"])
def test_a_list_may_name_neither_paths_nor_what_runs_anything(name: str) -> None:
    assert permissible(ALLOWED) == ALLOWED
    with pytest.raises(Refused, match=r"bare name|would allow everything"):
        permissible(ALLOWED | {name})


@pytest.mark.parametrize(
    "name", ["python3.11", "perl5.36-x86_64-linux-gnu", "lua5.4", "bash-static", "ld-linux-x86-64.so.2", "ruby3.1"]
)
def test_a_version_does_not_make_an_interpreter_another_program(name: str) -> None:
    assert interpreters.is_interpreter(name)


def test_a_bash_task_is_refused_by_its_name_unless_a_flag_says_that_there_is_a_shell() -> None:
    asked = Task("podinfo.test", "set -o pipefail; id | cat", Kind.BASH)
    with pytest.raises(NotAllowed, match=r"task type 'bash' is not allowed here: use type 'test' .* --bash"):
        understood(asked, shell=False)
    assert understood(asked, shell=True) == (("bash", "-c", "set -o pipefail; id | cat"),)


@pytest.mark.parametrize("script", ["", " \n", "echo \0", "echo \ud800"])
def test_a_script_that_is_none_is_refused(script: str) -> None:
    with pytest.raises(Refused, match="give a script"):
        understood(Task("podinfo.test", script, Kind.BASH), shell=True)


@pytest.mark.parametrize(("kind", "program"), [(Kind.HELM, "helm"), (Kind.HELMV3, "helm"), (Kind.KUBECTL, "kubectl")])
def test_helm_and_kubectl_are_given_their_arguments_alone_as_with_flagger(kind: Kind, program: str) -> None:
    pipeline = understood(Task("podinfo.test", "test podinfo -n 'te st'", kind), shell=False)
    assert pipeline == ((program, "test", "podinfo", "-n", "te st"),)
    with pytest.raises(NotAllowed, match=f"the program '{program}' is not allowed here"):
        permit(pipeline, ALLOWED)
    permit(pipeline, ALLOWED | {program})

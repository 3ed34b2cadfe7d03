"""What a command line means, and whether it may run. Pure: nothing here starts anything.

Flagger's load tester hands `metadata.cmd` to `sh -c`, so that whoever reaches its port has a shell in the cluster. Here
a line is words and pipes, split as a shell would split them. Whatever else a shell would do with it is refused by name:
a line means here what it means there, or it does not run.
"""

import re
import shlex

from loadtester import hatches
from loadtester.errors import NotAllowed, Refused
from loadtester.interpreters import is_interpreter
from loadtester.payload import Kind, Task

Pipeline = tuple[tuple[str, ...], ...]
"""The words of each program, in the order of the pipe."""

LONGEST_PIPE = 8

PROGRAM_OF = {Kind.HELM: "helm", Kind.HELMV3: "helm", Kind.KUBECTL: "kubectl"}
"""Of these types the line has the arguments alone, as with Flagger."""

QUOTE = "put it in single quotes if it is meant literally"
_MEANINGS = {
    "&&": "'&&' (a second command)",
    "||": "'||' (a second command)",
    "|&": "'|&' (a pipe for errors, which go to the output anyhow)",
    "$(": "'$(' (the output of another command)",
    ";": "';' (a second command)",
    "\n": "a line break (a second command)",
    "&": "'&' (a command in the background)",
    ">": "'>' (a redirection)",
    "<": "'<' (a redirection)",
    "(": "'(' (a subshell)",
    ")": "')' (a subshell)",
    "$": "'$' (a variable)",
    "`": "a backquote (the output of another command)",
    "*": "'*' (a glob)",
    "?": "'?' (a glob)",
    "[": "'[' (a glob)",
    "{": "'{' (braces)",
    "}": "'}' (braces)",
    "~": "'~' (a home directory)",
    "#": "'#' (a comment)",
}
_QUOTED = r'"(?:[^"$`\\]|\\[^$`\n])*'
_PART = re.compile(
    rf"""(?P<joined>\\\n)
    | (?P<word>\\. | '[^']*' | {_QUOTED}" | [^\\'"|;&<>()$`*?\[{{}}~\#\n]+)
    | (?P<pipe>\|(?![|&]))""",
    re.VERBOSE | re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PROGRAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def understood(task: Task, *, shell: bool) -> Pipeline:
    """What a task runs. Raises Refused; and NotAllowed for a `bash` where there is no shell."""
    if task.kind is not Kind.BASH:
        return split(" ".join([PROGRAM_OF[task.kind], task.line]) if task.kind in PROGRAM_OF else task.line)
    if not shell:
        raise NotAllowed(
            "task type 'bash' is not allowed here: use type 'test' for programs and pipes, or have the load tester "
            "started with --bash"
        )
    if not task.line.strip() or _NO_TEXT.search(task.line):
        raise Refused("metadata.cmd is empty, or is no text: give a script")
    return (("bash", "-c", task.line),)


def split(line: str) -> Pipeline:
    """The programs of a command line with their arguments. Raises Refused for what only a shell could do."""
    if _CONTROL.search(line):
        raise Refused("metadata.cmd contains a control character: take it out")
    if _NO_TEXT.search(line):
        raise Refused("metadata.cmd contains half of a surrogate pair, which is no text")
    stages = [tuple(shlex.split(stage)) for stage in _stages(line.strip("\n"))]
    if len(stages) > LONGEST_PIPE:
        raise Refused(f"metadata.cmd pipes {len(stages)} programs together: at most {LONGEST_PIPE} are run")
    if not any(stages):
        raise Refused("metadata.cmd is empty: name a program and its arguments")
    if not all(stages):
        raise Refused("metadata.cmd has a pipe with no program on one side: name one")
    for words in stages:
        if _ASSIGNMENT.match(words[0]):
            raise Refused("metadata.cmd sets a variable in front of a program: there is no shell that could do so")
    return tuple(stages)


def permit(pipeline: Pipeline, allowed: frozenset[str]) -> None:
    """Raises NotAllowed unless every program is on the list, by its bare name, and starts no others in its turn."""
    for program, *arguments in pipeline:
        if program not in allowed:
            listed = ", ".join(sorted(allowed)) or "none"
            raise NotAllowed(f"the program {program[:80]!r} is not allowed here; allowed are: {listed}")
        if hatch := hatches.opened(program, arguments):
            raise NotAllowed(hatch)


def permissible(programs: frozenset[str]) -> frozenset[str]:
    """The list itself, checked. Raises Refused for a name that is a path, and for one that starts other programs."""
    for name in sorted(programs):
        if not _PROGRAM.fullmatch(name):
            raise Refused(f"{name!r} is no program's name: give the bare name, it is looked up in PATH")
        if is_interpreter(name):
            raise Refused(f"{name} runs whatever its caller says: a list with it in it would allow everything")
    return programs


def _stages(line: str) -> list[str]:
    """The line cut at its pipes, every stage with its quotes still on."""
    stages, at = [""], 0
    while at < len(line):
        part = _PART.match(line, at)
        if part is None:
            raise Refused(_reason(line, at))
        if part["pipe"]:
            stages.append("")
        elif part["word"]:
            stages[-1] += part["word"]
        at = part.end()
    return stages


def _reason(line: str, at: int) -> str:
    if line[at] == "\\":
        return "metadata.cmd ends in a backslash: take it out"
    if line[at] == '"' and (quoted := re.compile(_QUOTED, re.DOTALL).match(line, at)):
        at = quoted.end()
        if at < len(line) and line[at] == "\\":
            return "metadata.cmd has a backslash that a shell would take out of double quotes: use single quotes"
    if at == len(line) or line[at] == "'":
        return "metadata.cmd has a quote that is never closed: close it"
    meaning = _MEANINGS.get(line[at : at + 2]) or _MEANINGS[line[at]]
    return f"metadata.cmd contains {meaning}, which only a shell could do, and none is ever started; {QUOTE}"

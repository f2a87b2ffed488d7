"""Hidden tests as they stand in the source of an assignment: code that hands out values, and checks of these values.

    ### BEGIN HIDDEN TESTS
    for n, d in ((9, 4), (1, 3)):
        x_c, mean = center(torch.tensor(draw.normal(size=(n, d))))
        probe(x_c=x_c, mean=mean)
    ### CHECK mean: close(rtol=1e-4)
    ### END HIDDEN TESTS

The code is run in the student's process and in one with the solution, with the same ``draw``. A value passes if it is close to
the solution's, or as its CHECK lines say. CHECK lines never leave the trusted process.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nbformat import NotebookNode

from autograder import checks, secret, source
from autograder.sandbox.execution import Probe

CHECK = re.compile(r"### CHECK (\w+): *(.*)")
CHECK_LIKE = re.compile(r"###\s*CHECK\b|#+\s*check\b[^:]*:", re.IGNORECASE)  # a slip that would else be a comment


@dataclass(frozen=True)
class Check:
    """One CHECK line.

    Attributes:
        value: the name of the value that it is about.
        name: the function of ``autograder.checks``.
        arguments: its keyword arguments.
    """

    value: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class HiddenTest:
    """The hidden test of one cell.

    Attributes:
        name: of its cell.
        code: what is run; it has neither comments nor checks.
        checks: those of its CHECK lines.
    """

    name: str
    code: str
    checks: tuple[Check, ...]


def read(notebook: NotebookNode) -> dict[str, HiddenTest]:
    """The hidden test of every test cell of a source notebook.

    Raises:
        SourceError: if a test has none, or it breaks a rule; says in which cell.
    """
    return {
        cell.id: parse(cell.id, source.split(cell.source, "HIDDEN TESTS")[1])
        for cell in notebook.cells
        if source.kind_of(cell) == "tests"
    }


def parse(name: str, lines: list[str]) -> HiddenTest:
    """The hidden test between the marks of a cell.

    Raises:
        SourceError: if it hands out nothing, asserts, or has a CHECK line that cannot be read or that is about nothing.
    """
    found = [_check(name, line.strip()) for line in lines if CHECK_LIKE.match(line.strip())]
    try:
        tree = ast.parse("\n".join(lines))
    except SyntaxError as error:
        raise source.SourceError(f"{name}: the hidden test is not Python: {error}") from error
    probed = {
        keyword.arg
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "probe"
        for keyword in node.keywords
    }
    if not probed:
        raise source.SourceError(f"{name}: the hidden test hands out no value; expected probe(name=value)")
    if any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        raise source.SourceError(f"{name}: got an assert in a hidden test; expected probe(name=value) and CHECK lines")
    for check in found:
        others = {value for key, value in check.arguments.items() if key == "to"}
        for value in {check.value, *others} - probed:
            raise source.SourceError(
                f"{name}: a CHECK line is about {value!r}; expected one of {sorted(probed, key=str)}"
            )
    return HiddenTest(name, ast.unparse(tree), tuple(found))


def requests(tests: Mapping[str, HiddenTest], key: bytes, assignment: str) -> dict[str, Probe]:
    """The hidden tests as they are sent, each with the seed that a course with this secret gives it."""
    return {name: Probe(test.code, secret.seed(key, assignment, name)) for name, test in tests.items()}


def _check(cell: str, line: str) -> Check:
    matched = CHECK.fullmatch(line)
    try:
        if matched is None:
            raise ValueError("expected ### CHECK name: check(argument=value)")
        call = ast.parse(matched[2], mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args:
            raise ValueError("expected check(argument=value)")
        arguments = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
        checks.validate(call.func.id, arguments)
    except (ValueError, SyntaxError, TypeError) as error:
        raise source.SourceError(f"{cell}: got {line!r}; {error}") from error
    return Check(matched[1], call.func.id, arguments)

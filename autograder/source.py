"""From the percent notebook that people write to the notebook that nbgrader reads.

The source of an assignment is a jupytext percent notebook, and the marker of a cell says what the cell is:

    # %% [markdown] locked="intro"                         text that students cannot edit; in this first cell, {points}
                                                           and {minutes} become those of the whole assignment
    # %% locked="setup"                                    code that students cannot edit; a line "# {install}" becomes code
                                                           that installs aelib, and what else is imported, where it is missing
    # %% [markdown] task="center" minutes=4 difficulty=1   opens a task; its points are added up from the cells below
    # %% solution="center"                                 what the student writes; the answer stands between
                                                           ### BEGIN SOLUTION and ### END SOLUTION
    # %% tests="center-values" points=1                    a test; what stands between ### BEGIN HIDDEN TESTS and
                                                           ### END HIDDEN TESTS is run on submissions only
    # %% [markdown] answer="center-why" points=3           graded by hand: the model answer, then **Rubric**
    # %%                                                   a free cell, the student's to change

The name is nbgrader's grade id, and it is the notebook's cell id too, so the same source always gives the same bytes.
A solution, test or answer is called TASK or TASK-SOMETHING after the task it belongs to.
"""

import ast
import copy
import re
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode
from nbgrader.nbgraderformat import MetadataValidator

from autograder import install, notebooks

SCHEMA_VERSION = 3
MAX_DIFFICULTY = 5
INTRO = "intro"
RUBRIC = "**Rubric**"
MARKS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
MARK_LIKE = re.compile(r"\s*#+\s*(begin|end)\b", re.IGNORECASE)
# Nothing here may depend on the machine: the version of Python, for one, would change the released bytes.
NOTEBOOK_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}

# What a cell is -> nbgrader's flags for it, and the options that its marker must have.
KINDS: dict[str, tuple[dict[str, bool], set[str]]] = {
    "locked": ({"grade": False, "solution": False, "locked": True}, set()),
    "task": ({"grade": False, "solution": False, "locked": True}, {"minutes", "difficulty"}),
    "solution": ({"grade": False, "solution": True, "locked": False}, set()),
    "tests": ({"grade": True, "solution": False, "locked": True}, {"points"}),
    "answer": ({"grade": True, "solution": True, "locked": False}, {"points"}),
}


class SourceError(ValueError):
    """The source of an assignment breaks a rule; says in which cell, and what would be right."""


def load(path: Path) -> NotebookNode:
    """The nbgrader source notebook of the percent notebook at ``path``.

    Raises:
        SourceError: if a cell breaks a rule of this format or of nbgrader's.
    """
    cells: list[NotebookNode] = []
    effort: dict[str, dict[str, int]] = {}
    task = ""
    written = jupytext.read(path, fmt="py:percent").cells
    code = "\n".join(cell.source for cell in written if cell.cell_type == "code")
    for position, cell in enumerate(written, start=1):
        where = f"{path.parent.name}/{path.name}, cell {position}"
        options = {key: value for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
        kind = _kind(where, options)
        name = str(options.pop(kind)) if kind else f"free-{position}"
        if kind == "task":
            task, name = name, f"{name}-task"
            effort[task] = options
        elif kind in ("solution", "tests", "answer") and task_of(name) != task:
            raise SourceError(f"{where}: got the name {name!r}; expected {task!r} or {task + '-...'!r}, after its task")
        if not NAME.fullmatch(name) or any(name == other.id for other in cells):
            raise SourceError(f"{where}: got the name {name!r}; expected letters, digits, _ and -, and each name once")
        text = cell.source.replace("# {install}", install.cell(code)) if kind == "locked" else cell.source
        cells.append(_cell(where, kind, name, cell.cell_type, text, options))
    notebook = notebooks.new(cells, NOTEBOOK_METADATA)
    for task, options in effort.items():
        _state_effort(notebook, task, **options)
    totals = {
        "{points}": f"{sum(points(notebook).values()):g}",
        "{minutes}": str(sum(e["minutes"] for e in effort.values())),
    }
    for cell in notebook.cells:
        if cell.id == INTRO:
            for placeholder, total in totals.items():
                cell.source = cell.source.replace(placeholder, total)
    try:
        MetadataValidator().validate_nb(notebook)
    except Exception as error:
        raise SourceError(f"{path.parent.name}/{path.name}: {error}") from error
    return notebook


def kind_of(cell: NotebookNode) -> str:
    """What a cell of a notebook is for nbgrader: "locked", "solution", "tests" or "answer"; "" for a free cell."""
    grader = cell.metadata.get("nbgrader", {})
    if grader.get("solution"):
        return "answer" if grader["grade"] else "solution"
    if grader.get("grade"):
        return "tests"
    return "locked" if grader.get("locked") else ""


def task_of(name: str) -> str:
    """The task that a solution, test or answer belongs to, by its name."""
    return name.split("-")[0]


def tasks(notebook: NotebookNode) -> dict[str, list[str]]:
    """Task -> the names of its graded cells, both in the order of the notebook."""
    graded: dict[str, list[str]] = {}
    for cell in notebook.cells:
        grader = cell.metadata.get("nbgrader", {})
        if grader.get("grade"):
            graded.setdefault(task_of(grader["grade_id"]), []).append(grader["grade_id"])
    return graded


def points(notebook: NotebookNode) -> dict[str, float]:
    """The name of each graded cell -> what it is worth."""
    graders = [cell.metadata.get("nbgrader", {}) for cell in notebook.cells]
    return {grader["grade_id"]: float(grader["points"]) for grader in graders if grader.get("grade")}


def split(text: str, mark: str) -> tuple[list[str], list[str]]:
    """The lines of ``text`` (outside, inside) of the regions from ``BEGIN mark`` to ``END mark``; the marks are in neither."""
    outside: list[str] = []
    inside: list[str] = []
    current = outside
    for line in text.splitlines():
        if f"BEGIN {mark}" in line:
            current = inside
        elif f"END {mark}" in line:
            current = outside
        else:
            current.append(line)
    return outside, inside


def without_hidden_tests(notebook: NotebookNode) -> NotebookNode:
    """A copy of a source notebook whose tests have their visible parts alone, which is what runs outside of grading."""
    visible = copy.deepcopy(notebook)
    for cell in visible.cells:
        if cell.cell_type == "code":
            cell.source = "\n".join(split(cell.source, "HIDDEN TESTS")[0])
    return visible


def graded_part(notebook: NotebookNode) -> NotebookNode:
    """The cells up to the last solution or test: no mark depends on what stands behind it, such as a long demonstration."""
    last = max(number for number, cell in enumerate(notebook.cells) if kind_of(cell) in ("solution", "tests"))
    return notebooks.new(copy.deepcopy(notebook.cells[: last + 1]), copy.deepcopy(notebook.metadata))


def _kind(where: str, options: dict[str, Any]) -> str:
    """Which kind of cell the options of its marker make it."""
    kinds = [key for key in options if key in KINDS]
    if len(kinds) > 1 or (options and not kinds):
        raise SourceError(f"{where}: got the options {sorted(options)}; expected one of {sorted(KINDS)} or none")
    if not kinds:
        return ""
    given, wanted = set(options) - set(kinds), KINDS[kinds[0]][1]
    if given != wanted:
        raise SourceError(f"{where}: {kinds[0]} got the options {sorted(given)}; expected {sorted(wanted)}")
    return kinds[0]


def _cell(where: str, kind: str, name: str, cell_type: str, text: str, options: dict[str, Any]) -> NotebookNode:
    """One cell of the source notebook, checked."""
    where = f"{where} ({name})"
    wanted = {"task": "markdown", "answer": "markdown", "solution": "code", "tests": "code"}.get(kind, cell_type)
    if cell_type != wanted:
        raise SourceError(f"{where}: got a {cell_type} cell; expected {kind} to be a {wanted} cell")
    for line in text.splitlines() if cell_type == "code" else []:
        if MARK_LIKE.match(line) and line.strip() not in [f"### {mark}" for mark in MARKS]:
            raise SourceError(
                f"{where}: got {line.strip()!r}; expected one of {', '.join(f'### {mark}' for mark in MARKS)}"
            )
    for mark, owner in (("SOLUTION", "solution"), ("HIDDEN TESTS", "tests")):
        begins, ends = (text.count(f"### {side} {mark}") for side in ("BEGIN", "END"))
        if begins != ends or (begins and kind != owner):
            raise SourceError(f"{where}: '### BEGIN {mark}' and '### END {mark}' come in pairs, in a {owner} cell")
    check = {"solution": _check_solution, "tests": _check_tests, "answer": _check_answer, "task": _check_task}.get(kind)
    if check:
        check(where, text)
    cell = notebooks.new_cell(cell_type, text, name)
    if kind:
        cell.metadata["nbgrader"] = {
            "schema_version": SCHEMA_VERSION,
            "grade_id": name,
            "task": False,
            **KINDS[kind][0],
        }
        if "points" in options:
            cell.metadata["nbgrader"]["points"] = options["points"]
    return cell


def _check_solution(where: str, text: str) -> None:
    if "### BEGIN SOLUTION" not in text:
        raise SourceError(f"{where}: expected the answer between '### BEGIN SOLUTION' and '### END SOLUTION'")


def _check_tests(where: str, text: str) -> None:
    """A test tells the student what it wants, and nbgrader can read its mark."""
    if not text.startswith("# "):
        raise SourceError(f"{where}: expected the first line of a test to be a comment, the student's hint")
    visible = "\n".join(split(text, "HIDDEN TESTS")[0])
    if "### CHECK" in visible:
        raise SourceError(f"{where}: got a CHECK line that students would see; expected it in the hidden tests")
    statements = ast.parse(visible).body
    # nbgrader takes the value of a cell's last expression for the mark.
    if not statements or isinstance(statements[-1], ast.Expr):
        raise SourceError(f"{where}: expected a test to end in a statement such as an assert, not in an expression")
    for node in ast.walk(ast.parse(visible)):
        if isinstance(node, ast.Assert) and node.msg is None:
            raise SourceError(f"{where}, line {node.lineno} of the cell: expected a message that helps the student")


def _check_answer(where: str, text: str) -> None:
    if RUBRIC not in text:
        raise SourceError(f"{where}: expected a model answer and then {RUBRIC!r}, for the person who grades")


def _check_task(where: str, text: str) -> None:
    if not text.startswith("## "):
        raise SourceError(f"{where}: expected a task to begin with a heading, '## ...'")


def _state_effort(notebook: NotebookNode, task: str, minutes: int, difficulty: int) -> None:
    """Write under the heading of a task what it is worth, how long it takes and how hard it is."""
    worth = points(notebook)
    total = sum(worth[name] for name in tasks(notebook).get(task, []))
    if total <= 0 or minutes <= 0 or difficulty not in range(1, MAX_DIFFICULTY + 1):
        raise SourceError(
            f"task {task}: got {total:g} points, {minutes} minutes, difficulty {difficulty}; "
            f"expected graded cells, a time, and a difficulty from 1 to {MAX_DIFFICULTY}"
        )
    cell = next(cell for cell in notebook.cells if cell.id == f"{task}-task")
    heading, _, rest = cell.source.partition("\n")
    unit = "point" if total == 1 else "points"
    stated = f"*{total:g} {unit}, about {minutes} minutes, difficulty {difficulty} of {MAX_DIFFICULTY}*"
    cell.source = f"{heading}\n\n{stated}\n{rest}"

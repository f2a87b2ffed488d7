"""Answers other than the model's: the bank of wrong solutions (bank.py) and other right ones (right.py).

Both are percent notebooks. Each cell replaces the cell of one solution:

    # %% cell="center" name="grand_mean"
    # The message that would help the student who wrote this.
    def center(x): ...
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat import NotebookNode

from autograder import source


@dataclass(frozen=True)
class Answer:
    """Code in the place of one solution.

    Attributes:
        cell: the name of the solution cell that it replaces.
        name: what tells it from the other answers for this cell.
        message: the comment it begins with; in the bank, what would help the student who made this mistake.
        code: the code, without that comment.
    """

    cell: str
    name: str
    message: str
    code: str


def read(path: Path) -> list[Answer]:
    """The answers in the percent notebook at ``path``, in order.

    Raises:
        SourceError: if a cell does not say what it replaces, or says the same as another.
    """
    answers: list[Answer] = []
    for position, cell in enumerate(jupytext.read(path, fmt="py:percent").cells, start=1):
        if cell.cell_type != "code":
            continue
        where = f"{path.parent.name}/{path.name}, cell {position}"
        options = {key: str(value) for key, value in cell.metadata.items() if key != "lines_to_next_cell"}
        if set(options) != {"cell", "name"}:
            raise source.SourceError(f"{where}: got the options {sorted(options)}; expected cell=... and name=...")
        if any((old.cell, old.name) == (options["cell"], options["name"]) for old in answers):
            raise source.SourceError(f"{where}: there is another answer {options['name']!r} for {options['cell']!r}")
        lines = cell.source.splitlines()
        start = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
        message = " ".join(line.lstrip("# ") for line in lines[:start])
        answers.append(Answer(options["cell"], options["name"], message, "\n".join(lines[start:]).strip()))
    return answers


def model_answers(notebook: NotebookNode) -> dict[str, str]:
    """The model's answer for each solution cell and each written answer of a source notebook, as a student writes it."""
    answers = {}
    for cell in notebook.cells:
        kind = source.kind_of(cell)
        if kind == "solution":
            answers[cell.id] = "\n".join(line for line in cell.source.splitlines() if "SOLUTION" not in line)
        elif kind == "answer":
            answers[cell.id] = cell.source.partition(source.RUBRIC)[0].strip()
    return answers


def fill_in(notebook: NotebookNode, answers: Mapping[str, str]) -> NotebookNode:
    """A copy of ``notebook`` with the text of some of its solution cells and written answers replaced.

    Args:
        notebook: a source notebook or a released one.
        answers: the name of a cell -> its new text.

    Raises:
        KeyError: if the notebook has no such cell, or it is not the student's to write.
    """
    filled = copy.deepcopy(notebook)
    cells = {cell.id: cell for cell in filled.cells if source.kind_of(cell) in ("solution", "answer")}
    for name, text in answers.items():
        if name not in cells:
            raise KeyError(f"no solution or answer is called {name!r}; there are {', '.join(cells)}")
        cells[name].source = text
    return filled

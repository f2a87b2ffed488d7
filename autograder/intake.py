"""Take in a submission: out of a file that may hold anything comes the released notebook with the student's own text in it.

No code of a student runs here. What is graded, and how, is the released notebook's: of a submission only the text of solutions
and written answers is used, and the student's own cells, each behind the cell that it stands behind there.
"""

import copy
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from nbformat import NotebookNode

from autograder import intake_files, notebooks, source
from autograder.intake_cells import Given, read_cells
from autograder.intake_files import IntakeError
from autograder.intake_matching import match, name_of
from autograder.intake_notes import notes_on

MEBI = 2**20


@dataclass(frozen=True)
class IntakeLimits:
    """How large a submission may be.

    Attributes:
        file: of the file, in MiB.
        cells: of the notebook.
        characters: of the text of one cell.
    """

    file: int = 20
    cells: int = 1000
    characters: int = 1_000_000


@dataclass(frozen=True)
class Intake:
    """What came of a submission.

    Attributes:
        notebook: the released notebook with the student's text in it, without outputs; None if there is a problem.
        notes: what was put right, one sentence each, for the student; nothing has to be put right in an honest submission.
        problem: why the submission cannot be graded, for the student; "" if it can.
    """

    notebook: NotebookNode | None
    notes: list[str] = field(default_factory=list)
    problem: str = ""


def take(path: Path, released: NotebookNode, limits: IntakeLimits | None = None) -> Intake:
    """Take in the submission at ``path``. Whatever is or is not there, nothing is raised.

    Args:
        path: ``.../submitted/STUDENT/ASSIGNMENT/NAME.ipynb``; of these, no link is followed.
        released: the notebook that students got.
        limits: how large it may be.
    """
    limits = limits or IntakeLimits()
    try:
        content = intake_files.read(path, limits.file * MEBI)
    except IntakeError as error:
        return Intake(None, problem=str(error))
    return rebuild(content, released, limits)


def rebuild(content: bytes, released: NotebookNode, limits: IntakeLimits | None = None) -> Intake:
    """Take in a submission from what its file holds. Whatever that is, nothing is raised.

    Args:
        content: of the file.
        released: the notebook that students got: every cell of it that has a grade id is in the result, under this id.
        limits: how large it may be.
    """
    limits = limits or IntakeLimits()
    try:
        given, notes = read_cells(content, limits.cells, limits.characters)
    except IntakeError as error:
        return Intake(None, problem=str(error))
    labeled = [cell for cell in released.cells if "nbgrader" in cell.metadata]
    matched = match(given, labeled)
    if not matched.place:
        return Intake(None, problem="The notebook is another one: no cell of the assignment is in it.")
    notes += notes_on(given, labeled, matched)
    return Intake(_compose(released, labeled, given, matched.place), notes)


def _compose(
    released: NotebookNode, labeled: list[NotebookNode], given: list[Given], place: dict[str, int]
) -> NotebookNode:
    """The released notebook with the student's text and cells in it."""
    name_at = {position: name for name, position in place.items()}
    own: dict[str, list[Given]] = {}
    behind = ""
    for position, mine in enumerate(given):
        if position in name_at:
            behind = name_at[position]
        else:
            own.setdefault(behind, []).append(mine)
    taken = {name_of(cell) for cell in labeled}
    names = (name for number in count(1) if (name := f"free-{number}") not in taken)
    cells = [_cell(mine.cell_type, mine.text, next(names), mine.pictures) for mine in own.get("", [])]
    for cell in labeled:
        at = place.get(name_of(cell))
        cells.append(_labeled_cell(cell, None if at is None else given[at]))
        cells += [_cell(mine.cell_type, mine.text, next(names), mine.pictures) for mine in own.get(name_of(cell), [])]
    return notebooks.new(cells, copy.deepcopy(released.metadata))


def _labeled_cell(released: NotebookNode, given: Given | None) -> NotebookNode:
    """A cell of the assignment: as it was released, but for the text of a solution or of a written answer."""
    text, pictures = released.source, {}
    kind = source.kind_of(released)
    if kind in ("solution", "answer") and given is not None:
        text, pictures = given.text, given.pictures
    elif kind == "solution":
        text = ""  # the stub that was released would undo a solution that the student has moved into another cell
    cell = _cell(released.cell_type, text, name_of(released), pictures)
    cell.metadata = copy.deepcopy(released.metadata)
    return cell


def _cell(cell_type: str, text: str, name: str, pictures: dict[str, dict[str, str]]) -> NotebookNode:
    cell = notebooks.new_cell(cell_type, text, name)
    if pictures and cell_type == "markdown":
        cell.attachments = NotebookNode(pictures)
    return cell

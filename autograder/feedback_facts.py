"""What a feedback page says about the points of one notebook: from the marks in its cells and from what grading found out."""

import re
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from nbformat import NotebookNode

from autograder import source
from autograder.record import Record

HEADING = re.compile(r"#+\s+(.+)")


@dataclass(frozen=True)
class Part:
    """One graded cell.

    Attributes:
        name: of the cell.
        kind: "tests" or "answer".
        points: what the student has for it.
        worth: what one can have.
        waiting: whether a person must still read it.
        about: the first comment of a test, which says what is tested.
        message: why a test did not pass; "" if it did, or nothing is known.
        comment: what an instructor wrote below an answer.
    """

    name: str
    kind: str
    points: float
    worth: float
    waiting: bool = False
    about: str = ""
    message: str = ""
    comment: str = ""

    @property
    def lost(self) -> float:
        """Points that were lost for good, as far as one knows now."""
        return 0.0 if self.waiting else max(0.0, round(self.worth - self.points, 2))


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        name: as in the names of its cells.
        title: its heading.
        parts: its graded cells.
        diagnosis: the message of the known mistake that gives the same values; "" if there is none.
        comments: what an instructor wrote below its solutions.
    """

    name: str
    title: str
    parts: list[Part]
    diagnosis: str = ""
    comments: list[str] = field(default_factory=list)

    @property
    def points(self) -> float:
        """What the student has."""
        return sum(part.points for part in self.parts)

    @property
    def worth(self) -> float:
        """What one can have."""
        return sum(part.worth for part in self.parts)

    @property
    def lost(self) -> float:
        """What was lost."""
        return round(sum(part.lost for part in self.parts), 2)

    @property
    def waiting(self) -> bool:
        """Whether a person must still read something of it."""
        return any(part.waiting for part in self.parts)

    @property
    def has_something_to_say(self) -> bool:
        """Whether there is more to say about it than its points."""
        return bool(self.lost or self.comments or any(part.comment for part in self.parts))


def tasks(notebook: NotebookNode, record: Record | None) -> list[Task]:
    """The tasks of a notebook whose cells hold the marks and comments of the gradebook, in their order."""
    cells = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells if "nbgrader" in cell.metadata}
    made = []
    for name, graded in source.tasks(notebook).items():
        parts = [part(cells[one], record) for one in graded]
        diagnosis = record.diagnoses[name][1] if record is not None and name in record.diagnoses else ""
        solutions = [c for i, c in cells.items() if source.task_of(i) == name and source.kind_of(c) == "solution"]
        comments = [str(c.metadata.nbgrader["comment"]) for c in solutions if c.metadata.nbgrader.get("comment")]
        lost = any(one.lost for one in parts)
        made.append(Task(name, _title(cells.get(f"{name}-task")) or name, parts, diagnosis if lost else "", comments))
    return made


def part(cell: NotebookNode, record: Record | None) -> Part:
    """The facts about one graded cell."""
    about: Any = cell.metadata.nbgrader
    kind = source.kind_of(cell)
    return Part(
        name=str(about.grade_id),
        kind=kind,
        points=float(about.score),
        worth=float(about.points),
        waiting=bool(about.get("waiting")),
        about=_first_comment(cell.source) if kind == "tests" else "",
        message=record.messages.get(about.grade_id, "") if record is not None else "",
        comment=str(about.get("comment") or ""),
    )


def title(notebook: NotebookNode) -> str:
    """The first heading of a notebook; "" if there is none."""
    return next((found for cell in notebook.cells if (found := _title(cell))), "")


def _first_comment(text: str) -> str:
    lines = takewhile(lambda line: line.startswith("#") and not line.startswith("###"), text.splitlines())
    return " ".join(line.lstrip("# ").strip() for line in lines)


def _title(cell: NotebookNode | None) -> str:
    if cell is None or cell.cell_type != "markdown":
        return ""
    return next((match[1].strip() for line in cell.source.splitlines() if (match := HEADING.fullmatch(line))), "")

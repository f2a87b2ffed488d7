"""The page that a student gets back: points, what cost them, what an instructor wrote, and the notebook as it was graded.

`nbgrader generate_feedback` writes it through ``FeedbackExporter``, after ``Marks`` has put the gradebook's marks into the cells.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from markupsafe import Markup
from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader.preprocessors import GetGrades
from traitlets import default

from autograder import feedback_facts, pages, record, source
from autograder.feedback_cells import Cells
from autograder.feedback_facts import Part
from autograder.record import Record

Resources = dict[str, Any]


@dataclass(frozen=True)
class ShownCell:
    """A cell as the page shows it.

    Attributes:
        name: its anchor; "" for a cell of the student's own.
        text: its source.
        outputs: of a code cell.
        part: what it brought, if it is graded.
        limit: the message of the limit that was hit there.
    """

    name: str
    text: Markup
    outputs: list[Markup]
    part: Part | None
    limit: str


class Marks(GetGrades):  # type: ignore[misc]  # nbgrader has no types
    """Puts marks and a person's comments into the cells, and whether a mark is still to be given by a person."""

    def _get_comment(self, cell: NotebookNode, resources: Resources) -> None:
        super()._get_comment(cell, resources)
        found = self.gradebook.find_comment(cell.metadata.nbgrader.grade_id, *_where(resources))
        # nbgrader writes "No response." of its own accord; that is nobody's comment.
        cell.metadata.nbgrader["comment"] = found.manual_comment

    def _get_score(self, cell: NotebookNode, resources: Resources) -> None:
        super()._get_score(cell, resources)
        grade = self.gradebook.find_grade(cell.metadata.nbgrader.grade_id, *_where(resources))
        cell.metadata.nbgrader["waiting"] = bool(grade.needs_manual_grade)


class FeedbackExporter(Exporter):
    """Makes the page of a graded notebook."""

    output_mimetype = "text/html"

    @default("file_extension")
    def _file_extension_default(self) -> str:
        return ".html"

    def from_notebook_node(self, nb: NotebookNode, resources: Resources | None = None, **kw: Any) -> Any:
        """The page, and nbconvert's resources."""
        notebook, resources = super().from_notebook_node(nb, resources, **kw)
        about, converter = resources["nbgrader"], cast(Any, self.parent)
        names = about["assignment"], about["notebook"], about["student"]
        path = record.place(Path(converter.coursedir.root), *names)
        return page(*names, notebook, about, Record.read(path) if path.exists() else None), resources


def _where(resources: Resources) -> tuple[str, str, str]:
    about = resources["nbgrader"]
    return about["notebook"], about["assignment"], about["student"]


def page(
    assignment: str,
    name: str,
    student: str,
    notebook: NotebookNode,
    marks: dict[str, float],
    found: Record | None,
) -> str:
    """The feedback page of one notebook.

    Args:
        assignment: the assignment's name.
        name: the notebook's name.
        student: the student's id.
        notebook: as it was graded, with marks and comments in its cells (``Marks``).
        marks: "score", after the penalty, "max_score" and "late_penalty".
        found: the record of the submission; None if there is none.
    """
    if found is not None and found.problem:
        return unreadable(assignment, name, found.problem, marks["max_score"], student)
    tasks = feedback_facts.tasks(notebook, found)
    parts = {part.name: part for task in tasks for part in task.parts}
    limits = found.limits if found is not None else {}
    cells = Cells()
    return pages.render(
        "feedback.html",
        assignment=assignment,
        notebook=name,
        student=student,
        heading=feedback_facts.title(notebook) or name,
        score=max(0.0, marks["score"]),
        reached=marks["score"] + marks["late_penalty"],
        penalty=marks["late_penalty"],
        max_score=marks["max_score"],
        waiting=[part.name for part in parts.values() if part.waiting],
        tasks=tasks,
        notes=found.notes if found is not None else [],
        limits=limits,
        cells=[_show(cells, cell, parts, limits) for cell in notebook.cells],
    )


def unreadable(assignment: str, notebook: str, reason: str, max_score: float, student: str = "") -> str:
    """The feedback page for a submission that could not be graded, in the place of its notebook."""
    facts = {"assignment": assignment, "notebook": notebook, "reason": reason, "max_score": max_score}
    return pages.render("unreadable.html", **facts, student=student)


def _show(cells: Cells, cell: NotebookNode, parts: dict[str, Part], limits: dict[str, str]) -> ShownCell:
    name = cell.metadata.nbgrader.grade_id if "nbgrader" in cell.metadata else ""
    part, outputs = parts.get(name), cell.get("outputs", []) if cell.cell_type == "code" else []
    limit = limits.get(cell.get("id", ""), "")
    # What is said in words of the page's own need not be said again by an output.
    if limit or (part is not None and part.message):
        outputs = [one for one in outputs if one.get("ename") not in ("Stopped", "TestFailed")]
    shown = NotebookNode({**cell, "outputs": outputs})
    text = Markup("") if source.kind_of(cell) == "solution" and not cell.source.strip() else cells.text(cell)
    return ShownCell(name, text, cells.outputs(shown), part, limit)

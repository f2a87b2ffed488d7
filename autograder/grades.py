"""From the gradebook to grades.csv and a table: one row a student, one column a task."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from nbgrader.api import Gradebook

from autograder import source
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.grading import notebooks_of


@dataclass(frozen=True)
class Grade:
    """What one student has for one assignment.

    Attributes:
        student: the student's id.
        assignment: the assignment's name.
        score: points reached, after the penalty; never below zero, as nbgrader counts too.
        max_score: points that can be reached.
        tasks: task -> points reached, in the order of the assignment.
        status: "graded", or what a person must still do.
        penalty: points that were taken off because it was late.
    """

    student: str
    assignment: str
    score: float
    max_score: float
    tasks: dict[str, float]
    status: str
    penalty: float = 0.0


def of(course: Course, assignment: str) -> list[Grade]:
    """The grades for an assignment of a course, over all of its notebooks.

    Raises:
        AssignmentError: if the gradebook knows no such assignment, or it was not generated.
    """
    masters = [Assignment(course.root, assignment, name).master for name in notebooks_of(course, assignment)]
    tasks = {task: names for master in masters for task, names in source.tasks(master).items()}
    with course.gradebook() as gradebook:
        return collect(gradebook, assignment, tasks)


def collect(gradebook: Gradebook, assignment: str, tasks: dict[str, list[str]]) -> list[Grade]:
    """The grades of everyone who submitted, in the order of their ids.

    Args:
        gradebook: an open gradebook.
        assignment: the assignment's name.
        tasks: task -> its graded cells, in the order of the notebook (``source.tasks``).
    """
    grades = []
    for submission in sorted(gradebook.assignment_submissions(assignment), key=lambda one: str(one.student.id)):
        cells = {grade.name: grade for notebook in submission.notebooks for grade in notebook.grades}
        if all(grade.auto_score is None and grade.manual_score is None for grade in cells.values()):
            status = "needs a human: could not be graded"
        elif any(notebook.flagged for notebook in submission.notebooks):
            status = "needs a human: flagged"
        elif waiting := [name for name, grade in cells.items() if grade.needs_manual_grade]:
            status = f"needs a human: {', '.join(sorted(waiting))}"
        else:
            status = "graded"
        penalty = float(submission.late_submission_penalty or 0.0)
        grades.append(
            Grade(
                student=str(submission.student.id),
                assignment=assignment,
                score=max(0.0, float(submission.score) - penalty),
                max_score=float(submission.max_score),
                tasks={task: sum(float(cells[name].score) for name in names) for task, names in tasks.items()},
                status=status,
                penalty=penalty,
            )
        )
    return grades


def rows(grades: Iterable[Grade]) -> list[list[str]]:
    """A heading and one row for each grade. A mean over a class needs no other file.

    The tasks' points are those before a penalty; if anybody was late, there is a column with the penalties.
    """
    grades = list(grades)
    late = ["late_penalty"] if any(grade.penalty for grade in grades) else []
    table: list[list[str]] = []
    for grade in grades:
        if not table:
            table.append(["student", "assignment", "score", "max_score", *grade.tasks, *late, "status"])
        marks = [grade.score, grade.max_score, *grade.tasks.values(), *([grade.penalty] if late else [])]
        table.append([grade.student, grade.assignment, *(f"{mark:g}" for mark in marks), grade.status])
    return table


def to_csv(table: Iterable[list[str]]) -> str:
    """The rows as the text of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue()


def to_text(table: list[list[str]]) -> str:
    """The rows as columns for a terminal, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*table)]
    numeric = [all(cell.replace(".", "").isdigit() for cell in column[1:]) for column in zip(*table)]
    lines = []
    for row in table:
        cells = [cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(row, widths, numeric)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)

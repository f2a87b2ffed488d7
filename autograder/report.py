"""The report on an assignment for its instructors: one page with the scores, the tests, the mistakes, and what is left to do."""

import math
from pathlib import Path
from statistics import fmean, median

from nbgrader.api import Gradebook

from autograder import grades, pages, paths, record, report_facts, source
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.grades import Grade
from autograder.grading import notebooks_of
from autograder.record import Record
from autograder.report_statistics import FEWEST, Item, histogram, items

MOST_NAMES = 5
WIDTH, HEIGHT = 600, 170  # of the chart, in its own units


def write(course: Course, assignment: str) -> Path:
    """Write ``reports/ASSIGNMENT.html`` in the course folder.

    Returns:
        The page.

    Raises:
        AssignmentError: if the gradebook knows no such assignment, or it was not generated.
    """
    masters = {name: Assignment(course.root, assignment, name).master for name in notebooks_of(course, assignment)}
    tasks = {task: names for master in masters.values() for task, names in source.tasks(master).items()}
    worth = {name: points for master in masters.values() for name, points in source.points(master).items()}
    records = [found for name in masters for found in _records(course.root, assignment, name)]
    collected = grades.of(course, assignment)
    with course.gradebook() as gradebook:
        points = _points(gradebook, assignment, {found.student for found in records if found.problem})
    path = course.root / "reports" / f"{assignment}.html"
    paths.write(path, page(assignment, collected, items(points, worth), tasks, records))
    return path


def page(
    assignment: str, collected: list[Grade], tests: list[Item], tasks: dict[str, list[str]], records: list[Record]
) -> str:
    """The report of an assignment.

    Args:
        assignment: its name.
        collected: the grades of everyone who submitted.
        tests: the graded cells over all submissions that could be graded.
        tasks: task -> its graded cells.
        records: what was found out about each submission.
    """
    scores = [grade.score for grade in collected]
    most = collected[0].max_score if collected else 0.0
    return pages.render(
        "report.html",
        assignment=assignment,
        submissions=len(collected),
        most=most,
        mean=fmean(scores) if scores else math.nan,
        median=median(scores) if scores else math.nan,
        late=[grade for grade in collected if grade.penalty],
        bars=_bars(histogram(scores, most)) if scores and most else [],
        chart={"width": WIDTH, "height": HEIGHT},
        tests=tests,
        fewest=FEWEST,
        mistakes=report_facts.mistakes(records),
        unexplained=report_facts.unexplained(records, tasks),
        limits=report_facts.limits(records),
        humans=report_facts.humans(collected, {found.student: found for found in records}),
        spans=report_facts.spans(records),
        most_names=MOST_NAMES,
    )


def _records(root: Path, assignment: str, notebook: str) -> list[Record]:
    """What is kept about the submissions to a notebook; none of it where plain nbgrader graded them."""
    folder = record.place(root, assignment, notebook, "anyone").parent
    return [Record.read(path) for path in sorted(folder.glob("*.json"))]


def _points(gradebook: Gradebook, assignment: str, unreadable: set[str]) -> list[dict[str, float]]:
    """For each submission that could be graded, its points by graded cell, without answers that nobody has read yet."""
    return [
        {
            str(grade.name): float(grade.score)
            for notebook in submission.notebooks
            for grade in notebook.grades
            if not grade.needs_manual_grade
        }
        for submission in gradebook.assignment_submissions(assignment)
        if submission.student.id not in unreadable
    ]


def _bars(counts: list[int]) -> list[dict[str, float]]:
    """The bars of the histogram, with room for a number above and for the axis below."""
    width, tallest = WIDTH / len(counts), max(counts)
    return [
        {"x": i * width + 3, "width": width - 6, "height": (HEIGHT - 40) * count / tallest, "count": count}
        for i, count in enumerate(counts)
    ]

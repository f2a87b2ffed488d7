"""Which row of another system's file is whose, and which grades are ready to go into it."""

import re

from autograder.export_tables import FORMULA, ExportError, Table, alike, listed
from autograder.grades import Grade


def by_student(grades: list[Grade]) -> dict[str, Grade]:
    """The id of a student, as ids are compared -> the grade.

    Raises:
        ExportError: if there are none, if two have the same id, or if there is more than one assignment.
    """
    if not grades:
        raise ExportError("there are no grades to export; grade the assignment first")
    if len({grade.assignment for grade in grades}) > 1:
        raise ExportError("got the grades of several assignments; expected those of one")
    found: dict[str, Grade] = {}
    for grade in grades:
        if alike(grade.student) in found:
            raise ExportError(f"two students have the id {grade.student!r}, which must be told apart by more than case")
        found[alike(grade.student)] = grade
    return found


def rows_of(
    table: Table, rows: list[list[str]], graded: dict[str, Grade], columns: tuple[str, ...], warnings: list[str]
) -> dict[str, list[str]]:
    """The id of a student -> the row.

    Args:
        table: another system's file.
        rows: those of its rows that are students'.
        graded: who has a grade.
        columns: where ids may stand; the one that knows the most students counts, the first of these if several do.
        warnings: gets one if a student has no row, and one if rows have no grade.

    Raises:
        ExportError: if no student is in the file, or one is in it twice.
    """
    best: dict[str, list[list[str]]] = {}
    for at in [position for name in columns if (position := table.position(name)) is not None]:
        known: dict[str, list[list[str]]] = {}
        for row in rows:
            for identity in _identities(row[at]) & graded.keys():
                known.setdefault(identity, []).append(row)
        best = max(best, known, key=len)
    if not best:
        raise ExportError(
            f"no student with a grade is in the file: {listed([grade.student for grade in graded.values()])}; expected their ids "
            f"in one of the columns {', '.join(columns)}"
        )
    twice = [graded[identity].student for identity, found in best.items() if len(found) > 1]
    if twice:
        raise ExportError(f"there is more than one row for {listed(twice)}; expected one for each student")
    if missing := [grade.student for identity, grade in graded.items() if identity not in best]:
        warnings.append(f"have a grade and are not in the file: {listed(missing)}")
    if rest := len(rows) - len(best):
        warnings.append(f"{rest} in the file without a grade; their cells stay as they are")
    chosen = {identity: found[0] for identity, found in best.items()}
    if len({id(row) for row in chosen.values()}) < len(chosen):
        raise ExportError("two students with a grade have the same row; expected one for each student")
    return chosen


def _identities(cell: str) -> set[str]:
    """The ids that a cell may stand for: itself, the name in a mail address, the number in "Participant 123"."""
    cell = alike(cell)
    number = re.fullmatch(r"participant\s*(\d+)", cell)
    return {cell, cell.partition("@")[0], *([number[1]] if number else [])} - {""}


def finished(graded: dict[str, Grade], unfinished: bool, warnings: list[str]) -> dict[str, Grade]:
    """The grades that nobody must look at any more; with ``unfinished``, all of them."""
    waiting = [grade.student for grade in graded.values() if grade.status != "graded"]
    if waiting and not unfinished:
        warnings.append(f"left out, because a person must still look at them: {listed(waiting)}")
        return {student: grade for student, grade in graded.items() if grade.status == "graded"}
    return graded


def safe(graded: dict[str, Grade], warnings: list[str]) -> list[Grade]:
    """The grades of students whose id can stand in a file that somebody may open in a spreadsheet."""
    odd = [grade.student for grade in graded.values() if grade.student.startswith(FORMULA)]
    if odd:
        warnings.append(f"left out, because a spreadsheet would take the id for a formula: {listed(odd)}")
    return [grade for grade in graded.values() if grade.student not in odd]


def points(score: float) -> str:
    """A score with at most two decimals and a point, which both systems read in any language."""
    return f"{round(score, 2):.2f}".rstrip("0").rstrip(".")


def summary(grade: Grade) -> str:
    """The points by task in one line."""
    late = [f"late: -{points(grade.penalty)}"] if grade.penalty else []
    return "; ".join([*(f"{task}: {points(score)}" for task, score in grade.tasks.items()), *late])


def check_points(cell: str, most: float, system: str, warnings: list[str]) -> None:
    """Warn if the points that can be reached are other ones in another system."""
    warning = f"the most is {cell.strip()} points in {system}, and {points(most)} here"
    if _number(cell) not in (None, most) and warning not in warnings:
        warnings.append(warning)


def _number(cell: str) -> float | None:
    try:
        return float(cell.strip().replace(",", "."))
    except ValueError:
        return None

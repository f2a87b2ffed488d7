"""Grades as the CSV file that Canvas imports, as its source code reads it (lib/gradebook_importer.rb, gradebook_exporter.rb)."""

import re
from collections.abc import Iterable

from autograder.export_rows import by_student, check_points, finished, points, rows_of, safe
from autograder.export_tables import Exported, ExportError, Table, alike, listed
from autograder.grades import Grade

POINTS_POSSIBLE = "Points Possible"
HIDDEN = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE)
READ_ONLY = "read only"
ASSIGNMENT = re.compile(r"(?P<title>.*\S)\s*\((?P<id>\d+)\)\s*")


def canvas(
    given: Iterable[Grade], template: bytes | None = None, *, column: str = "", unfinished: bool = False
) -> Exported:
    """Grades for Canvas: Grades, Import.

    Canvas finds a student by ID, then SIS User ID, then SIS Login ID; an assignment by the number in "Title (123)", then by its
    title. A title that it does not know makes a new assignment. An empty cell takes a grade away, so the cells of those without
    a grade stay as they are.

    Args:
        given: grades of one assignment.
        template: what Canvas exported (Grades, Export). Without it, the result has the columns that Canvas asks for,
            and students' ids must be their logins.
        column: the title of the assignment in Canvas, if it is not the assignment's name.
        unfinished: whether to write also the grades that a person must still look at.

    Raises:
        ExportError: if the template is another kind of file, or which column or row is meant cannot be told.
    """
    graded = by_student(list(given))
    name = column or next(iter(graded.values())).assignment
    warnings: list[str] = []
    if template is None:
        return _canvas_anew(finished(graded, unfinished, warnings), name, warnings)
    table = Table.read(template, "the file from Canvas")
    if table.position("ID") is None or table.position("Section") is None:
        raise ExportError('the file from Canvas: has no columns "ID" and "Section"; in Canvas, choose Grades, Export')
    at = _assignment_column(table, name)
    students = []
    for row in table.rows:
        if POINTS_POSSIBLE in row[0]:
            check_points(row[at], next(iter(graded.values())).max_score, "Canvas", warnings)
        elif not all(HIDDEN.fullmatch(cell) for cell in row):
            students.append(row)
    rows = rows_of(table, students, graded, ("SIS Login ID", "SIS User ID", "ID"), warnings)
    for student, grade in finished(graded, unfinished, warnings).items():
        if student in rows:
            rows[student][at] = points(grade.score)
    table.disarm("Student", "LastName", "FirstName")
    return Exported(table.write(), warnings)


def _canvas_anew(graded: dict[str, Grade], name: str, warnings: list[str]) -> Exported:
    chosen = safe(graded, warnings)
    most = points(chosen[0].max_score) if chosen else ""
    rows = [[f"    {POINTS_POSSIBLE}", "", "", "", most]]
    rows += [[grade.student, "", grade.student, "", points(grade.score)] for grade in chosen]
    return Exported(Table(["Student", "ID", "SIS Login ID", "Section", name], rows).write(), warnings)


def _assignment_column(table: Table, name: str) -> int:
    """Where the assignment is in a file from Canvas."""
    first = (table.position("Section") or 0) + 1
    titles = {}
    for at, header in enumerate(table.header[first:], start=first):
        match = ASSIGNMENT.fullmatch(header)
        if header == name or alike(match["title"] if match else header) == alike(name):
            titles[at] = header
    if not titles:
        there = [header for header in table.header[first:] if ASSIGNMENT.fullmatch(header)]
        raise ExportError(
            f"the file from Canvas: has no assignment {name!r}; expected one of {listed(there) or 'none: make it in Canvas'}"
        )
    if len(titles) > 1:
        raise ExportError(f"the file from Canvas: got {name!r}; expected one of {', '.join(titles.values())}")
    at = next(iter(titles))
    if any(POINTS_POSSIBLE in row[0] and READ_ONLY in row[at] for row in table.rows):
        raise ExportError(f"the file from Canvas: {titles[at]} can only be read")
    return at

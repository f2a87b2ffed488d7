"""Grades as the CSV file that Moodle imports, as its source code reads it (mod/assign/feedback/offline and grade/import/csv)."""

from collections.abc import Iterable

from autograder.export_rows import by_student, check_points, finished, points, rows_of, safe, summary
from autograder.export_tables import Exported, ExportError, Table
from autograder.grades import Grade


def moodle(given: Iterable[Grade], template: bytes | None = None, *, unfinished: bool = False) -> Exported:
    """Grades for Moodle: in the assignment, Upload grading worksheet; without a template: Grades, Import, CSV file.

    The worksheet needs the columns Identifier, Grade and Last modified (grade), which only Moodle can fill in. It leaves out
    grades that are negative, above the maximum, or older than those it has. The import into the gradebook asks what each column
    is; it takes nothing at all if it does not know one of the users.

    Args:
        given: grades of one assignment.
        template: the worksheet that Moodle gave (Download grading worksheet). Without it, the result has the columns username,
            grade and feedback, and students' ids must be their user names.
        unfinished: whether to write also the grades that a person must still look at.

    Raises:
        ExportError: if the template is another kind of file, or which row is meant cannot be told.
    """
    graded = by_student(list(given))
    warnings: list[str] = []
    if template is None:
        chosen = safe(finished(graded, unfinished, warnings), warnings)
        rows = [[grade.student, points(grade.score), summary(grade)] for grade in chosen]
        return Exported(Table(["username", "grade", "feedback"], rows).write(), warnings)
    table = Table.read(template, "the worksheet from Moodle")
    needed = {name: table.position(name) for name in ("Identifier", "Grade", "Last modified (grade)")}
    missing = [name for name, position in needed.items() if position is None]
    if missing:
        raise ExportError(
            f"the worksheet from Moodle: has no column {', '.join(missing)}; in the assignment's settings, switch on the "
            "offline grading worksheet, then choose Download grading worksheet, in English"
        )
    at, comments = needed["Grade"] or 0, table.position("Feedback comments")
    most, changeable = table.position("Maximum grade"), table.position("Grade can be changed")
    found = rows_of(table, table.rows, graded, ("ID number", "Username", "Email address", "Identifier"), warnings)
    for student, grade in finished(graded, unfinished, warnings).items():
        if student not in found:
            continue
        row = found[student]
        row[at] = points(grade.score)
        if comments is not None and not row[comments].strip():
            row[comments] = summary(grade)
        if most is not None:
            check_points(row[most], grade.max_score, "Moodle", warnings)
        if changeable is not None and row[changeable].strip().casefold() == "no":
            warnings.append(f"{grade.student}: Moodle will not change this grade")
    table.disarm("Full name", "First name", "Last name", "Surname")
    return Exported(table.write(), warnings)

"""Grades as files that other systems import.

They are best given the file that the system itself exports: one column of it is filled in, and the rest stays.
"""

from collections.abc import Callable
from pathlib import Path

from autograder import grades, paths
from autograder.course import Course
from autograder.export_canvas import canvas
from autograder.export_moodle import moodle
from autograder.export_tables import Exported, ExportError

FORMATS: dict[str, Callable[..., Exported]] = {"canvas": canvas, "moodle": moodle}
"""What can be exported to."""


def write(
    course: Course,
    assignment: str,
    system: str,
    template: Path | None = None,
    *,
    column: str = "",
    unfinished: bool = False,
) -> tuple[Path, list[str]]:
    """Write ``exports/ASSIGNMENT-SYSTEM.csv`` in the course folder.

    Args:
        course: the course.
        assignment: the assignment's name.
        system: one of ``FORMATS``.
        template: the file that the system exported.
        column: for Canvas, the title of the assignment there, if it is another one.
        unfinished: whether to write also the grades that a person must still look at.

    Returns:
        The file, and what a person should know before it is imported.

    Raises:
        ExportError: if there is no such system or file, or the two do not fit.
        AssignmentError: if the gradebook knows no such assignment.
    """
    if system not in FORMATS:
        raise ExportError(f"got the format {system!r}; expected one of {', '.join(FORMATS)}")
    if column and system != "canvas":
        raise ExportError(f"got the column {column!r}; expected none for {system}, which has one assignment in a file")
    try:
        content = None if template is None else template.read_bytes()
    except OSError as error:
        raise ExportError(f"{template}: cannot be read ({error.strerror})") from error
    more = {"column": column} if column else {}
    done = FORMATS[system](grades.of(course, assignment), content, unfinished=unfinished, **more)
    path = course.root / "exports" / f"{assignment}-{system}.csv"
    paths.write(path, done.text)
    return path, done.warnings

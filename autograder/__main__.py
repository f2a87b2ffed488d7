"""The command line: ``python -m autograder``."""

import argparse
import os
import sys
from pathlib import Path

from autograder import bundle, demo, export, grades, grading, mutants, paths, release, report, solved, verify
from autograder.assignment import AssignmentError
from autograder.course import Course, CourseError
from autograder.export_tables import ExportError
from autograder.pool import PoolError
from autograder.sandbox.bubblewrap import SandboxError
from autograder.secret import SecretError
from autograder.source import SourceError

ERRORS = (
    *(SourceError, release.LeakError, solved.SolutionError, CourseError, demo.DemoError),
    *(AssignmentError, bundle.BundleError, ExportError, PoolError, SandboxError, SecretError),
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the result is the exit status."""
    parser = argparse.ArgumentParser(prog="python -m autograder", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("release", help="write the student notebooks of all assignments into exercises/")
    command.add_argument(
        "--check", action="store_true", help="write nothing; fail if they are not what solutions/ gives"
    )
    commands.add_parser("source", help="write the source notebooks for nbgrader into course/source/")
    command = commands.add_parser("run-solutions", help="run all solution notebooks and write them with their outputs")
    command.add_argument("folder", type=Path, help="where they go")
    command = commands.add_parser("grade", help="grade all submissions to an assignment, in sandboxes side by side")
    command.add_argument("assignment", help="such as 01_linear")
    command.add_argument("--course", type=Path, default=paths.COURSE, help="the course folder (course)")
    command.add_argument("--workers", type=int, default=grading.Options.workers, help="processes on this machine")
    command.add_argument("--scheduler", default="", help="a Dask scheduler, tcp://HOST:8786, instead of these")
    command.add_argument("--again", action="store_true", help="also what is graded already and has not changed")
    command.add_argument(
        "--no-sandbox", action="store_true", help="run student code unprotected, and flag every submission"
    )
    command = commands.add_parser("verify", help="run all right and wrong solutions; fail if a hidden test misses one")
    command.add_argument("assignments", nargs="*", metavar="assignment", help="such as 01_linear (all)")
    command = commands.add_parser("mutants", help="run solutions with one slip each; fail if hidden tests miss many")
    command.add_argument("assignments", nargs="*", metavar="assignment", help="such as 01_linear (all)")
    command = commands.add_parser("report", help="write a page about an assignment for its instructors")
    command.add_argument("assignment", help="such as 01_linear")
    command.add_argument("--course", type=Path, default=paths.COURSE, help="the course folder (course)")
    command = commands.add_parser("export", help="write the grades of an assignment for another system")
    command.add_argument("assignment", help="such as 01_linear")
    command.add_argument("--course", type=Path, default=paths.COURSE, help="the course folder (course)")
    command.add_argument("--format", choices=sorted(export.FORMATS), required=True, help="the system")
    command.add_argument("--template", type=Path, help="what that system exported; one column of it is filled in")
    command.add_argument("--column", default="", help="for Canvas: the assignment's title there, if it is another one")
    command.add_argument("--unfinished", action="store_true", help="also grades that a person must still look at")
    command = commands.add_parser("bundle", help="zip the student notebooks, checked to give nothing away")
    command.add_argument("folder", type=Path, nargs="?", default=bundle.FOLDER, help="where (build/student-bundle)")
    command.add_argument(
        "--revision",
        default=os.environ.get("COURSE_REVISION", ""),
        help="the commit or tag that students install aelib from (COURSE_REVISION, or else the newest state)",
    )
    command = commands.add_parser("demo", help="grade a class of six from end to end and check the grades")
    command.add_argument(
        "--folder", type=Path, default=paths.DEMO, help="where; it is deleted and made anew (build/demo)"
    )
    options = parser.parse_args(arguments)
    try:
        if options.command == "release":
            return _check() if options.check else _release()
        if options.command == "source":
            return _source()
        if options.command == "run-solutions":
            return _run_solutions(options.folder)
        if options.command == "grade":
            return _grade(options)
        if options.command == "verify":
            return verify.main(_chosen(options.assignments))
        if options.command == "mutants":
            return mutants.main(_chosen(options.assignments))
        if options.command == "report":
            print(_short(report.write(Course(options.course), options.assignment)))
            return 0
        if options.command == "export":
            return _export(options)
        if options.command == "bundle":
            print(_short(bundle.write(options.folder, options.revision)))
            return 0
        return _demo(options.folder)
    except ERRORS as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _release() -> int:
    for path in release.write_all(paths.SOLUTIONS, paths.EXERCISES):
        print(_short(path))
    return 0


def _check() -> int:
    different = release.differences(paths.SOLUTIONS, paths.EXERCISES)
    for line in different:
        print(f"{paths.EXERCISES.name}/{line}", file=sys.stderr)
    if different:
        print("run `make exercises` and commit what it writes", file=sys.stderr)
        return 1
    print(f"{paths.EXERCISES.name}/ is what {paths.SOLUTIONS.name}/ gives")
    return 0


def _source() -> int:
    course = Course(paths.COURSE)
    for path in paths.sources(paths.SOLUTIONS):
        course.add_source(path)
        print(_short(course.notebook("source", path.parent.name, path.stem)))
    return 0


def _run_solutions(folder: Path) -> int:
    for path in solved.write_all(paths.SOLUTIONS, folder):
        print(_short(path))
    return 0


def _grade(options: argparse.Namespace) -> int:
    if options.workers < 1:
        raise AssignmentError(f"--workers: got {options.workers}; expected at least 1")
    if options.no_sandbox:
        print(
            "WARNING: without a sandbox student code can do all that you can; these grades are flagged", file=sys.stderr
        )
    chosen = grading.Options(options.workers, options.scheduler, not options.no_sandbox, options.again)
    summary = grading.grade(Course(options.course), options.assignment, chosen)
    print(f"{len(summary.graded)} graded, {len(summary.unchanged)} unchanged")
    for student, (before, now) in sorted(summary.moved.items()):
        print(f"  {student}: {before:g} -> {now:g}")
    for student, reason in sorted(summary.human.items()):
        print(f"  {student} needs a human: {reason}")
    if summary.graded:
        steps = (f"{step} {seconds / len(summary.graded):.2f}" for step, seconds in summary.seconds.items())
        print(f"seconds per submission: {', '.join(steps)}")
    return 0


def _chosen(assignments: list[str]) -> list[Path]:
    """The percent notebooks of these assignments; of all if none is named."""
    found = paths.sources(paths.SOLUTIONS)
    names = sorted({path.parent.name for path in found})
    for name in assignments:
        if name not in names:
            raise SourceError(f"got the assignment {name!r}; expected one of {', '.join(names)}")
    return [path for path in found if not assignments or path.parent.name in assignments]


def _export(options: argparse.Namespace) -> int:
    path, notes = export.write(
        Course(options.course),
        options.assignment,
        options.format,
        options.template,
        column=options.column,
        unfinished=options.unfinished,
    )
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    print(_short(path))
    return 0


def _demo(folder: Path) -> int:
    result = demo.run(folder)
    table = grades.rows(result)
    first, last = table[0].index("max_score") + 1, table[0].index("status")
    names = table[0][first:last]
    table[0] = ["student", "assignment", "score", "of", *(str(i) for i in range(1, len(names) + 1)), "status"]
    print(grades.to_text([row[:1] + row[2:] for row in table]))
    print("\n" + "  ".join(f"{i} {name}" for i, name in enumerate(names, start=1)))
    print(f"\nThe grades are right. They are in {_short(folder / 'grades.csv')}, and the feedback for each student in")
    for page in sorted(folder.glob("feedback/*/*/*.html")):
        print(f"  {_short(page)}")
    return 0


def _short(path: Path) -> Path:
    """The path as one would type it in the repository."""
    path = path.resolve()
    return path.relative_to(paths.REPOSITORY) if path.is_relative_to(paths.REPOSITORY) else path


if __name__ == "__main__":
    sys.exit(main())

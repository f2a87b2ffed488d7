"""The command line: ``python -m autograder``."""

import argparse
import sys
from pathlib import Path

from autograder import demo, grades, paths, release, solved
from autograder.course import Course, CourseError
from autograder.source import SourceError


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
        return _demo(options.folder)
    except (SourceError, release.LeakError, solved.SolutionError, CourseError, demo.DemoError) as error:
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

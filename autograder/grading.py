"""Grade a class: submissions are run by workers side by side, and this process alone writes the gradebook, one by one."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tqdm.auto import tqdm

from autograder import intake, paths
from autograder.answers import known
from autograder.assignment import Assignment, AssignmentError, key_of
from autograder.course import Course
from autograder.pool import Pool
from autograder.record import Record


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes:
        workers: processes that run submissions, on this machine.
        scheduler: the address of a Dask scheduler whose workers run them instead; "": none.
        sandboxed: False to run student code unprotected.
        again: whether to grade anew what is graded already.
        progress: whether to show a progress bar.
    """

    workers: int = max(1, os.cpu_count() or 1)
    scheduler: str = ""
    sandboxed: bool = True
    again: bool = False
    progress: bool = True


@dataclass
class Summary:
    """What came of grading a class.

    Attributes:
        graded: students whose submission was graded now.
        unchanged: students whose submission was graded before, and for whom nothing has changed since.
        moved: student -> the score before and now, where it is another one.
        human: student -> why a person must look at the submission.
        seconds: step -> what it took, summed over submissions: "intake", "start", "execution", "verdict", "record".
    """

    graded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    moved: dict[str, tuple[float, float]] = field(default_factory=dict)
    human: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


def grade(course: Course, assignment: str, options: Options | None = None) -> Summary:
    """Grade everything in ``submitted/*/ASSIGNMENT``.

    It may be stopped at any moment and started again: what is finished is not done again, and what was not is done whole.

    Raises:
        AssignmentError: if the assignment was not generated, or somebody else is grading this course.
        PoolError: if there is no worker.
        SandboxError: if there can be no sandbox.
    """
    options = options or Options()
    summary = Summary()
    course.config.RunSandboxed.sandboxed = options.sandboxed
    with alone(course.root), Pool(options.workers, options.scheduler) as pool:
        for notebook in notebooks_of(course, assignment):
            one = Assignment(course.root, assignment, notebook)
            known(one, pool.map, sandboxed=options.sandboxed)
            _grade(course, one, pool, options, summary)
    return summary


def notebooks_of(course: Course, assignment: str) -> list[str]:
    """The notebooks of an assignment.

    Raises:
        AssignmentError: if the gradebook knows none.
    """
    with course.gradebook() as gradebook:
        found = [str(n.name) for a in gradebook.assignments if a.name == assignment for n in a.notebooks]
    if not found:
        raise AssignmentError(f"{assignment}: the gradebook knows no such assignment; run nbgrader generate_assignment")
    return found


@contextlib.contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep every other process from grading in this course folder.

    Raises:
        AssignmentError: if another one is at it.
    """
    folder = root / ".autograder"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AssignmentError(
                f"{root}: somebody is grading in this course now; try again when that is done"
            ) from error
        yield


def _grade(course: Course, assignment: Assignment, pool: Pool, options: Options, summary: Summary) -> None:
    folders = sorted((assignment.root / "submitted").glob(f"*/{assignment.name}"))
    keys: dict[str, tuple[str, str]] = {}

    def orders() -> Iterator[tuple[str, bytes]]:
        """Who is to be graded, and what is to be run for it: b"" if that is known or cannot be."""
        for folder in folders:
            student = folder.parent.name
            taken = intake.take(folder / f"{assignment.notebook}.ipynb", assignment.released)
            request = b""
            if taken.notebook is not None:
                request = assignment.request(taken.notebook, course.limits, sandboxed=options.sandboxed)
            state = key_of(request + taken.problem.encode() + assignment.state)
            finished = assignment.place("finished", student)
            if not options.again and finished.exists() and finished.read_text() == state:
                summary.unchanged.append(student)
                bar.update()
                continue
            keys[student] = key_of(request), state
            yield student, request if options.again or not assignment.is_kept(student, key_of(request)) else b""

    with tqdm(total=len(folders), unit="submission", disable=not options.progress) as bar:
        for student, execution in pool.run(orders()):
            key, state = keys.pop(student)
            if execution is None:
                summary.human[student] = "several workers ended while they ran it; it is not graded: grade again"
                bar.update()
                continue
            if execution:
                assignment.keep(student, key, execution)
            before, start = course.score(assignment.name, student), time.perf_counter()
            course.autograde_one(assignment.name, student)
            seconds = time.perf_counter() - start
            paths.write(assignment.place("finished", student), state)
            record = Record.read(assignment.place("records", student))
            _count(summary, record, before, course.score(assignment.name, student), seconds)
            bar.update()


def _count(summary: Summary, record: Record, before: float | None, now: float | None, seconds: float) -> None:
    summary.graded.append(record.student)
    if before is not None and now is not None and before != now:
        summary.moved[record.student] = before, now
    if record.problem:
        summary.human[record.student] = record.problem
    for step, duration in {**record.seconds, "record": seconds}.items():
        summary.seconds[step] = summary.seconds.get(step, 0.0) + duration

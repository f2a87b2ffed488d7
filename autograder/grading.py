"""Grade a class: submissions are run by workers side by side, and this process alone writes the gradebook, one by one."""

import contextlib
import errno
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select
from tqdm.auto import tqdm

from autograder import notebooks, paths
from autograder.answers import known
from autograder.assignment import SECRET, TIME, Assignment, AssignmentError, key_of, locked, said_by
from autograder.course import Course, CourseError
from autograder.pool import Pool
from autograder.record import Record


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes:
        workers: processes that run submissions, on this machine.
        scheduler: the address of a Dask scheduler whose workers run them instead; "": none.
        sandboxed: False to run student code unprotected.
        again: whether to run and grade anew what is graded already. If that is stopped, it goes on without ``again``.
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
        moved: student -> the score before and now, where it is another one. A run that goes on with a stopped one has both's.
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
        AssignmentError: if the assignment was not generated, somebody else is grading this course, or the disk is full.
        PoolError: if there is no worker.
        SandboxError: if there can be no sandbox.
    """
    options = options or Options()
    summary = Summary()
    course.config.RunSandboxed.sandboxed = options.sandboxed
    try:
        with alone(course), Pool(options.workers, options.scheduler) as pool:
            for notebook in notebooks_of(course, assignment):
                one = Assignment(course.root, assignment, notebook)
                known(one, one.remembering(pool.map), sandboxed=options.sandboxed)
                _grade(course, one, pool, options, summary)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise AssignmentError(
            f"{course.root}: {error.strerror}; what is graded is kept. Make room, and grade again to go on"
        ) from error
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
def alone(course: Course) -> Iterator[None]:
    """Keep every other process from grading this class, and delete what one that was killed has left half written.

    Raises:
        AssignmentError: if another one is at it.
    """
    with (
        locked(course.root, "a class", wait=False) as ours,
        course.gradebook() as gradebook,
        gradebook.engine.connect() as connection,
    ):
        # Others may have the same gradebook from another folder. A server lets one of them in, until the connection ends.
        if ours and connection.dialect.name == "postgresql":
            ours = connection.scalar(select(func.pg_try_advisory_lock(func.hashtext(gradebook.course_id))))
            connection.commit()
        if not ours:
            raise AssignmentError(f"{course.root}: somebody is grading in this course now; try again when that is done")
        for path in (course.root / ".autograder").glob("*/*/*/.*.json.*"):
            with locked(course.root, path.name[1:].rpartition(".json.")[0], wait=False) as unused:
                if unused:
                    path.unlink(missing_ok=True)
        yield


def _grade(course: Course, assignment: Assignment, pool: Pool, options: Options, summary: Summary) -> None:
    folders = sorted((assignment.root / "submitted").glob(f"*/{assignment.name}"))
    if options.again:
        for folder in folders:
            for kind in ("finished", "executions"):
                assignment.place(kind, folder.parent.name).unlink(missing_ok=True)
    due = course.due(assignment.name)
    keys: dict[str, tuple[str, str]] = {}

    def orders() -> Iterator[tuple[str, bytes]]:
        """Who is to be graded, and what is to be run for it: b"" if that is known or cannot be."""
        for folder in folders:
            student = folder.parent.name
            taken = assignment.take(folder)
            request = b""
            if taken.notebook is not None:
                request = assignment.request(taken.notebook, course.limits, sandboxed=options.sandboxed)
            text = notebooks.to_text(taken.notebook) if taken.notebook is not None else taken.problem
            about = json.dumps([text, taken.notes, said_by(folder, TIME), said_by(folder, SECRET), due])
            state = key_of(request + about.encode() + assignment.state)
            finished = assignment.place("finished", student)
            if finished.exists() and finished.read_text() == state:
                summary.unchanged.append(student)
                bar.update()
                continue
            keys[student] = key_of(request), state
            yield student, b"" if assignment.is_kept(student, key_of(request)) else request

    with tqdm(total=len(folders), unit="submission", disable=not options.progress) as bar:
        for student, execution in pool.run(orders()):
            key, state = keys.pop(student)
            if execution is None:
                summary.human[student] = "several workers ended while they ran it; it is not graded: grade again"
                bar.update()
                continue
            if execution:
                assignment.keep(student, key, execution)
            before = assignment.place("before", student)
            if not before.exists():
                paths.write(before, json.dumps(course.score(assignment.name, student)))
            start = time.perf_counter()
            try:
                course.autograde_one(assignment.name, student)
            except CourseError as error:
                summary.human[student] = f"nbgrader could not record it; it is not graded: grade again ({error})"
                bar.update()
                continue
            seconds = time.perf_counter() - start
            paths.write(assignment.place("finished", student), state)
            _count(summary, Record.read(assignment.place("records", student)), seconds)
            bar.update()
    for before in sorted(assignment.place("before", "all").parent.glob("*.json")):
        student, was, now = before.stem, json.loads(before.read_text()), course.score(assignment.name, before.stem)
        if was is not None and now is not None and was != now:
            summary.moved[student] = was, now
        before.unlink()


def _count(summary: Summary, record: Record, seconds: float) -> None:
    if record.student not in summary.graded:
        summary.graded.append(record.student)
    if record.needs_human:
        summary.human[record.student] = record.needs_human
    for step, duration in {**record.seconds, "record": seconds}.items():
        summary.seconds[step] = summary.seconds.get(step, 0.0) + duration

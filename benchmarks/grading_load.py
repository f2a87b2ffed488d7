"""A large class with every fault at once, graded by a grader that is killed: does each student end up with the right grade, once?

Right answers, known mistakes, blank notebooks, files that are no notebooks, empty folders, and code that hangs, floods, forks or
dies, in an order that a seed gives. Meanwhile a fork server, a worker and, twice, the grader itself are killed; the grader is
started again. What was said to be kept must still be there, no process and no file may be left, and the gradebook must be sound.

    python benchmarks/grading_load.py --number 1000 --calm     a class without faults, for the memory alone
"""

import ctypes
import json
import os
import random
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
import report
from traitlets.config import Config

from autograder import bank, grades, grading, notebooks, paths
from autograder.assignment import Assignment
from autograder.course import Course
from autograder.record import Record
from autograder.secret import of as secret_of

sys.path.insert(0, str(paths.REPOSITORY / "tests" / "autograder"))
from corpus import CASES, FULL, NAME, WRONG, material  # the same submissions as the tests'
from corpus.assignment import SOURCE

NUMBER, QUICK, WORKERS, EVERY = 500, 12, 2, 10
ASSIGNMENT = "corpus"
SETTINGS = {"memory": 700, "disk": 32, "file": 16, "processes": 12, "threads": 80, "output": 1}
SECONDS = {"cell_seconds": 8, "total_seconds": 24}  # a busy machine must not take them for hangs
ALL_POINTS, TASK_POINTS = FULL, 2.0
# Of a hundred submissions; what is not here is a right answer.
SHARES = {
    "mistake": 15,
    "blank": 5,
    "empty folder": 3,
    "another name": 3,
    "cut off": 3,
    "a pipe in its place": 2,
    "a link to the source": 2,
    "an endless loop": 2,
    "a loop that takes no interrupt": 1,
    "a loop of prints": 2,
    "memory in other processes": 2,
    "forks of forks": 2,
    "threads without end": 2,
    "a process that kills itself": 2,
    "all memory at once": 2,
    "dying in hidden tests": 2,
}
PR_SET_CHILD_SUBREAPER = 36


class Watched(Course):
    """A course with tight limits, which notes how large this process is."""

    def __init__(self, root):
        super().__init__(root, Config({"RunSandboxed": {"limits": {**SETTINGS, **SECONDS}}}))
        self.memory, self.graded = [], 0

    def autograde_one(self, assignment, student):
        super().autograde_one(assignment, student)
        self.graded += 1
        if self.graded % EVERY == 0:
            self.memory.append([self.graded, psutil.Process().memory_info().rss / 2**20])


def grade(root):
    """The grader, in a process of its own."""
    course = Watched(root)
    summary = grading.grade(course, ASSIGNMENT, grading.Options(workers=WORKERS, progress=False))
    size = psutil.Process().memory_info().rss / 2**20
    counts = {"graded": len(summary.graded), "unchanged": len(summary.unchanged)}
    print(json.dumps({**counts, "human": summary.human, "memory": [*course.memory, [course.graded, size]]}))


def prepare(root, number, *, calm):
    """Make the course and its class: student -> (kind, score)."""
    source = root / "solutions" / ASSIGNMENT / f"{NAME}.py"
    paths.write(source, SOURCE)
    wrong = "\n\n".join(f'# %% cell="{task}" name="wrong"\n# It is wrong.\n{code}' for task, code in WRONG.items())
    paths.write(source.with_name(paths.BANK), wrong + "\n")
    course = Watched(root)
    course.add_source(source)
    course.generate_assignment(ASSIGNMENT)
    secret_of(course.root)
    made, draw = material(course.root), random.Random(0)
    kinds = [] if calm else [*SHARES][: number // 3]  # each at least once, where there is room
    shares = {"right": 85, "mistake": 15} if calm else {"right": 100 - sum(SHARES.values()), **SHARES}
    kinds += draw.choices([*shares], [*shares.values()], k=number - len(kinds))
    draw.shuffle(kinds)
    expected = {}
    for i, kind in enumerate(kinds):
        folder = course.notebook("submitted", ASSIGNMENT, NAME, f"student-{i:04}").parent
        folder.mkdir(parents=True)
        expected[folder.parent.name] = kind, hand_in(kind, made, folder, draw)
    return course, expected


def hand_in(kind, made, folder, draw):
    """Write one submission; the result is its score."""
    path = folder / f"{NAME}.ipynb"
    if kind in ("right", "mistake", "blank", "another name"):
        mistake = draw.choice([*WRONG])
        answers = {} if kind == "blank" else made.right | ({mistake: WRONG[mistake]} if kind == "mistake" else {})
        path = path.with_name("mine (2).ipynb") if kind == "another name" else path
        paths.write(path, notebooks.to_text(bank.fill_in(made.released, answers)))
        return {"blank": 0.0, "mistake": ALL_POINTS - TASK_POINTS}.get(kind, ALL_POINTS)
    if kind != "empty folder":
        next(case for case in CASES if case.name == kind).write(made, folder)
    return 0.0


class Grader:
    """The process that grades, and what it has started."""

    def __init__(self, root, scratch):
        environment = {**os.environ, "TMPDIR": str(scratch), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, __file__, "--grade", str(root)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    def wait_for(self, ready):
        while not ready():
            assert self.process.poll() is None, "the grader ended"
            time.sleep(0.02)

    def kill(self, kind):
        """Kill one of its processes, as soon as there is one of the kind: a "fork server", a "worker", or "the grader" itself."""
        if kind == "the grader":
            self.process.kill()
            self.process.communicate()
            return
        found = []

        def find():
            below = psutil.Process(self.process.pid).children(recursive=True)
            found[:] = [one for one in below if kind_of(one) == kind]
            return bool(found)

        self.wait_for(find)
        found[0].send_signal(signal.SIGKILL)

    def result(self):
        said, _ = self.process.communicate()
        assert self.process.returncode == 0, "the grader failed"
        return json.loads(said)


def kind_of(process):
    try:
        if process.name() == "bwrap":
            return "fork server"
        return "worker" if "spawn_main" in " ".join(process.cmdline()) else ""
    except psutil.NoSuchProcess:
        return ""


def run(root, number, scratch, *, calm):
    """Grade, and meanwhile kill: what the last grader says, what was killed, and what each kill found kept."""
    kept = root / ".autograder"
    executions = kept / "executions" / ASSIGNMENT / NAME
    finished = kept / "finished" / ASSIGNMENT / NAME
    faults = [("fork server", 1), ("the grader", 2), ("worker", 3), ("the grader", 4), ("fork server", 5)]
    times, grader, before = {}, Grader(root, scratch), 0
    for kind, twentieths in [] if calm else faults:
        least = max(before + 1, number * twentieths // 20)  # the grader at hand has done something
        grader.wait_for(lambda: len(done(finished)) >= least)  # noqa: B023  # it is called at once
        grader.kill(kind)
        times |= {path: path.stat().st_mtime_ns for path in [*done(executions), *done(finished)] if path not in times}
        if kind == "the grader":
            assert is_sound(root)
            grader, before = Grader(root, scratch), len(done(finished))
    result = grader.result()
    twice = [path.name for path, time in times.items() if path.stat().st_mtime_ns != time]
    assert not twice, f"these were done twice: {twice}"
    return result, [kind for kind, _ in faults if not calm]


def done(folder):
    return [path for path in folder.glob("*.json") if not path.name.startswith(".")]


def is_sound(root):
    with sqlite3.connect(root / "gradebook.db") as connection:
        return connection.execute("pragma integrity_check").fetchall() == [("ok",)]


def check(course, expected, result, scratch):
    """Check what came of it, to the last file."""
    found = grades.of(course, ASSIGNMENT)
    assert len(found) == len(expected), f"there are {len(found)} grades of {len(expected)}"
    wrong = {one.student: (expected[one.student], one.score) for one in found if one.score != expected[one.student][1]}
    assert not wrong, f"student -> ((kind, right score), score): {wrong}"
    one = Assignment(course.root, ASSIGNMENT, NAME)
    records = {student: Record.read(one.place("records", student)) for student in expected}
    for student, (kind, _) in expected.items():
        unread = kind in ("empty folder", "cut off", "a pipe in its place", "a link to the source")
        assert bool(records[student].problem) == unread, f"{student}: {kind}: {records[student].problem!r}"
        assert (kind == "mistake") <= ("wrong" in [name for name, _ in records[student].diagnoses.values()])
    assert result["graded"] + result["unchanged"] == len(expected)
    assert not any("grade again" in why for why in result["human"].values())
    assert len(done(one.place("finished", "all").parent)) == len(expected)
    assert is_sound(course.root)
    left = psutil.wait_procs(psutil.Process().children(recursive=True), timeout=30)[1]
    assert not left, f"processes are left: {left}"
    # Dask keeps its two locks.
    files = [path for path in scratch.rglob("*") if path.suffix != ".lock" and path.name != "dask-scratch-space"]
    files += list((course.root / ".autograder").rglob(".*"))
    assert not files, f"files are left: {files}"


def memory(samples):
    """The size of the grader's own process as it goes on, in MiB, and by how many KiB it grows for each submission after 100."""
    sizes = {f"after {graded}": round(size) for graded, size in samples if graded in (100, 500, 1000)}
    result = {"MiB": {**sizes, "at the end": round(samples[-1][1])}, "graded by that process": samples[-1][0]}
    late = [(graded, size) for graded, size in samples if graded >= 100]
    if len({graded for graded, _ in late}) > 2:
        result["KiB for one more"] = report.significant(1024 * statistics.linear_regression(*zip(*late)).slope, 3)
    return result


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--number", type=int, help=f"how many submissions ({NUMBER})")
    parser.add_argument(
        "--calm", action="store_true", help="no faults: right answers and mistakes, and nothing is killed"
    )
    parser.add_argument("--grade", type=Path, help="used by this program itself: only grade this folder")
    options = report.chosen(parser)
    if options.grade is not None:
        return grade(options.grade)
    number = options.number or (QUICK if options.quick else NUMBER)
    # Whoever loses its parent becomes a child of this process, so that nobody is overlooked.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    folder = Path(tempfile.mkdtemp(prefix="load-"))
    try:
        scratch = folder / "tmp"
        scratch.mkdir()
        course, expected = prepare(folder / "course", number, calm=options.calm)
        start = time.perf_counter()
        result, killed = run(course.root, number, scratch, calm=options.calm)
        seconds = time.perf_counter() - start
        check(course, expected, result, scratch)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report.write(
        options.out,
        {
            **report.about(options),
            "submissions": number,
            "kinds": dict(sorted(Counter(kind for kind, _ in expected.values()).items())),
            "killed": killed,
            "seconds": report.significant(seconds),
            "seconds per submission": report.significant(seconds / number),
            "memory": memory(result["memory"]),
        },
    )
    return None


if __name__ == "__main__":
    main()

"""Grade one class as ``python -m autograder grade`` does, and write down what each submission took. ``grading.py`` starts it.

    python benchmarks/grading_run.py COURSE WORKERS

It prints one JSON object. It is a process of its own so that its memory is that of grading, and imports nothing else.
"""

import contextlib
import json
import sys
import time
from pathlib import Path

import psutil

from autograder import grading
from autograder.course import Course
from autograder.record import Record

MEBI = 2**20
EVERY = 5  # submissions between two looks at the memory


class Timed(Course):
    """A course that takes the time of each submission, and looks at the memory now and then."""

    def __init__(self, root):
        super().__init__(root)
        self.seconds, self.memory = {}, []

    def autograde_one(self, assignment, student):
        start = time.perf_counter()
        super().autograde_one(assignment, student)
        self.seconds[student] = time.perf_counter() - start
        if len(self.seconds) % EVERY == 0:
            self.memory.append({"graded": len(self.seconds), **memory()})


def memory():
    """The resident memory in MiB of what stays from one submission to the next."""
    me = psutil.Process()
    used = {"main process": me.memory_info().rss, "workers": 0, "fork servers": 0}
    for process in me.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # that of a submission which has just ended
            kind = kind_of(process)
            if kind:
                used[kind] += process.memory_info().rss
    return {name: bytes_ / MEBI for name, bytes_ in used.items()}


def kind_of(process):
    """What a process below this one is; "" for those that come and go with a submission."""
    if "spawn_main" in " ".join(process.cmdline()):
        return "workers"
    parent = process.parent()
    return "fork servers" if process.name() != "bwrap" and parent is not None and parent.name() == "bwrap" else ""


def steps(record, seconds):
    """What one submission took, by step. The converter that records it makes the verdict and takes it in, too."""
    within = sum(record.seconds[step] for step in ("intake", "verdict") if step in record.seconds)
    return {**record.seconds, "record": seconds - within}


def main(folder, workers):
    course = Timed(Path(folder))
    (assignment,) = [path.name for path in (course.root / "release").iterdir()]
    (notebook,) = grading.notebooks_of(course, assignment)
    one = grading.Assignment(course.root, assignment, notebook)
    start = time.time()
    summary = grading.grade(course, assignment, grading.Options(workers=int(workers), progress=False))
    end = time.time()
    split = {
        student: steps(Record.read(one.place("records", student)), seconds)
        for student, seconds in course.seconds.items()
    }
    ready = one.place("answers", "all").stat().st_mtime
    result = {
        "graded": len(summary.graded),
        "seconds": end - start,
        "once": ready - start,
        "steps": split,
        "memory": course.memory,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])

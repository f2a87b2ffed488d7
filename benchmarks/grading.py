"""How fast a class is graded, beside plain ``nbgrader autograde``: same machine, same notebooks, both as they are used.

Plain nbgrader runs one submission after the other in a new kernel, unprotected, with hidden tests as asserts of the same values.
Its class is graded in blocks, and between two blocks this course grades all of its own, so that both meet the same machine. Each
time it is cold: the start of the program, of the workers and of their sandboxes is in its time, and so are the runs of the
solution and of the known mistakes. The marks of both must agree, or nothing is reported.

Core seconds are those in which a core of the machine was busy, whoever kept it so; they are right if nothing else runs.
"""

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grading_class
import psutil
import report
from nbgrader.api import Gradebook

from autograder import notebooks, paths, workers
from autograder.assignment import Assignment
from autograder.sandbox.execution import Execution

NUMBER, WORKERS, ROUNDS, LARGE = 200, 2, 2, 1000
STEPS = ("intake", "start", "execution", "verdict", "record")
AT = (50, 100, 200, 500, 1000)  # submissions after which the memory is shown
WARM = 100  # submissions after which the memory should stay as it is


def timed(command, folder):
    """Run a command: (what it printed, its seconds, the busy core seconds of the machine meanwhile)."""
    busy, start = core_seconds(), time.perf_counter()
    done = subprocess.run([sys.executable, *map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    return done.stdout, time.perf_counter() - start, core_seconds() - busy


def core_seconds():
    times = psutil.cpu_times()._asdict()
    return sum(times.get(kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq"))


def nbgrader(step, folder, *arguments):
    """One of plain nbgrader's commands: its seconds and core seconds."""
    return timed(["-m", "nbgrader", step, grading_class.NAME, f"--course-dir={folder}", *arguments], folder)[1:]


def grade(folder, number_of_workers):
    """Grade the class in a course folder with this course: what ``grading_run`` says, and what the whole command took."""
    said, seconds, busy = timed([Path(__file__).with_name("grading_run.py"), folder, number_of_workers], folder)
    return {**json.loads(said), "command": seconds, "core seconds": busy}


def prepare(folder, number, *, mistakes):
    """The course, plain nbgrader's course, and the notebooks of so many students, which are theirs on both sides."""
    course = grading_class.open_course(folder / "course")
    assignment = Assignment(course.root, grading_class.NAME, grading_class.NOTEBOOK)
    right = Execution.from_bytes(workers.run(assignment.request(assignment.master, course.limits, sandboxed=True)))
    workers.kernels(True).close()
    if not mistakes:
        assignment.bank.unlink()
    plain = folder / "plain"
    name = f"{grading_class.NAME}/{grading_class.NOTEBOOK}.ipynb"
    theirs = grading_class.plain_source(assignment.master, assignment.probes, right.values)
    paths.write(plain / "source" / name, notebooks.to_text(theirs))
    paths.write(plain / "nbgrader_config.py", grading_class.SETTINGS)
    nbgrader("generate_assignment", plain)
    released = (course.root / "release" / name).read_bytes()
    assert released == (plain / "release" / name).read_bytes(), "both sides release the same notebook"
    return course.root, plain, list(grading_class.submissions(notebooks.from_bytes(released), number))


def marks(folder):
    """student -> test cell -> its points, from a gradebook."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        return {
            notebook.student.id: {grade.name: grade.auto_score for grade in notebook.grades}
            for notebook in gradebook.notebook_submissions(grading_class.NOTEBOOK, grading_class.NAME)
        }


def compare(folder, number, number_plain, rounds, *, mistakes=True):
    """Grade the class with both: the seconds and core seconds of each block, and what each of our runs says."""
    course, plain, texts = prepare(folder, number, mistakes=mistakes)
    blocks = [range(number_plain)[i :: rounds + 1] for i in range(rounds + 1)]
    names = {i: f"block{block}-{i:04}" for block, members in enumerate(blocks) for i in members}
    texts = {names.get(i, f"student-{i:04}"): text for i, text in enumerate(texts)}
    grading_class.hand_in(course, texts)
    grading_class.hand_in(plain, {name: text for name, text in texts.items() if name in names.values()})
    theirs, ours = [], []
    for block in range(rounds + 1):
        theirs.append(nbgrader("autograde", plain, f"--student=block{block}-*"))
        if block < rounds:
            fresh = folder / f"run{block}"
            shutil.copytree(course, fresh)
            ours.append(grade(fresh, WORKERS))
            check(plain, fresh, number)
    lost = check(plain, folder / "run0", number)
    assert len(marks(plain)) == number_plain
    return theirs, ours, lost


def check(plain, course, number):
    """Check that we graded everybody, and gave the marks that plain nbgrader gave.

    A right answer that emits a warning loses its mark in plain nbgrader. Such marks are counted and not compared.
    """
    theirs, ours = marks(plain), marks(course)
    assert len(ours) == number, f"graded {len(ours)} of {number}"
    lost = 0
    for student, cells in theirs.items():
        warned = lost_to_a_warning(plain / "autograded" / student / grading_class.NAME)
        for name, points in cells.items():
            if name in warned and points < ours[student][name]:
                lost += 1
            else:
                assert ours[student][name] == points, f"{student}: {name}: {points} there, {ours[student][name]} here"
    return lost


def lost_to_a_warning(folder):
    """The test cells that plain nbgrader gave no mark because of what they wrote to stderr: they raised nothing."""
    notebook = notebooks.from_bytes((folder / f"{grading_class.NOTEBOOK}.ipynb").read_bytes())
    found = set()
    for cell in notebook.cells:
        kinds = {output.get("name", output.output_type) for output in cell.get("outputs", [])}
        if "stderr" in kinds and "error" not in kinds:
            found.add(cell.id)
    return found


def split(runs):
    """Of each step: what it takes for the submission in the middle, and on average."""
    of_all = [steps for run in runs for steps in run["steps"].values()]
    taken = {step: [steps.get(step, 0.0) for steps in of_all] for step in STEPS}
    return {
        step: {
            "median": report.significant(statistics.median(times)),
            "mean": report.significant(statistics.mean(times)),
        }
        for step, times in taken.items()
    }


def memory(samples):
    """The memory after so many submissions, in MiB, and by how many KiB it grows for each one more."""
    shown = [sample for sample in samples if sample["graded"] in AT] or samples[-1:]
    late = [sample for sample in samples if sample["graded"] >= WARM]
    result = {"MiB": [{name: round(value) for name, value in sample.items()} for sample in shown]}
    if len(late) > 2:
        counts = [sample["graded"] for sample in late]
        result["from"] = WARM
        result["KiB for one more"] = {
            name: report.significant(1024 * statistics.linear_regression(counts, [s[name] for s in late]).slope, 3)
            for name in ("main process", "workers", "fork servers")
        }
    return result


def large(folder, number):
    """The memory of grading one large class, by this course alone."""
    course = grading_class.open_course(folder / "large").root
    released = (course / "release" / grading_class.NAME / f"{grading_class.NOTEBOOK}.ipynb").read_bytes()
    texts = grading_class.submissions(notebooks.from_bytes(released), number)
    grading_class.hand_in(course, {f"student-{i:04}": text for i, text in enumerate(texts)})
    run = grade(course, WORKERS)
    assert run["graded"] == number
    return {"submissions": number, "seconds": report.significant(run["command"]), **memory(run["memory"])}


def main():
    parser = report.parser(__doc__)
    parser.add_argument("--plain", type=int, help=f"how many of the {NUMBER} plain nbgrader grades (all)")
    parser.add_argument(
        "--memory", type=int, help=f"the size of the class whose memory is looked at ({LARGE}; 0: none)"
    )
    options = report.chosen(parser)
    number, number_plain, rounds, size = (6, 2, 1, 0) if options.quick else (NUMBER, NUMBER, ROUNDS, LARGE)
    number_plain = number_plain if options.plain is None else min(options.plain, number)
    size = size if options.memory is None else options.memory
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        theirs, ours, lost = compare(folder, number, number_plain, rounds, mistakes=not options.quick)
        in_large = large(folder, size) if size else None
    plain = {
        "submissions": number_plain,
        "seconds per submission": report.significant(sum(seconds for seconds, _ in theirs) / number_plain),
        "core seconds per submission": report.significant(sum(busy for _, busy in theirs) / number_plain),
        "seconds of each block": [report.significant(seconds) for seconds, _ in theirs],
    }
    mine = {
        "submissions": number,
        "workers": WORKERS,
        "seconds per submission": report.significant(statistics.median(run["command"] for run in ours) / number),
        "core seconds per submission": report.significant(
            statistics.median(run["core seconds"] for run in ours) / number
        ),
        "seconds of each run": [report.significant(run["command"]) for run in ours],
        "once, seconds": report.significant(statistics.median(run["once"] for run in ours)),
        "steps": split(ours),
        "memory": memory(ours[0]["memory"]),
    }
    ratio = plain["seconds per submission"] / mine["seconds per submission"]
    result = {
        **report.about(options),
        "assignment": grading_class.NAME,
        "plain": plain,
        "ours": mine,
        "times the throughput": report.significant(ratio),
        "submissions with the same marks": number_plain,
        "marks that a warning cost in plain nbgrader": lost,
        "a large class": in_large,
    }
    report.write(options.out, result)


if __name__ == "__main__":
    main()

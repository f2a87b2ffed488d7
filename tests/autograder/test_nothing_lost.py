"""Whatever lies in a submission's folder, whoever grades at once, and however often the grader is killed: nothing is lost."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import psutil
import pytest
from classroom import ABSOLUTE, RIGHT, SQUARE, open_course, submit

from autograder import __main__, grades, grading, notebooks, paths, workers
from autograder.assignment import Assignment, locked
from autograder.course import Course, CourseError
from autograder.pool import Pool
from autograder.record import Record

SECRET = "the instructor's own"
QUIETLY = grading.Options(workers=1, progress=False)
AGAIN = grading.Options(workers=1, progress=False, again=True)


@pytest.fixture
def course(sandbox, tiny, tmp_path):
    """A course in which one assignment was generated and nobody has submitted."""
    return open_course(tmp_path / "course", tiny)


@pytest.fixture
def runs(monkeypatch):
    """Run submissions in this process, without a cluster; the value lists the names of those that were run."""
    names = []

    def run(self, requests):
        for name, request in requests:
            if request:
                names.append(name)
            yield name, workers.run(request) if request else b""

    monkeypatch.setattr(Pool, "__enter__", lambda self: self)
    monkeypatch.setattr(Pool, "__exit__", lambda self, *error: None)
    monkeypatch.setattr(Pool, "run", run)
    return names


def folder_of(course, student):
    return course.notebook("submitted", "01_tiny", "tiny", student).parent


def scores(course):
    return {grade.student: grade.score for grade in grades.of(course, "01_tiny")}


def statuses(course):
    return {grade.student: grade.status for grade in grades.of(course, "01_tiny")}


def record_of(course, student):
    return Record.read(Assignment(course.root, "01_tiny", "tiny").place("records", student))


def is_sound(course):
    """Whether SQLite finds nothing wrong with the gradebook."""
    with sqlite3.connect(course.root / "gradebook.db") as connection:
        found = connection.execute("pragma integrity_check").fetchall()
    connection.close()
    return found == [("ok",)]


def mark(course, student, **values):
    """What a person does in formgrader: a mark, a comment, extra credit."""
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("reason", "tiny", "01_tiny", student)
        for name, value in values.items():
            setattr(grade, name, value)
        grade.needs_manual_grade = False
        gradebook.find_comment("reason", "tiny", "01_tiny", student).manual_comment = f"Read, {student}."
        gradebook.db.commit()


def marked(course, student):
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("reason", "tiny", "01_tiny", student)
        comment = gradebook.find_comment("reason", "tiny", "01_tiny", student).manual_comment
        return grade.manual_score, grade.extra_credit, grade.needs_manual_grade, comment


# ---- what lies in the folder of a submission -------------------------------------------------------------------------


def _rename(folder, name):
    (folder / "tiny.ipynb").rename(folder / name)


def _two(folder):
    (folder / "a.ipynb").write_bytes((folder / "tiny.ipynb").read_bytes())
    _rename(folder, "b.ipynb")


def _nested(folder):
    (folder / "unpacked").mkdir()
    (folder / "tiny.ipynb").rename(folder / "unpacked" / "tiny.ipynb")


def _linked(folder):
    away = folder.parents[2] / "elsewhere"
    folder.rename(away)
    folder.symlink_to(away)


def _waits(folder):
    os.mkfifo(folder / "data.csv")
    os.mkfifo(folder / "timestamp.txt")


def _reaches_out(folder):
    (folder / "stolen.txt").symlink_to(folder.parents[2] / "secret.txt")
    (folder / "timestamp.txt").symlink_to(folder.parents[2] / "secret.txt")
    (folder / "all").symlink_to(folder.parents[2])


def _adds(folder):
    (folder / "page.html").write_text("<script>1</script>")
    (folder / "data").mkdir()
    with (folder / "data" / "huge.bin").open("wb") as file:
        file.truncate(10**13)


# name -> what is done to the folder of a right answer, its score, and what its author or a person is told
FOLDERS = {
    "download": (
        lambda folder: _rename(folder, "tiny(1).ipynb"),
        2.5,
        "called tiny(1).ipynb; it was taken for tiny.ipynb",
    ),
    "capital": (lambda folder: _rename(folder, "Tiny.ipynb"), 2.5, "called Tiny.ipynb; it was taken"),
    "suffix": (lambda folder: _rename(folder, "tiny.ipynb.txt"), 2.5, "called tiny.ipynb.txt; it was taken"),
    "empty": (
        lambda folder: (folder / "tiny.ipynb").unlink(),
        0,
        "There is no file tiny.ipynb. The submission is empty.",
    ),
    "two": (_two, 0, "There is no file tiny.ipynb. The submission has a.ipynb, b.ipynb."),
    "document": (lambda folder: _rename(folder, "tiny.pdf"), 0, "The submission has tiny.pdf."),
    "nested": (_nested, 0, "The submission has unpacked."),
    "linked": (_linked, 0, "it is a link to another one"),
    "waits": (_waits, 2.5, "timestamp.txt, which says when the notebook was handed in, cannot be read"),
    "reaches": (_reaches_out, 2.5, "timestamp.txt, which says when"),
    "adds": (_adds, 2.5, ""),
    "untimely": (
        lambda folder: (folder / "timestamp.txt").write_text("yesterday"),
        2.5,
        "timestamp.txt, which says when",
    ),
    "plain": (lambda folder: (folder / "timestamp.txt").write_text("2031-02-01 12:00:00.0 UTC\n"), 2.5, ""),
}


@pytest.fixture(scope="module", params=["grade", "nbgrader autograde"])
def folders(request, sandbox, tiny_for_module, tmp_path_factory):
    """A class with such folders, graded by our command and by nbgrader's."""
    course = open_course(tmp_path_factory.mktemp("course"), tiny_for_module)
    (course.root / "secret.txt").write_text(SECRET)
    for student, (change, _, _) in FOLDERS.items():
        submit(course, **{student: RIGHT})
        change(folder_of(course, student))
    if request.param == "grade":
        summary = grading.grade(course, "01_tiny", grading.Options(workers=2, progress=False))
        assert set(summary.human) == {name for name, status in statuses(course).items() if status != "graded"}
    else:
        command = [sys.executable, "-m", "nbgrader", "autograde", "01_tiny", f"--course-dir={course.root}"]
        done = subprocess.run(command, cwd=paths.REPOSITORY, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
    return course


@pytest.mark.slow
def test_what_is_in_a_folder_stops_nobody(folders):
    assert scores(folders) == {name: score for name, (_, score, _) in FOLDERS.items()}
    human = {name for name, (_, score, told) in FOLDERS.items() if score == 0 or "timestamp" in told}
    assert {name for name, status in statuses(folders).items() if status == "needs a human: flagged"} == human
    for name, (_, score, told) in FOLDERS.items():
        record = record_of(folders, name)
        assert bool(record.problem) == (score == 0)
        assert told in " ".join([record.problem, *record.notes])
        assert bool(told) == bool(record.problem or record.notes)


@pytest.mark.slow
def test_nothing_else_of_a_submission_is_copied_or_read(folders):
    graded = folders.root / "autograded"
    assert {path.name for path in graded.rglob("*") if not path.is_dir()} == {"tiny.ipynb", "timestamp.txt"}
    assert sorted(path.parts[-3] for path in graded.rglob("timestamp.txt")) == ["plain", "untimely"]
    kept = [
        path for step in ("autograded", ".autograder") for path in (folders.root / step).rglob("*") if path.is_file()
    ]
    assert not any(SECRET.encode() in path.read_bytes() for path in kept)


@pytest.mark.slow
def test_everybody_has_a_feedback_page(folders):
    pages = {page.parts[-3]: page.read_text() for page in folders.generate_feedback("01_tiny")}
    assert set(pages) == set(FOLDERS)
    assert "The submission is empty." in pages["empty"]
    assert "it was taken for tiny.ipynb" in pages["download"]


@pytest.mark.slow
def test_a_notebook_of_another_assignment_is_not_taken(course, runs):
    submit(course, other=RIGHT)
    text = notebooks.to_text(notebooks.new([notebooks.new_cell("code", "1 + 1", "one")], {}))
    course.notebook("submitted", "01_tiny", "tiny", "other").unlink()
    paths.write(folder_of(course, "other") / "mine.ipynb", text)
    summary = grading.grade(course, "01_tiny", QUIETLY)
    assert summary.human["other"].startswith("There is no file tiny.ipynb. mine.ipynb: The notebook is another one")


@pytest.mark.slow
def test_one_that_nbgrader_cannot_record_stops_nobody(course, runs, monkeypatch):
    submit(course, square=SQUARE, right=RIGHT)

    graded = Course.autograde_one

    def fail(self, assignment, student):
        if student == "right":
            raise CourseError("no")
        graded(self, assignment, student)

    monkeypatch.setattr(Course, "autograde_one", fail)
    summary = grading.grade(course, "01_tiny", QUIETLY)
    assert summary.graded == ["square"]
    assert "grade again" in summary.human["right"]
    monkeypatch.setattr(Course, "autograde_one", graded)
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["right"]


@pytest.mark.slow
def test_a_full_disk_says_so_and_what_is_graded_stays(course, runs, monkeypatch, capsys):
    submit(course, a=RIGHT, b=SQUARE)
    write = paths.write

    def full(path, text):
        if path.parent.parent.parent.name == "executions" and path.stem == "b":
            raise OSError(28, "No space left on device")
        write(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(paths, "write", full)
        assert __main__.main(["grade", "01_tiny", "--course", str(course.root)]) == 1
    assert "No space left on device; what is graded is kept" in capsys.readouterr().err
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["b"]
    assert scores(course) == {"a": 2.5, "b": 0}


# ---- what people have entered ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_marks_comments_and_extra_credit_of_a_person_stay(course, runs):
    submit(
        course, same={"double": RIGHT, "reason": "So."}, new={"double": RIGHT, "reason": "So."}, bad={"reason": "So."}
    )
    grading.grade(course, "01_tiny", QUIETLY)
    for student in ("same", "new", "bad"):
        mark(course, student, manual_score=1.5, extra_credit=0.5)
    grading.grade(course, "01_tiny", AGAIN)
    for student in ("same", "new", "bad"):
        assert marked(course, student) == (1.5, 0.5, False, f"Read, {student}.")
    # Whoever hands in another answer keeps the mark until a person has looked again.
    submit(course, new={"double": SQUARE, "reason": "Because."})
    course.notebook("submitted", "01_tiny", "tiny", "bad").write_text("{")
    summary = grading.grade(course, "01_tiny", QUIETLY)
    assert summary.moved == {"new": (4.5, 2.0)}
    assert marked(course, "same") == (1.5, 0.5, False, "Read, same.")
    assert marked(course, "new") == (1.5, 0.5, True, "Read, new.")
    assert marked(course, "bad") == (1.5, 0.5, True, "Read, bad.")
    assert statuses(course)["bad"] == "needs a human: flagged"
    # The flag was for the file that could not be read.
    submit(course, bad={"reason": "So."})
    grading.grade(course, "01_tiny", QUIETLY)
    assert statuses(course) == {"same": "graded", "new": "needs a human: reason", "bad": "needs a human: reason"}


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["SaveGrades", "AssignLatePenalties", "CheckCellMetadata"])
def test_an_answer_handed_in_anew_is_looked_at_even_if_the_grader_was_stopped_while_it_recorded(
    moment, course, runs, monkeypatch
):
    submit(course, new={"reason": "So."})
    grading.grade(course, "01_tiny", QUIETLY)
    mark(course, "new", manual_score=1)
    submit(course, new={"reason": "Because."})
    step = next(one for one in course.config.Autograde.autograde_preprocessors if one.__name__ == moment)

    def stop(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(step, "preprocess", stop)
        with pytest.raises(KeyboardInterrupt):
            grading.grade(course, "01_tiny", QUIETLY)
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["new"]
    assert marked(course, "new") == (1, None, True, "Read, new.")


# ---- a grade that is made anew ---------------------------------------------------------------------------------------


@pytest.mark.slow
def test_only_what_has_changed_is_run_again(course, tiny, runs):
    submit(course, right=RIGHT, square=SQUARE, absolute=ABSOLUTE)
    grading.grade(course, "01_tiny", QUIETLY)
    runs.clear()
    text, bank = tiny.read_text(), tiny.with_name("bank.py").read_text()

    def change(source, wrong=bank):
        tiny.write_text(source)
        tiny.with_name("bank.py").write_text(wrong)
        course.add_source(tiny)
        course.generate_assignment("01_tiny")
        runs.clear()
        return grading.grade(course, "01_tiny", QUIETLY)

    # A message of the bank, and a CHECK line, which makes the sign count no more: nothing is run.
    summary = change(text, bank.replace("You lose the sign.", "Where is the sign?"))
    assert (sorted(summary.graded), summary.moved, runs) == (["absolute", "right", "square"], {}, [])
    assert record_of(course, "absolute").diagnoses["double"][1] == "Where is the sign?"
    check = "### CHECK negative: shape()\n### END HIDDEN TESTS\n\n# %% [markdown] task"
    shape = text.replace("### END HIDDEN TESTS\n\n# %% [markdown] task", check)
    assert shape != text
    summary = change(shape)
    assert (summary.moved, runs) == ({"absolute": (1.0, 2.5)}, [])
    # A hidden test: everything is run.
    summary = change(text.replace("unseen = -1234", "unseen = 2"))
    assert summary.moved == {}
    assert sorted(name for name in runs if name in scores(course)) == ["absolute", "right", "square"]
    # One that is handed in anew: this one is run.
    runs.clear()
    submit(course, square=RIGHT)
    summary = grading.grade(course, "01_tiny", QUIETLY)
    assert (summary.graded, summary.moved, runs) == (["square"], {"square": (0.0, 2.5)}, ["square"])
    # One with another written answer: nothing is run, and the answer is there to be read.
    submit(course, square={"double": RIGHT, "reason": "It is so."})
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["square"]
    assert "It is so." in course.notebook("autograded", "01_tiny", "tiny", "square").read_text()
    # Nothing.
    assert grading.grade(course, "01_tiny", QUIETLY).graded == []
    assert runs == ["square"]


@pytest.mark.slow
def test_a_time_that_was_put_right_is_recorded(course, runs):
    submit(course, one=RIGHT)
    grading.grade(course, "01_tiny", QUIETLY)
    (folder_of(course, "one") / "timestamp.txt").write_text("2031-02-01 12:00:00 UTC\n")
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["one"]
    with course.gradebook() as gradebook:
        assert str(gradebook.find_submission("01_tiny", "one").timestamp) == "2031-02-01 12:00:00"
    assert grading.grade(course, "01_tiny", QUIETLY).graded == []
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("01_tiny", duedate="2031-01-01 12:00:00 UTC")
    assert grading.grade(course, "01_tiny", QUIETLY).graded == ["one"]


@pytest.mark.slow
def test_grades_that_moved_before_a_run_was_stopped_are_reported_by_the_next(course, runs, monkeypatch):
    submit(course, a=SQUARE, b=SQUARE, c=SQUARE)
    grading.grade(course, "01_tiny", QUIETLY)
    submit(course, a=RIGHT, b=RIGHT, c=RIGHT)
    count = grading._count

    def stop(summary, record, seconds):
        count(summary, record, seconds)
        if record.student == "b":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(grading, "_count", stop)
        with pytest.raises(KeyboardInterrupt):
            grading.grade(course, "01_tiny", QUIETLY)
    summary = grading.grade(course, "01_tiny", QUIETLY)
    assert summary.graded == ["c"]
    assert summary.moved == dict.fromkeys("abc", (0.0, 2.5))
    assert grading.grade(course, "01_tiny", QUIETLY).moved == {}


# ---- kill -9 ---------------------------------------------------------------------------------------------------------


def start(course, *more):
    """Start the command in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "autograder",
        "grade",
        "01_tiny",
        "--course",
        str(course.root),
        "--workers",
        "1",
        *more,
    ]
    return subprocess.Popen(command, cwd=paths.REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def kept(course, kind):
    return sorted((course.root / ".autograder" / kind / "01_tiny" / "tiny").glob("[!.]*.json"))


def kill_when(process, ready):
    """Kill a process as soon as something is so, and wait until all that it started is gone."""
    below = []
    while not ready():
        assert process.poll() is None, "it has ended before"
        below = psutil.Process(process.pid).children(recursive=True)
        os.sched_yield()
    below += psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    _, left = psutil.wait_procs(below, timeout=30)
    assert left == []


@pytest.fixture
def private_tmp(monkeypatch):
    """The folder for temporary files of all processes that a test starts. The path of a socket in it must be short."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on_where_it_was(course, private_tmp):
    answers = {f"s{i}": {"double": (RIGHT, SQUARE, ABSOLUTE)[i % 3], "reason": "So."} for i in range(6)}
    expected = {student: (2.5, 0, 1)[int(student[1:]) % 3] for student in answers}
    submit(course, **answers)
    # Just when somebody is recorded, when an execution was kept, and when the gradebook was written but not yet noted.
    kill_when(start(course), lambda: len(kept(course, "finished")) >= 1)
    finished = {path: path.stat().st_mtime_ns for path in kept(course, "finished")}
    executions = {path: path.stat().st_mtime_ns for path in kept(course, "executions")}
    assert is_sound(course)
    kill_when(start(course), lambda: len(kept(course, "executions")) > len(executions))
    kill_when(start(course), lambda: len(kept(course, "before")) > len(kept(course, "finished")))
    leftover = course.root / ".autograder" / "records" / "01_tiny" / "tiny" / ".s1.json.abc"
    leftover.write_text("{")
    out, _ = start(course).communicate()
    graded, unchanged = (int(word) for word in out.splitlines()[0].split() if word.isdigit())
    assert graded + unchanged == len(answers)
    assert unchanged >= len(finished)
    for path, time in {**finished, **executions}.items():
        assert path.stat().st_mtime_ns == time, f"{path.name} was done twice"
    assert scores(course) == expected
    assert is_sound(course)
    assert not leftover.exists()
    assert list(private_tmp.glob("autograder-*")) == []


# ---- several at once -------------------------------------------------------------------------------------------------


def test_a_second_grader_is_refused_and_changes_nothing(tiny, tmp_path, capsys):
    course = open_course(tmp_path / "course", tiny)
    submit(course, one=RIGHT)
    content = (course.root / "gradebook.db").read_bytes()
    with grading.alone(course):
        assert __main__.main(["grade", "01_tiny", "--course", str(course.root)]) == 1
    assert "somebody is grading in this course now" in capsys.readouterr().err
    assert (course.root / "gradebook.db").read_bytes() == content
    with grading.alone(course):
        pass


def test_a_grader_waits_for_whoever_writes_into_the_gradebook(tiny, tmp_path):
    course = open_course(tmp_path / "course", tiny)
    with course.gradebook() as gradebook, gradebook.engine.connect() as connection:
        assert connection.exec_driver_sql("pragma busy_timeout").scalar() == 60000


@pytest.mark.slow
def test_a_grader_and_a_person_at_once(course):
    """A person gives marks, each of which is there at the end, while the class is graded again and again."""
    students = [f"s{i}" for i in range(3)]
    submit(course, **{student: {"double": RIGHT, "reason": "So."} for student in students})
    grading.grade(course, "01_tiny", grading.Options(workers=2, progress=False))
    process, given, rounds = start(course, "--again"), dict.fromkeys(students, 0.0), 0
    while process.poll() is None:
        rounds += 1
        for student in students:
            given[student] = (rounds % 200) / 100
            mark(course, student, manual_score=given[student])
    assert process.returncode == 0
    assert rounds > 1
    assert {student: marked(course, student)[0] for student in students} == given
    assert is_sound(course)
    assert process.stdout.read().startswith("3 graded")
    process.stdout.close()


@pytest.mark.slow
def test_the_command_and_nbgraders_own_at_once(course):
    students = {f"s{i}": (RIGHT, SQUARE)[i % 2] for i in range(5)}
    submit(course, **students)
    command = [sys.executable, "-m", "nbgrader", "autograde", "01_tiny", f"--course-dir={course.root}", "--force"]
    other = subprocess.Popen(
        command, cwd=paths.REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    ours = start(course)
    out, said = ours.communicate()[0], other.communicate()[1]
    assert (ours.returncode, other.returncode) == (0, 0), out + said
    assert scores(course) == {student: 2.5 if answer == RIGHT else 0 for student, answer in students.items()}
    assert is_sound(course)
    with course.gradebook() as gradebook:
        assert len(gradebook.assignment_submissions("01_tiny")) == len(students)


def test_one_submission_is_recorded_by_one_process_at_a_time(tmp_path):
    order, inside = [], threading.Event()

    def second():
        inside.wait()
        with locked(tmp_path, "student"):
            order.append("second")

    thread = threading.Thread(target=second)
    thread.start()
    with locked(tmp_path, "student"):
        inside.set()
        with locked(tmp_path, "student", wait=False) as ours:
            assert not ours
        with locked(tmp_path, "other", wait=False) as ours:
            assert ours
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


# ---- sandboxes that end ----------------------------------------------------------------------------------------------


def request_for(course, answer):
    submit(course, one=answer)
    one = Assignment(course.root, "01_tiny", "tiny")
    return one.request(one.take(folder_of(course, "one")).notebook, course.limits, sandboxed=True)


@pytest.mark.slow
def test_a_fork_server_that_was_killed_is_started_again(course):
    request = request_for(course, RIGHT)
    values = json.loads(workers.run(request))["values"]
    server = psutil.Process(workers.kernels(True).pid)
    inside = server.children(recursive=True)
    server.kill()
    psutil.wait_procs(inside)
    assert json.loads(workers.run(request))["values"] == values


@pytest.mark.slow
def test_a_submission_whose_sandbox_ends_twice_is_left_to_a_person(course, monkeypatch):
    request = request_for(course, RIGHT)

    def end(server, *arguments):
        os.kill(server.pid, signal.SIGKILL)
        raise BrokenPipeError

    monkeypatch.setattr(workers, "execute", end)
    with pytest.raises(workers.LostError):
        workers.run(request)
    submit(course, one=RIGHT)
    assert "grade again" in grade_lost(course, monkeypatch).human["one"]


def grade_lost(course, monkeypatch):
    def lose(self, requests):
        return ((name, None) for name, _ in requests)

    one = Assignment(course.root, "01_tiny", "tiny")
    paths.write(one.place("answers", "all"), "{}")
    monkeypatch.setattr(grading, "known", lambda *arguments, **more: None)
    monkeypatch.setattr(Pool, "run", lose)
    return grading.grade(course, "01_tiny", QUIETLY)


def test_folders_of_workers_that_were_killed_are_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, alive = tmp_path / "autograder-dead", tmp_path / "autograder-alive"
    for folder in (dead, alive):
        folder.mkdir()
        (folder / workers.LOCK).touch()
    code = f"import fcntl, sys; f = open({str(alive / workers.LOCK)!r}, 'w'); fcntl.flock(f, 2); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        workers.delete_leftovers()
        assert (dead.exists(), alive.exists()) == (False, True)
        process.communicate(b"\n")
    workers.delete_leftovers()
    assert not alive.exists()

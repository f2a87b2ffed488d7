"""Several people and programs at the same gradebook do each other no harm."""

import subprocess
import sys
import threading

import pytest
from classroom import RIGHT, SQUARE, is_sound, mark, marked, open_course, scores, start, submit

from autograder import __main__, grading, paths
from autograder.assignment import locked


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

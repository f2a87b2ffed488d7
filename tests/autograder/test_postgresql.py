"""The gradebook in PostgreSQL, through nbgrader's db_url: a real server, and the whole way from release to export."""

import subprocess
import sys

import psycopg
import pytest
from classroom import ABSOLUTE, RIGHT, SQUARE, open_course, submit
from postgresql import server
from traitlets.config import Config

from autograder import export, grades, grading, paths, report
from autograder.assignment import AssignmentError
from autograder.course import Course

pytestmark = pytest.mark.slow
QUIETLY = grading.Options(workers=1, progress=False)


@pytest.fixture(scope="module")
def graded(sandbox, tiny_for_module, tmp_path_factory):
    """A course whose gradebook is in PostgreSQL, graded once."""
    with server() as address:
        settings = Config({"CourseDirectory": {"db_url": address}})
        course = open_course(tmp_path_factory.mktemp("course"), tiny_for_module, settings)
        submit(course, right=RIGHT, square=SQUARE, absolute={"double": ABSOLUTE, "reason": "It is so."})
        grading.grade(course, "01_tiny", QUIETLY)
        yield course, address


def of(course):
    return {grade.student: grade for grade in grades.of(course, "01_tiny")}


def test_the_marks_are_in_the_server_and_nowhere_else(graded):
    course, address = graded
    with psycopg.connect(address) as connection:
        assert connection.execute("select count(*) from submitted_assignment").fetchone() == (3,)
    assert not (course.root / "gradebook.db").exists()
    assert {student: grade.tasks["double"] for student, grade in of(course).items()} == {
        "right": 2.5,
        "square": 0,
        "absolute": 1,
    }


def test_marks_given_by_hand_stay_when_somebody_submits_anew(graded):
    course, _ = graded
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade("reason", "tiny", "01_tiny", "absolute")
        grade.manual_score, grade.needs_manual_grade = 2, False
        gradebook.find_comment("reason", "tiny", "01_tiny", "absolute").manual_comment = "Yes."
        gradebook.db.commit()
    submit(course, square=ABSOLUTE)
    summary = grading.grade(course, "01_tiny", QUIETLY)
    assert (summary.graded, summary.moved) == (["square"], {"square": (0.0, 1.0)})
    course.autograde_one("01_tiny", "absolute")
    assert (of(course)["absolute"].score, of(course)["absolute"].status) == (3, "graded")


def test_feedback_report_and_export_read_it(graded):
    course, _ = graded
    pages = {page.parts[-3]: page.read_text() for page in course.generate_feedback("01_tiny")}
    assert "</strong> of 4.5 points" in pages["right"]
    assert "You lose the sign." in report.write(course, "01_tiny").read_text()
    path, _ = export.write(course, "01_tiny", "moodle", unfinished=True)
    assert "right,2.5," in path.read_text()


def test_who_has_the_same_gradebook_in_another_folder_waits_for_the_first(graded, tiny_for_module, tmp_path):
    course, address = graded
    other = Course(tmp_path / "course", Config({"CourseDirectory": {"db_url": address}}))
    other.add_source(tiny_for_module)
    other.generate_assignment("01_tiny")
    before = of(course)
    with grading.alone(course), pytest.raises(AssignmentError, match="somebody is grading in this course now"):
        grading.grade(other, "01_tiny", QUIETLY)
    assert of(course) == before
    assert grading.grade(other, "01_tiny", QUIETLY).graded == []


def test_two_who_record_the_same_class_at_once(graded):
    """nbgrader's own command, twice: each submission is recorded by one of them at a time, and is there once."""
    course, address = graded
    more = [f"--course-dir={course.root}", f"--db={address}", "--force"]
    command = [sys.executable, "-m", "nbgrader", "autograde", "01_tiny", *more]
    both = [subprocess.Popen(command, cwd=paths.REPOSITORY, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert {student: grade.tasks for student, grade in of(course).items()} == {
        "right": {"double": 2.5, "reason": 0},
        "square": {"double": 1, "reason": 0},
        "absolute": {"double": 1, "reason": 2},
    }

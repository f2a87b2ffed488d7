"""The gradebook in PostgreSQL, through nbgrader's db_url: a real server, and the whole way from release to export."""

import psycopg
import pytest
from classroom import ABSOLUTE, RIGHT, SQUARE, open_course, submit
from postgresql import server
from traitlets.config import Config

from autograder import export, grades, grading, report

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

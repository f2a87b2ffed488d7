"""Late submissions: what being late costs is in the gradebook, the feedback, the report and the exports, and stays right."""

import pytest
from classroom import RIGHT, open_course, submit
from nbgrader.plugins import LateSubmissionPlugin
from traitlets.config import Config

from autograder import export, grades, grading, paths, report

pytestmark = pytest.mark.slow
QUIETLY = grading.Options(workers=1, progress=False)


class PerDay(LateSubmissionPlugin):
    """A fifth of the points for each day that has begun."""

    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return min(score, 0.2 * score * -(-total_seconds_late // 86400))


@pytest.fixture(scope="module")
def graded(sandbox, tiny_for_module, tmp_path_factory):
    """A course in which three people have the same right answer: one in time, one two days late, one far too late."""
    settings = Config({"AssignLatePenalties": {"plugin_class": PerDay}})
    course = open_course(tmp_path_factory.mktemp("course"), tiny_for_module, settings)
    with course.gradebook() as gradebook:
        gradebook.update_or_create_assignment("01_tiny", duedate="2031-02-01 12:00:00 UTC")
    submit(course, **{student: {"double": RIGHT, "reason": "It is so."} for student in ("on_time", "late", "lost")})
    for student, time in {"on_time": "02-01 11:59:59", "late": "02-02 13:00:00", "lost": "03-02 13:00:00"}.items():
        folder = course.notebook("submitted", "01_tiny", "tiny", student).parent
        paths.write(folder / "timestamp.txt", f"2031-{time}.0 UTC\n")
    grading.grade(course, "01_tiny", QUIETLY)
    return course


def of(course):
    return {grade.student: (grade.score, grade.penalty) for grade in grades.of(course, "01_tiny")}


def test_the_penalty_is_taken_from_the_score(graded):
    assert of(graded) == {"on_time": (2.5, 0), "late": (1.5, 1), "lost": (0, 2.5)}


def test_after_a_written_answer_was_read_the_penalty_is_counted_from_all_points(graded):
    with graded.gradebook() as gradebook:
        for student in ("on_time", "late"):
            grade = gradebook.find_grade("reason", "tiny", "01_tiny", student)
            grade.manual_score, grade.needs_manual_grade = 1.5, False
        gradebook.db.commit()
    grading.grade(graded, "01_tiny", grading.Options(workers=1, progress=False, again=True))
    assert of(graded) == {"on_time": (4, 0), "late": (2.4, 1.6), "lost": (0, 2.5)}


def test_feedback_report_and_export_have_it(graded):
    pages = {page.parts[-3]: page.read_text() for page in graded.generate_feedback("01_tiny")}
    assert "You reached 4 points. The notebook was handed in late, which costs 1.6." in pages["late"]
    assert "handed in late" not in pages["on_time"]
    page = report.write(graded, "01_tiny").read_text()
    assert "2 were late: late (&#x2212;1.6), lost (&#x2212;2.5)." in page
    path, _ = export.write(graded, "01_tiny", "moodle", unfinished=True)
    assert "late,2.4,double: 2.5; reason: 1.5; late: -1.6" in path.read_text()

"""Submissions of a small assignment, graded by nbgrader with the settings of nbgrader_config.py."""

import subprocess
import sys

import pytest
from classroom import open_course, submit

from autograder import grades, grading, nbgrader_steps, notebooks, paths, release, workers
from autograder.course import Course, CourseError
from autograder.pool import Pool

pytestmark = pytest.mark.slow

WARNS = """import sys, warnings

def double(x):
    warnings.warn("careful")
    print("to stdout")
    print("to stderr", file=sys.stderr)
    return 2 * x
"""
FAILS_HIDDEN = "def double(x):\n    return {3: 6, 10: 20}[x]"
SUBMISSIONS = {
    "blank": {},
    "fails_hidden": {"double": FAILS_HIDDEN},
    "warns": {"double": WARNS, "reason": "It is so."},
}
UNREADABLE = {
    "cut_off": (lambda text: text[: len(text) // 2], "not a whole notebook"),
    "empty": (lambda text: "", "is empty"),
    "not_a_notebook": (lambda text: "[1, 2, 3]", "not a notebook"),
    "no_cells": (lambda text: '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "no list of cells"),
    "not_text": (lambda text: "\ud8ff" + text, "not text"),
}


@pytest.fixture(scope="module")
def graded(sandbox, tiny_for_module, tmp_path_factory):
    """The course after autograding and feedback, as (course, summary, pages by student)."""
    course = open_course(tmp_path_factory.mktemp("course"), tiny_for_module)
    submit(course, **SUBMISSIONS)
    released = notebooks.from_bytes(course.notebook("release", "01_tiny", "tiny").read_bytes())
    for student, (damage, _) in UNREADABLE.items():
        submission = course.notebook("submitted", "01_tiny", "tiny", student)
        submission.parent.mkdir(parents=True)
        submission.write_bytes(damage(notebooks.to_text(released)).encode("utf-8", "surrogatepass"))
    summary = grading.grade(course, "01_tiny", grading.Options(workers=1, progress=False))
    pages = {page.parts[-3]: page.read_text() for page in course.generate_feedback("01_tiny")}
    return course, summary, pages


@pytest.fixture(scope="module")
def result(graded):
    course, _, _ = graded
    return {grade.student: grade for grade in grades.of(course, "01_tiny")}


def test_the_source_folder_holds_the_notebook_and_nothing_else(graded):
    course, _, _ = graded
    assert [path.name for path in (course.root / "source" / "01_tiny").iterdir()] == ["tiny.ipynb"]
    assert [path.name for path in (course.root / "release" / "01_tiny").iterdir()] == ["tiny.ipynb"]


def test_a_warning_or_a_print_costs_no_mark(result):
    assert result["warns"].tasks == {"double": 2.5, "reason": 0}


def test_hidden_tests_count(result):
    assert result["fails_hidden"].tasks == {"double": 1, "reason": 0}


def test_a_blank_notebook_has_no_points_and_needs_nobody(result):
    assert (result["blank"].score, result["blank"].status) == (0, "graded")


def test_a_written_answer_waits_for_a_human(result):
    assert result["warns"].status == "needs a human: reason"


@pytest.mark.parametrize("student", UNREADABLE)
def test_what_cannot_be_read_stops_nobody_and_asks_for_a_human(student, graded, result):
    _, summary, pages = graded
    assert set(summary.human) == set(UNREADABLE)
    assert UNREADABLE[student][1] in summary.human[student]
    assert (result[student].score, result[student].max_score) == (0, 4.5)
    assert result[student].status == "needs a human: flagged"
    assert "could not be graded" in pages[student]
    assert "What to do" in pages[student]
    assert "0 of 4.5 points" in pages[student]


def test_everyone_gets_feedback(graded):
    _, _, pages = graded
    assert set(pages) == set(SUBMISSIONS) | set(UNREADABLE)


def test_feedback_shows_marks_and_the_reason_but_no_hidden_test(graded):
    _, _, pages = graded
    page = pages["fails_hidden"]
    assert '<a href="#double-other">' in page
    assert "your code raised KeyError" in page  # what went wrong in the student's code
    for student in SUBMISSIONS:
        for secret in ("unseen", "-1234", "probe(", "HIDDEN TESTS"):
            assert secret not in pages[student], f"{student}: {secret}"


def test_grading_again_keeps_marks_given_by_hand(graded):
    course, _, _ = graded
    with course.gradebook() as gradebook:
        gradebook.find_grade("reason", "tiny", "01_tiny", "warns").manual_score = 2
        gradebook.db.commit()
    summary = grading.grade(course, "01_tiny", grading.Options(workers=1, progress=False))
    assert summary.graded == []
    assert set(summary.unchanged) == set(SUBMISSIONS) | set(UNREADABLE)
    course.autograde("01_tiny")
    assert {grade.student: grade.score for grade in grades.of(course, "01_tiny")}["warns"] == 4.5


def test_plain_nbgrader_commands_use_the_same_settings(sandbox, tiny, tmp_path):
    """Started in the repository, where nbgrader finds nbgrader_config.py; only the course folder is another one."""
    course = Course(tmp_path / "course")
    course.add_source(tiny)

    def nbgrader(step):
        command = [sys.executable, "-m", "nbgrader", step, "01_tiny", f"--course-dir={course.root}"]
        done = subprocess.run(command, cwd=paths.REPOSITORY, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    nbgrader("generate_assignment")
    released = course.notebook("release", "01_tiny", "tiny").read_bytes()
    assert released.decode() == release.release(tiny)
    submit(course, **{student: SUBMISSIONS[student] for student in ("warns", "fails_hidden")})
    nbgrader("autograde")
    nbgrader("generate_feedback")
    marks = grades.of(course, "01_tiny")
    assert {grade.student: grade.tasks["double"] for grade in marks} == {"warns": 2.5, "fails_hidden": 1}
    page = course.notebook("feedback", "01_tiny", "tiny", "fails_hidden").with_suffix(".html").read_text()
    assert "your code raised KeyError" in page
    assert "unseen" not in page


def test_a_step_that_fails_says_where_its_log_is(tmp_path):
    with pytest.raises(CourseError, match=r"GenerateAssignment failed for 07_none.*nbgrader\.log"):
        Course(tmp_path).generate_assignment("07_none")
    assert "07_none" in (tmp_path / "nbgrader.log").read_text()


def test_each_submission_is_run_once_and_by_a_worker(sandbox, tiny, tmp_path, monkeypatch):
    course = open_course(tmp_path / "course", tiny)
    submit(course, **SUBMISSIONS)
    asked = []

    def run(self, requests):
        for name, request in requests:
            asked.append(name)
            yield name, workers.run(request)

    monkeypatch.setattr(Pool, "run", run)
    monkeypatch.setattr(nbgrader_steps, "_run", lambda request: pytest.fail("it was run a second time"))
    assert len(grading.grade(course, "01_tiny", grading.Options(workers=1, progress=False)).graded) == len(SUBMISSIONS)
    assert [name for name in asked if name in SUBMISSIONS] == sorted(SUBMISSIONS)

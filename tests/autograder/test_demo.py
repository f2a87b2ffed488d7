"""The demo class: the real one through the command line, and its checks on a small assignment."""

import csv
import dataclasses
import os
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook

from autograder import demo, notebooks, paths, release, source

STUDENTS = ("blank", "broken", "mistake_n_minus_1", "mistake_smallest", "partly_right", "perfect")
LOST = {
    "perfect": {},
    "mistake_n_minus_1": {"covariance-values": 0, "subspace-why": 2},
    "mistake_smallest": {"fit-line": 0, "fit-subspace": 0, "subspace-why": 2},
    "partly_right": {"subspace-why": 1}
    | {
        f"{task}-{part}": 0
        for task in (
            "reconstruct",
            "reconstruction_error",
            "discarded_variance",
            "explained_variance_ratio",
            "choose_k",
        )
        for part in ("shape", "values")
    },
}


@pytest.fixture(scope="module")
def finished(sandbox, tmp_path_factory):
    """The folder of the demo class, and what the command printed."""
    folder = tmp_path_factory.mktemp("demo") / "class"
    command = [sys.executable, "-m", "autograder", "demo", "--folder", str(folder)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=paths.REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder, done


@pytest.mark.slow
def test_the_grades_file_has_the_right_grades(finished):
    folder, _ = finished
    rows = {row["student"]: row for row in csv.DictReader((folder / "grades.csv").read_text().splitlines())}
    assert {student: float(row["score"]) for student, row in rows.items()} == {
        "perfect": 20,
        "blank": 0,
        "broken": 0,
        "partly_right": 10.5,
        "mistake_n_minus_1": 18,
        "mistake_smallest": 16.5,
    }
    assert {row["max_score"] for row in rows.values()} == {"20"}
    assert {row["assignment"] for row in rows.values()} == {"01_linear"}
    assert [name for name, row in rows.items() if row["status"] != "graded"] == ["broken"]
    tasks = list(source.tasks(source.load(demo.ASSIGNMENT)))
    assert list(rows["perfect"])[4:-1] == tasks
    for row in rows.values():
        assert sum(float(row[task]) for task in tasks) == float(row["score"])


@pytest.mark.slow
def test_every_test_cell_has_the_right_mark_in_the_gradebook(finished):
    folder, _ = finished
    worth = source.points(source.load(demo.ASSIGNMENT))
    expected = {student: worth | lost for student, lost in LOST.items()}
    expected |= {student: dict.fromkeys(worth, 0) for student in ("blank", "broken")}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        marks = {
            student: {
                grade.name: grade.score
                for grade in gradebook.find_submission_notebook("linear", "01_linear", student).grades
            }
            for student in STUDENTS
        }
    assert marks == expected


@pytest.mark.slow
def test_every_student_gets_feedback_without_hidden_tests_or_answers(finished):
    folder, done = finished
    # Words that stand in hidden tests and the model answer only.
    secret = ("HIDDEN TESTS", "draw.integers", "### CHECK", "Rubric")
    assert all(word in demo.ASSIGNMENT.read_text() for word in secret)
    for student in STUDENTS:
        page = folder / "feedback" / student / "01_linear" / "linear.html"
        assert str(page) in done.stdout
        assert [word for word in secret if word in page.read_text()] == [], student
    assert "Complete and correct." in (folder / "feedback/perfect/01_linear/linear.html").read_text()
    assert "could not be graded" in (folder / "feedback/broken/01_linear/linear.html").read_text()


@pytest.mark.slow
def test_the_command_prints_the_table_and_nothing_else(finished):
    _, done = finished
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:7]] == list(STUDENTS)
    assert "The grades are right." in done.stdout


@pytest.fixture
def tiny_demo(sandbox, tiny, monkeypatch):
    monkeypatch.setattr(demo, "ASSIGNMENT", tiny)
    monkeypatch.setattr(demo, "MISTAKES", (("double", "absolute"),))
    return source.load(tiny)


@pytest.mark.slow
def test_a_class_of_the_small_assignment(tiny_demo, tmp_path):
    result = demo.run(tmp_path / "class")
    assert {grade.student: grade.score for grade in result} == {
        "blank": 0,
        "broken": 0,
        "mistake_absolute": 1 + 1.33,
        "partly_right": 0.67,
        "perfect": 4.5,
    }
    people = demo.students(tiny_demo, [])
    demo.check(tiny_demo, people, result)
    perfect = next(grade for grade in result if grade.student == "perfect")
    for change in (
        {"score": 4.4},
        {"max_score": 5},
        {"tasks": {"double": 2.4, "reason": 2}},
        {"status": "needs a human"},
    ):
        bad = [grade for grade in result if grade is not perfect] + [dataclasses.replace(perfect, **change)]
        with pytest.raises(demo.DemoError, match="perfect"):
            demo.check(tiny_demo, people, bad)
    with pytest.raises(demo.DemoError, match="blank: has no grade"):
        demo.check(tiny_demo, people, [grade for grade in result if grade.student != "blank"])


def test_a_folder_that_no_demo_made_is_left_alone(tiny_demo, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(demo.DemoError, match="not made by the demo"):
        demo.run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["solutions", "thesis.txt"]


def test_the_broken_notebook_is_cut_off(tiny_demo, tmp_path, tiny):
    (broken,) = [student for student in demo.students(tiny_demo, []) if student.cut_off]
    assert broken.name == "broken"
    text = release.release(tiny)
    with pytest.raises(notebooks.NotebookError):
        notebooks.from_bytes(text[: len(text) // 2].encode())

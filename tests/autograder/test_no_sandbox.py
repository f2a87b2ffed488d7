"""Grading without a sandbox: it warns, the marks are right for honest work, and every submission asks for a human."""

import pytest

from autograder import __main__, bank, grades, notebooks, paths, report
from autograder.course import Course
from autograder.record import Record, place


@pytest.mark.slow
def test_marks_are_flagged(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no bubblewrap: it must not be needed
    course = Course(tmp_path / "course")
    course.add_source(tiny)
    course.generate_assignment("01_tiny")
    released = notebooks.from_bytes(course.notebook("release", "01_tiny", "tiny").read_bytes())
    for student, code in {
        "right": "def double(x):\n    return 2 * x",
        "square": "def double(x):\n    return x * x",
    }.items():
        text = notebooks.to_text(bank.fill_in(released, {"double": code}))
        paths.write(course.notebook("submitted", "01_tiny", "tiny", student), text)
    command = ["grade", "01_tiny", "--course", str(course.root), "--workers", "1"]
    assert __main__.main(command) == 1
    assert "apt install bubblewrap" in capsys.readouterr().err
    assert grades_of(course) == {}
    assert __main__.main([*command, "--no-sandbox"]) == 0
    assert "WARNING: without a sandbox" in capsys.readouterr().err
    assert grades_of(course) == {"right": (2.5, "needs a human: flagged"), "square": (0, "needs a human: flagged")}
    for student in ("right", "square"):
        assert not Record.read(place(course.root, "01_tiny", "tiny", student)).sandboxed
    assert "its marks cannot be trusted" in report.write(course, "01_tiny").read_text()


def grades_of(course):
    return {grade.student: (grade.tasks["double"], grade.status) for grade in grades.of(course, "01_tiny")}

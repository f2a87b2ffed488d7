"""Grading without a sandbox: it warns, the marks are right for honest work, and every submission asks for a human."""

import pytest
from classroom import RIGHT, SQUARE, open_course, submit

from autograder import __main__, grades, report
from autograder.record import Record, place


@pytest.mark.slow
def test_marks_are_flagged(tiny, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")  # no bubblewrap: it must not be needed
    course = open_course(tmp_path / "course", tiny)
    submit(course, right=RIGHT, square=SQUARE)
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

"""The command line where nothing needs a sandbox: what it prints, where files go, and what it says to a slip."""

import pytest

from autograder import __main__, paths
from autograder.course import Course


@pytest.fixture
def course(tiny, tmp_path):
    """A course in which one assignment was generated and nobody has submitted."""
    course = Course(tmp_path / "course")
    course.add_source(tiny)
    course.generate_assignment("01_tiny")
    return course


def test_verify_takes_the_assignments_that_are_named(tiny, capsys, monkeypatch):
    monkeypatch.setattr(paths, "SOLUTIONS", tiny.parents[1])
    assert __main__.main(["verify", "01_tiny"]) == 0
    assert capsys.readouterr().out.startswith("01_tiny/tiny\n")


def test_verify_says_which_assignments_there_are(tiny, capsys, monkeypatch):
    monkeypatch.setattr(paths, "SOLUTIONS", tiny.parents[1])
    assert __main__.main(["verify", "02_large"]) == 1
    assert capsys.readouterr().err == "SourceError: got the assignment '02_large'; expected one of 01_tiny\n"


def test_report_names_the_page(course, capsys):
    assert __main__.main(["report", "01_tiny", "--course", str(course.root)]) == 0
    page = course.root / "reports" / "01_tiny.html"
    assert capsys.readouterr().out == f"{page}\n"
    assert "01_tiny" in page.read_text()


def test_export_has_nothing_to_write_before_grading(course, capsys):
    assert __main__.main(["export", "01_tiny", "--course", str(course.root), "--format", "canvas"]) == 1
    assert "ExportError: there are no grades to export" in capsys.readouterr().err
    assert not (course.root / "exports").exists()


@pytest.mark.parametrize("command", [["report"], ["export", "--format", "moodle"]])
def test_an_assignment_that_is_not_there(command, course, capsys):
    assert __main__.main([*command, "02_large", "--course", str(course.root)]) == 1
    assert "02_large" in capsys.readouterr().err

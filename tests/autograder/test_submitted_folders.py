"""Whatever lies in a submission's folder, and whatever nbgrader or the disk says to it: the others are graded."""

import os
import subprocess
import sys

import pytest
from classroom import QUIETLY, RIGHT, SQUARE, folder_of, open_course, record_of, scores, statuses, submit

from autograder import __main__, grading, notebooks, paths
from autograder.course import Course, CourseError

SECRET = "the instructor's own"


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
    for name in ("timestamp.txt", "submission_secret.txt"):
        (folder / name).symlink_to(folder.parents[2] / "secret.txt")
    (folder / "all").symlink_to(folder.parents[2])


def _submits(folder):
    """What `nbgrader submit` adds."""
    (folder / "timestamp.txt").write_text("2031-02-01 12:00:00.0 UTC")
    (folder / "submission_secret.txt").write_text("5a" * 64)


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
    "plain": (_submits, 2.5, ""),
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
    assert {path.name for path in graded.rglob("*") if not path.is_dir()} == {
        "tiny.ipynb",
        "timestamp.txt",
        "submission_secret.txt",
    }
    assert sorted(path.parts[-3] for path in graded.rglob("timestamp.txt")) == ["plain", "untimely"]
    # From this nbgrader makes the name of the page that a student fetches, so it is the same to the letter.
    (told,) = graded.rglob("submission_secret.txt")
    assert (told.parts[-3], told.read_text()) == ("plain", "5a" * 64)
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

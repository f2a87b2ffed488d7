"""Intake: what comes of any file at all, and of each way in which a notebook can be changed."""

import base64
import copy
import json
import os

import pytest
from corpus import material
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder import bank, intake, notebooks
from autograder.intake import IntakeLimits

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n rest").decode()
KEYS = st.sampled_from(
    [
        "nbformat",
        "cells",
        "worksheets",
        "metadata",
        "source",
        "input",
        "cell_type",
        "id",
        "nbgrader",
        "grade_id",
        "schema_version",
        "points",
        "grade",
        "tags",
        "attachments",
        "kernelspec",
        "language",
        "image/png",
    ]
)
WORDS = st.sampled_from(["code", "markdown", "center", "kl-zero", "intro", "python", "a.png", PNG, "\ud800", "\0", "1"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=5),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return material(tmp_path_factory.mktemp("course"))


@pytest.fixture
def submission(made):
    """Right answers as a notebook's JSON, to be changed."""
    return json.loads(notebooks.to_text(bank.fill_in(made.released, made.right)))


def rebuild(made, notebook):
    return intake.rebuild(json.dumps(notebook).encode(), made.released)


def cells(taken):
    return {cell.id: cell for cell in taken.notebook.cells}


def own(text, **metadata):
    return {"cell_type": "code", "metadata": metadata, "source": text, "outputs": [], "execution_count": None}


def test_an_honest_submission_is_the_released_notebook_with_answers(made, submission):
    taken = rebuild(made, submission)
    assert (taken.notes, taken.problem) == ([], "")
    assert taken.notebook == bank.fill_in(made.released, made.right)


def test_own_cells_stay_where_they_are_and_get_names(made, submission):
    submission["cells"].insert(0, own("first = 1"))
    submission["cells"].insert(5, {"cell_type": "markdown", "metadata": {}, "source": ["two\n", "lines"]})
    submission["cells"].append(own(""))
    taken = rebuild(made, submission)
    assert taken.notes == []
    assert [(cell.id, cell.source) for cell in taken.notebook.cells if "nbgrader" not in cell.metadata] == [
        ("free-1", "first = 1"),
        ("free-2", "two\nlines"),
        ("free-3", ""),
    ]
    assert [cell.id for cell in taken.notebook.cells][5] == "free-2"


def test_what_is_graded_is_the_released_notebooks(made, submission):
    for cell in submission["cells"]:
        cell["metadata"]["nbgrader"] |= {"points": 99, "checksum": "x", "locked": False}
        cell["metadata"]["more"] = 1
        if cell["id"] not in made.right:
            cell["source"] = "changed"
    taken = rebuild(made, submission)
    assert taken.notebook == bank.fill_in(made.released, made.right)
    assert any(note.startswith("These cells are not as they were released") for note in taken.notes)
    assert any(note.startswith("The labels of these cells say something else") for note in taken.notes)


def test_nothing_of_the_solution_is_in_the_result(made, submission):
    """Not even in the place of a cell that is missing."""
    submission["cells"] = submission["cells"][:1]
    text = notebooks.to_text(rebuild(made, submission).notebook)
    for hidden in ("column_means", "unseen", "probe(", "CHECK", "BEGIN"):
        assert hidden not in text


def test_a_missing_solution_is_empty_and_undoes_nothing(made, submission):
    submission["cells"] = [cell for cell in submission["cells"] if cell["id"] != "kl"]
    taken = rebuild(made, submission)
    assert cells(taken)["kl"].source == ""
    assert taken.notes == ["These cells were missing and were put back: kl."]


def test_of_two_cells_with_one_label_the_first_counts_and_the_second_runs(made, submission):
    position = next(i for i, cell in enumerate(submission["cells"]) if cell["id"] == "center")
    copied = {**submission["cells"][position], "id": "other", "source": "center = None"}
    submission["cells"].insert(position + 1, copied)
    taken = rebuild(made, submission)
    assert cells(taken)["center"].source == made.right["center"]
    assert cells(taken)["free-1"].source == "center = None"
    assert "nbgrader" not in cells(taken)["free-1"].metadata
    assert taken.notes == ["These cells are there more than once; the first counts, the others were only run: center."]


def test_names_of_own_cells_are_never_those_of_the_assignment(made, submission):
    released = copy.deepcopy(made.released)
    released.cells[1].id = released.cells[1].metadata.nbgrader.grade_id = "free-1"
    submission["cells"].append(own("x = 1"))
    taken = intake.rebuild(json.dumps(submission).encode(), released)
    ids = [cell.id for cell in taken.notebook.cells]
    assert len(set(ids)) == len(ids)
    assert cells(taken)["free-1"].source == released.cells[1].source


@pytest.mark.parametrize("clue", ["id", "metadata id", "content"])
def test_cells_without_labels_are_found(made, submission, clue):
    for number, cell in enumerate(submission["cells"]):
        cell["metadata"] = {"id": cell["id"]} if clue == "metadata id" else {}
        cell["id"] = cell["id"] if clue == "id" else f"x{number}"
    taken = rebuild(made, submission)
    assert taken.notebook == bank.fill_in(made.released, made.right)
    assert len(taken.notes) == 1


def test_a_written_answer_without_a_label_is_found_by_its_place(made, submission):
    released = copy.deepcopy(made.released)
    label = {"grade": True, "solution": True, "locked": False, "points": 3, "schema_version": 3, "task": False}
    answer = notebooks.new_cell("markdown", "YOUR ANSWER HERE", "why")
    answer.metadata["nbgrader"] = {**label, "grade_id": "why"}
    released.cells.append(answer)
    attached = {"image.png": {"image/png": PNG}}
    mine = {"cell_type": "markdown", "metadata": {}, "source": "because ![](attachment:image.png)"}
    submission["cells"].append({**mine, "attachments": attached})
    taken = intake.rebuild(json.dumps(submission).encode(), released)
    assert cells(taken)["why"].source == mine["source"]
    assert cells(taken)["why"].attachments == attached
    assert taken.notes == ["The labels of these cells were lost, so they were found by what is in them: why."]
    submission["cells"].pop()
    assert cells(intake.rebuild(json.dumps(submission).encode(), released))["why"].source == "YOUR ANSWER HERE"


@pytest.mark.parametrize(
    ("name", "kinds", "kept"),
    [
        ("image.png", {"image/png": PNG}, True),
        ("image.png", {"image/png": [PNG[:5] + "\n", PNG[5:]]}, True),
        ("../../image.png", {"image/png": PNG}, False),
        (".hidden", {"image/png": PNG}, False),
        ("image.svg", {"image/svg+xml": "<svg onload='alert(1)'/>"}, False),
        ("image.png", {"image/png": base64.b64encode(b"<script>").decode()}, False),
        ("image.png", {"image/png": "no base64"}, False),
        ("image.png", ["image/png"], False),
    ],
)
def test_attachments_are_pictures(made, submission, name, kinds, kept):
    cell = {"cell_type": "markdown", "metadata": {}, "source": "see", "attachments": {name: kinds}}
    submission["cells"].append(cell)
    taken = rebuild(made, submission)
    assert cells(taken)["free-1"].get("attachments", {}) == ({name: {"image/png": PNG}} if kept else {})
    assert taken.notes == ([] if kept else ["Attachments that are not pictures were dropped."])


@pytest.mark.parametrize(
    ("limits", "problem"),
    [
        (IntakeLimits(cells=5), "The notebook has 12 cells; it may have 5."),
        (IntakeLimits(characters=10), "Cell 1 has "),
    ],
)
def test_limits(made, submission, limits, problem):
    assert len(made.released.cells) == 12
    taken = intake.rebuild(json.dumps(submission).encode(), made.released, limits)
    assert taken.notebook is None
    assert taken.problem.startswith(problem)


def test_a_file_may_be_as_large_as_the_limit(made, submission, tmp_path):
    path = tmp_path / "someone" / "corpus" / "torch.ipynb"
    path.parent.mkdir(parents=True)
    content = json.dumps(submission).encode()
    path.write_bytes(content + b" " * (2**20 - len(content)))
    assert intake.take(path, made.released, IntakeLimits(file=1)).problem == ""
    path.write_bytes(path.read_bytes() + b" ")
    assert "larger than 1 MiB" in intake.take(path, made.released, IntakeLimits(file=1)).problem


def test_the_names_of_files_that_are_there_are_told_in_plain_text(made, tmp_path):
    folder = tmp_path / "someone" / "corpus"
    folder.mkdir(parents=True)
    assert intake.take(folder / "torch.ipynb", made.released).problem.endswith("The submission has no notebook.")
    (folder / "mine\n.ipynb").touch()
    os.close(os.open(bytes(folder) + b"/\xff.ipynb", os.O_CREAT))
    problem = intake.take(folder / "torch.ipynb", made.released).problem
    assert problem.startswith("There is no file torch.ipynb. The submission has mine?.ipynb, ")
    assert problem.encode()
    assert problem.isprintable()


def test_no_folder_and_no_permission(made, tmp_path):
    assert "folder" in intake.take(tmp_path / "nobody" / "corpus" / "torch.ipynb", made.released).problem
    path = tmp_path / "someone" / "corpus" / "torch.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    path.chmod(0)
    assert intake.take(path, made.released).notebook is None


@settings(max_examples=200, deadline=None)
@given(content=st.binary() | st.text().map(str.encode) | JSON.map(json.dumps).map(str.encode))
def test_nothing_is_raised_whatever_a_file_holds(content):
    taken = intake.rebuild(content, material(None).released)
    assert (taken.notebook is None) == bool(taken.problem)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_cells_give_a_whole_notebook_and_the_result_gives_itself(data):
    """Cells of the assignment in any order and number, changed in any way, among cells of any form."""
    released = material(None).released
    known = st.sampled_from(released.cells).map(copy.deepcopy)
    changed = st.builds(lambda cell, change: {**cell, **change}, known, st.dictionaries(KEYS, JSON, max_size=3))
    free = st.builds(lambda text, metadata: {**own(text), "metadata": metadata}, st.text(max_size=30), JSON)
    listed = data.draw(st.lists(known | free | changed, max_size=15))
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": data.draw(JSON), "cells": listed}
    taken = intake.rebuild(json.dumps(notebook).encode(), released)
    if taken.notebook is None:
        assert taken.problem
        return
    text = notebooks.to_text(taken.notebook).encode()
    assert notebooks.from_bytes(text) == taken.notebook
    names = [cell.id for cell in taken.notebook.cells]
    assert [name for name in names if not name.startswith("free-")] == [cell.id for cell in released.cells]
    assert len(set(names)) == len(names)
    assert all(note.isprintable() for note in taken.notes)
    again = intake.rebuild(text, released)
    assert again.notebook == taken.notebook
    assert again.notes == []

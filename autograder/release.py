"""From the source of an assignment to the notebook that students get, and the proof that no answer is in it."""

import json
import tempfile
from pathlib import Path

from nbformat import NotebookNode
from traitlets.config import Config

from autograder import notebooks, paths, probes, source
from autograder.course import Course

# A shorter line, such as `return x`, gives nothing away and may stand in a release by chance.
MIN_SECRET = 12


class LeakError(ValueError):
    """A release would give away an answer or a hidden test; nothing was written."""


def release(path: Path) -> str:
    """The student notebook of the percent notebook at ``path``: nbgrader's conversion, always the same bytes.

    Raises:
        SourceError: if the source breaks a rule of the format, or a test has no hidden part that hands out values.
        LeakError: if a solution, a model answer or a hidden test would be left in the release.
    """
    with tempfile.TemporaryDirectory() as folder:
        # A release needs no gradebook: the instructor's own course records the test cells.
        settings = Config({"SaveCells": {"enabled": False}, "GenerateAssignment": {"no_database": True}})
        course = Course(Path(folder), settings)
        notebook = course.add_source(path)
        probes.read(notebook)  # every test must be able to give a mark
        course.generate_assignment(path.parent.name)
        text = course.notebook("release", path.parent.name, path.stem).read_bytes()
    check_leaks(notebook, notebooks.from_bytes(text))
    return text.decode("utf-8")


def secrets(notebook: NotebookNode) -> dict[str, str]:
    """Every line that a release must not contain, without its blanks -> the name of the cell it is in.

    These are the lines of solutions and of written answers, and the lines of hidden tests that the visible part of the
    same test does not have anyway; but no imports and no lines of fewer than ``MIN_SECRET`` characters.
    """
    lines: dict[str, str] = {}
    for cell in notebook.cells:
        if source.kind_of(cell) == "answer":
            text = cell.source.splitlines()
        else:
            visible, hidden = source.split(cell.source, "HIDDEN TESTS")
            text = source.split(cell.source, "SOLUTION")[1] + [line for line in hidden if line not in visible]
        for line in text:
            squeezed = squeeze(line)
            if len(squeezed) >= MIN_SECRET and not line.lstrip().startswith(("import ", "from ")):
                lines[squeezed] = cell.id
    return lines


def check_leaks(notebook: NotebookNode, released: NotebookNode) -> None:
    """Check that no mark and no secret line of the source ``notebook`` stands anywhere in the ``released`` one.

    Raises:
        LeakError: naming the line, the cell it comes from and the cell it would be released in.
    """
    hidden = secrets(notebook)
    for cell in released.cells:
        squeezed = squeeze(cell.source)
        for mark in source.MARKS:
            if squeeze(mark) in squeezed.upper():
                raise LeakError(f"cell {cell.id}: the mark {mark!r} would be left in the release")
        for line, origin in hidden.items():
            if line in squeezed:
                raise LeakError(
                    f"cell {cell.id}: a line of the answer or hidden test in {origin} would be released: {line}"
                )
        if cell.get("outputs") or cell.get("execution_count"):
            raise LeakError(f"cell {cell.id}: outputs would be released")


def write_all(solutions: Path, exercises: Path) -> list[Path]:
    """Write the student notebook of every assignment; all are made before the first is written.

    Raises:
        SourceError, LeakError: and then nothing was written.
    """
    made = {_target(path, exercises): release(path) for path in paths.sources(solutions)}
    for target, text in made.items():
        paths.write(target, text)
    return list(made)


def differences(solutions: Path, exercises: Path) -> list[str]:
    """One line for each way in which the notebooks in ``exercises`` are not what ``solutions`` gives; none is right."""
    found = []
    made = {_target(path, exercises): release(path) for path in paths.sources(solutions)}
    for target, text in made.items():
        name = f"{target.parent.name}/{target.name}"
        if not target.exists():
            found.append(f"{name}: missing")
        elif (old := target.read_text(encoding="utf-8")) != text:
            found.append(f"{name}: {_changed_cells(old, text)}")
    strangers = sorted(path for path in exercises.glob("*/*") if path.is_file() and path not in made)
    return found + [f"{path.parent.name}/{path.name}: has no source in {solutions.name}/" for path in strangers]


def _target(path: Path, exercises: Path) -> Path:
    return exercises / path.parent.name / f"{path.stem}.ipynb"


def squeeze(text: str) -> str:
    """A text without its blanks, as the search for secrets compares it."""
    return "".join(text.split())


def _changed_cells(old: str, new: str) -> str:
    """Which cells differ between two notebooks."""
    try:
        before, after = ({cell["id"]: cell for cell in json.loads(text)["cells"]} for text in (old, new))
    except (ValueError, KeyError, TypeError):
        return "not a notebook that was released"
    groups = {
        "changed": [name for name in after if name in before and before[name] != after[name]],
        "missing": [name for name in after if name not in before],
        "too many": [name for name in before if name not in after],
    }
    listed = [f"{group}: {', '.join(names)}" for group, names in groups.items() if names]
    return "cells " + "; ".join(listed) if listed else "the same cells, in another order or with other metadata"

"""A submission of the corpus: how it is made, and what must come of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder import bank, notebooks

from .assignment import FULL, NAME, WRONG, Material

Cells = list[dict[str, Any]]


@dataclass(frozen=True)
class Case:
    """One submission.

    Attributes:
        name: of the case.
        kind: "hostile": it must gain nothing; "broken": it must be told what is wrong; "honest": it must lose nothing.
        build: what the file holds.
        score: the points that it gets.
        limit: the limit that it hits, a name in ``autograder.sandbox.limits.REASONS``; "": none.
        note: a part of a note of intake; "": there is none.
        problem: a part of the reason why a person must look at it; "": there is none.
        place: puts a file at a path that is not, or not only, what ``build`` makes.
    """

    name: str
    kind: str
    build: Callable[[Material], bytes] = lambda material: b""
    score: float = 0.0
    limit: str = ""
    note: str = ""
    problem: str = ""
    place: Callable[[Path, bytes], None] | None = None

    def write(self, material: Material, folder: Path) -> Path:
        """Put the submission into its folder, ``.../STUDENT/ASSIGNMENT``, and return where the notebook should be."""
        path = folder / f"{NAME}.ipynb"
        content = self.build(material)
        if self.place is not None:
            self.place(path, content)
        else:
            path.write_bytes(content)
        return path


def cell(text: str, cell_type: str = "code", **metadata: Any) -> dict[str, Any]:
    """A cell of the student's own."""
    code = {"outputs": [], "execution_count": None} if cell_type == "code" else {}
    return {"cell_type": cell_type, "metadata": metadata, "source": text, **code}


def filled(material: Material, answers: Mapping[str, str]) -> dict[str, Any]:
    """The released notebook with some answers, as JSON."""
    notebook = json.loads(notebooks.to_text(bank.fill_in(material.released, answers)))
    for one in notebook["cells"]:
        one["source"] = "".join(one["source"])  # editors write a list of lines or one text, and both are right
    return notebook


def at(notebook: dict[str, Any], name: str) -> int:
    """The position of the cell with a grade id."""
    return [one["metadata"].get("nbgrader", {}).get("grade_id") for one in notebook["cells"]].index(name)


def as_bytes(notebook: dict[str, Any]) -> bytes:
    """The notebook as a file."""
    return json.dumps(notebook).encode()


def attack(name: str, code: str, after: str = "setup", **expected: Any) -> Case:
    """Wrong answers, and code in a cell of its own that is to gain marks or do harm; COURSE is the folder of the course."""

    def build(material: Material) -> bytes:
        notebook = filled(material, WRONG)
        text = code.replace("COURSE", repr(str(material.course)))
        notebook["cells"].insert(at(notebook, after) + 1, cell(text))
        return as_bytes(notebook)

    return Case(name, "hostile", build, **expected)


def forged(name: str, edit: Callable[[dict[str, Any]], None], **expected: Any) -> Case:
    """Wrong answers in a notebook that was edited as a file."""
    return _edited(name, "hostile", WRONG, edit, expected)


def broken(name: str, edit: Callable[[dict[str, Any]], None], **expected: Any) -> Case:
    """Right answers in a notebook that was edited as a file."""
    return _edited(name, "broken", None, edit, {"score": FULL, **expected})


def honest(name: str, after: Mapping[str, str] | None = None, **answers: str) -> Case:
    """Right answers, some in other words, with cells of the student's own after some; all points, and no note."""

    def build(material: Material) -> bytes:
        notebook = filled(material, material.right | answers)
        for place, text in (after or {}).items():
            notebook["cells"].insert(at(notebook, place) + 1, cell(text))
        return as_bytes(notebook)

    return Case(name, "honest", build, score=FULL)


def _edited(
    name: str,
    kind: str,
    answers: Mapping[str, str] | None,
    edit: Callable[[dict[str, Any]], None],
    expected: dict[str, Any],
) -> Case:
    def build(material: Material) -> bytes:
        notebook = filled(material, material.right if answers is None else answers)
        edit(notebook)
        return as_bytes(notebook)

    return Case(name, kind, build, **expected)

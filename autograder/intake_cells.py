"""What a file holds, read as the cells of a notebook: nbformat 4, or the older 3. Nothing is believed of its form."""

import codecs
import json
from dataclasses import dataclass, field
from typing import Any

from autograder import source
from autograder.intake_files import IntakeError
from autograder.intake_pictures import pictures

FORMATS = (3, 4)
LABEL = ("grade", "solution", "locked", "task", "points")
RUN_TAGS = ("skip-execution", "raises-exception", "nbval-skip", "nbval-raises-exception", "nbval-ignore-output")
# The longest number of a notebook counts executions. A long one takes time that grows as its square.
DIGITS = 18
BEGINNINGS = {
    b"PK\x03\x04": "it is a zip archive: submit what is in it",
    b"\x1f\x8b": "it is a compressed archive: submit what is in it",
    b"<": "it is a web page: download the notebook itself",
    b"%PDF": "it is a PDF file",
    codecs.BOM_UTF16_LE: "it is written in UTF-16: save it as UTF-8",
    codecs.BOM_UTF16_BE: "it is written in UTF-16: save it as UTF-8",
}


@dataclass(frozen=True)
class Given:
    """A cell as it was handed in.

    Attributes:
        cell_type: "code" or "markdown".
        text: what is in it.
        name: the grade id that it has, or "".
        ids: other names that editors keep for a cell.
        label: those parts of its label that decide about marks.
        pictures: the attachments that are kept: name -> type -> base64.
    """

    cell_type: str
    text: str
    name: str = ""
    ids: tuple[str, ...] = ()
    label: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, dict[str, str]] = field(default_factory=dict)


def read_cells(content: bytes, most_cells: int, most_characters: int) -> tuple[list[Given], list[str]]:
    """The cells of a notebook, and a note for each thing that was dropped or put right in them.

    Raises:
        IntakeError: if it is no notebook, or too large.
    """
    notebook = _json(content)
    notes: set[str] = set()
    raw = _raw_cells(notebook, notes)
    if len(raw) > most_cells:
        raise IntakeError(f"The notebook has {len(raw)} cells; it may have {most_cells}.")
    if not _is_python(notebook.get("metadata")):
        notes.add("The notebook was made for another language than Python; it was run with Python 3.")
    return [_cell(number, cell, most_characters, notes) for number, cell in enumerate(raw, start=1)], sorted(notes)


def _json(content: bytes) -> dict[str, Any]:
    if not content.strip():
        raise IntakeError("The file is empty.")
    first = content[:1024].lstrip()
    for beginning, what in BEGINNINGS.items():
        if first.startswith(beginning):
            raise IntakeError(f"The file is not a notebook; {what}.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise IntakeError("The file is not text in UTF-8, so it is not a notebook.") from error
    try:
        notebook = json.loads(text, parse_int=_integer, parse_constant=lambda name: None)
    except json.JSONDecodeError as error:
        raise IntakeError(f"The file is not a whole notebook: {error}.") from error
    except (RecursionError, ValueError, MemoryError) as error:
        raise IntakeError(f"The file is not a notebook: {type(error).__name__} when it was read.") from error
    if not isinstance(notebook, dict):
        raise IntakeError("The file is JSON, but not a notebook.")
    return notebook


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= DIGITS else 0


def _raw_cells(notebook: dict[str, Any], notes: set[str]) -> list[Any]:
    version = notebook.get("nbformat")
    if version not in FORMATS or isinstance(version, bool):
        shown = version if isinstance(version, int) else "none"
        raise IntakeError(f"The file is JSON, but not a notebook of format 4; its format is {shown}.")
    if version == 4:
        cells = notebook.get("cells")
    else:
        notes.add("The notebook is in the older format 3; it was converted.")
        sheets = notebook.get("worksheets")
        parts = [_dict(sheet).get("cells") for sheet in sheets] if isinstance(sheets, list) else [None]
        cells = None if None in parts else [cell for part in parts if isinstance(part, list) for cell in part]
    if not isinstance(cells, list):
        raise IntakeError("The file is JSON, but not a notebook: it has no list of cells.")
    return cells


def _cell(number: int, cell: Any, most_characters: int, notes: set[str]) -> Given:
    text = None
    if isinstance(cell, dict):
        text = _text(cell.get("source", cell.get("input")))
    if text is None:
        raise IntakeError(f"The file is JSON, but not a valid notebook: cell {number} has no text.")
    if len(text) > most_characters:
        raise IntakeError(f"Cell {number} has {len(text)} characters; a cell may have {most_characters}.")
    clean = text.encode("utf-8", "replace").decode().replace("\0", "?")
    if clean != text:
        notes.add("Characters that are no text were replaced by question marks.")
    metadata = _dict(cell.get("metadata"))
    for tag in _run_tags(metadata.get("tags")):
        notes.add(f"The tag {tag}, which changes how a cell is run, was dropped.")
    attached = _dict(cell.get("attachments"))
    kept = pictures(attached)
    if kept.keys() != attached.keys():
        notes.add("Attachments that are not pictures were dropped.")
    label = _dict(metadata.get("nbgrader"))
    if label and label.get("schema_version", source.SCHEMA_VERSION) != source.SCHEMA_VERSION:
        notes.add("The labels of cells are of another version of nbgrader; they were replaced.")
    return Given(
        cell_type="code" if cell.get("cell_type") == "code" else "markdown",
        text=clean.replace("\r\n", "\n"),
        name=_string(label.get("grade_id")),
        ids=tuple(filter(None, (_string(cell.get("id")), _string(metadata.get("id"))))),
        label={key: label[key] for key in LABEL if key in label},
        pictures=kept,
    )


def _is_python(metadata: Any) -> bool:
    """Whether a notebook names no language, or Python."""
    kernel, language = (_dict(_dict(metadata).get(key)) for key in ("kernelspec", "language_info"))
    named = [kernel.get("language"), language.get("name")]
    return all(name in (None, "", "python", "ipython", "python3") for name in named)


def _run_tags(tags: Any) -> list[str]:
    return [tag for tag in RUN_TAGS if isinstance(tags, list) and tag in tags]


def _text(given: Any) -> str | None:
    if isinstance(given, list) and all(isinstance(line, str) for line in given):
        return "".join(given)
    return given if isinstance(given, str) else None


def _dict(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _string(given: Any) -> str:
    return given if isinstance(given, str) else ""

"""Submissions of students who meant well and whose file went wrong on the way."""

import gzip
import io
import json
import zipfile
from pathlib import Path
from typing import Any

from .assignment import FULL, NAME, Material
from .case import Case, as_bytes, at, broken, cell, filled


def _whole(material: Material) -> dict[str, Any]:
    return filled(material, material.right)


def _cut(material: Material) -> bytes:
    content = as_bytes(_whole(material))
    return content[: len(content) // 2]


def _conflict(material: Material) -> bytes:
    text = json.dumps(_whole(material), indent=1)
    line = text.splitlines()[5]
    return text.replace(line, f"<<<<<<< HEAD\n{line}\n=======\n{line}\n>>>>>>> mine", 1).encode()


def _zip(material: Material) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("one.ipynb", "two.ipynb"):
            archive.writestr(name, as_bytes(_whole(material)))
    return buffer.getvalue()


def _format_3(material: Material) -> bytes:
    cells = []
    for one in _whole(material)["cells"]:
        text = "input" if one["cell_type"] == "code" else "source"
        cells.append({"cell_type": one["cell_type"], "metadata": one["metadata"], text: one["source"]})
    return as_bytes({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]})


def _schema(version: int) -> Any:
    def edit(notebook: dict[str, Any]) -> None:
        for one in notebook["cells"]:
            one["metadata"]["nbgrader"]["schema_version"] = version

    return edit


def _strip(notebook: dict[str, Any], *, ids: bool) -> None:
    """What editors do that know nothing of nbgrader: Colab gives cells other ids as well."""
    notebook["nbformat_minor"] = 0
    for number, one in enumerate(notebook["cells"]):
        one["metadata"] = {"id": one["id"] if not ids else f"aB3_{number}"}
        del one["id"]


def _as_one(notebook: dict[str, Any]) -> None:
    """All answers moved into the first solution, and the others deleted."""
    cells = notebook["cells"]
    cells[at(notebook, "center")]["source"] = "\n\n".join(
        cells[at(notebook, name)]["source"] for name in ("center", "kl", "direction")
    )
    del cells[at(notebook, "kl")], cells[at(notebook, "direction")]


def _delete(*names: str) -> Any:
    def edit(notebook: dict[str, Any]) -> None:
        for name in names:
            del notebook["cells"][at(notebook, name)]

    return edit


def _copy(notebook: dict[str, Any]) -> None:
    one = notebook["cells"][at(notebook, "kl")]
    notebook["cells"].insert(at(notebook, "kl") + 1, {**one, "id": "copy"})


def _replace(name: str, **parts: Any) -> Any:
    def edit(notebook: dict[str, Any]) -> None:
        one = notebook["cells"][at(notebook, name)]
        if parts.get("cell_type") == "markdown":
            del one["outputs"], one["execution_count"]
        one |= parts

    return edit


def _turn_around(notebook: dict[str, Any]) -> None:
    notebook["cells"].reverse()


def _elsewhere(name: str) -> Any:
    def place(path: Path, content: bytes) -> None:
        target = path.parent / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)

    return place


def _unlike_the_schema(notebook: dict[str, Any]) -> None:
    """An older minor version with ids, keys that nbformat does not know, and outputs without a form: VS Code wrote such files."""
    notebook["nbformat_minor"] = 2
    for one in notebook["cells"]:
        one["vscode"] = {"languageId": "python"}
        one["outputs"] = [{"text": 1}]


def _slow_at_the_end(notebook: dict[str, Any]) -> None:
    notebook["cells"].append(cell("while True:\n    pass"))


CASES: list[Case] = [
    Case("cut off", "broken", _cut, problem="not a whole notebook"),
    Case("merge conflict", "broken", _conflict, problem="not a whole notebook"),
    Case("empty", "broken", problem="empty"),
    Case("only blanks", "broken", lambda m: b" \n\n", problem="empty"),
    Case("web page", "broken", lambda m: b"<!DOCTYPE html><html>Log in</html>", problem="web page"),
    Case("two in a zip archive", "broken", _zip, problem="zip archive"),
    Case("compressed", "broken", lambda m: gzip.compress(as_bytes(_whole(m))), problem="compressed"),
    Case("UTF-16", "broken", lambda m: as_bytes(_whole(m)).decode().encode("utf-16"), problem="UTF-16"),
    Case("Latin-1", "broken", lambda m: '{"nbformat": 4, "x": "\u00e4"}'.encode("latin-1"), problem="UTF-8"),
    Case("a script", "broken", lambda m: b"import torch\n", problem="not a whole notebook"),
    Case("a list", "broken", lambda m: b"[]", problem="not a notebook"),
    Case("no cells", "broken", lambda m: b'{"nbformat": 4, "metadata": {}}', problem="no list of cells"),
    Case("a format to come", "broken", lambda m: b'{"nbformat": 5, "cells": []}', problem="its format is 5"),
    Case(
        "another notebook",
        "broken",
        lambda m: as_bytes({"nbformat": 4, "cells": [cell("x = 1")]}),
        problem="another one",
    ),
    Case("another name", "broken", _cut, place=_elsewhere("torch (1).ipynb"), problem="torch (1).ipynb"),
    Case(
        "a checkpoint",
        "broken",
        _cut,
        place=_elsewhere(f".ipynb_checkpoints/{NAME}-checkpoint.ipynb"),
        problem="no notebook",
    ),
    Case("byte order mark", "broken", lambda m: b"\xef\xbb\xbf" + as_bytes(_whole(m)), score=FULL),
    Case("format 3", "broken", _format_3, score=FULL, note="format 3"),
    broken("schema 2", _schema(2), note="another version of nbgrader"),
    broken("schema 99", _schema(99), note="another version of nbgrader"),
    broken("no labels", lambda n: _strip(n, ids=False), note="labels of these cells were lost"),
    broken("neither labels nor ids", lambda n: _strip(n, ids=True), note="labels of these cells were lost"),
    broken("not what the schema says", _unlike_the_schema),
    broken("a cell twice", _copy, note="more than once"),
    broken("tests deleted", _delete("center-values", "kl-zero"), note="missing"),
    broken("setup deleted", _delete("setup", "intro"), note="missing"),
    broken("a solution deleted", _delete("direction"), score=4.0, note="missing"),
    broken("all answers in one cell", _as_one, note="missing"),
    broken("cells the other way round", _turn_around, note="order"),
    broken("a solution as text", _replace("kl", cell_type="markdown"), note="another type"),
    broken("a solution as raw text", _replace("kl", cell_type="raw"), note="another type"),
    broken("a syntax error", _replace("kl", source="def gaussian_kl(mu, logvar:\n    return mu"), score=4.0),
    broken(
        "a test changed", _replace("kl-zero", source="# I could not pass this\npass"), note="not as they were released"
    ),
    broken("an endless loop at the end", _slow_at_the_end, limit="cell"),
]

"""The zip that students get: their notebooks, how to work on them, and the licenses; and the proof that no answer is in it."""

import io
import json
import os
import tomllib
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder import install, notebooks, paths, release, source

FOLDER = paths.REPOSITORY / "build" / "student-bundle"
NAME = "autoencoder-course-students-{version}"
README = Path(__file__).with_name("templates") / "students.md"
LICENSES = ("LICENSE", "LICENSE-TEXT")
# A zip cannot say an earlier time, and the time of day would change its bytes.
TIME = (1980, 1, 1, 0, 0, 0)


class BundleError(ValueError):
    """There is no bundle to be made; says what is missing."""


def write(folder: Path, revision: str = "") -> Path:
    """Write the zip of this version into ``folder``; the result is its path.

    Args:
        folder: made if it is not there.
        revision: the commit or tag that the zip belongs to and installs aelib from; the newest state without one.

    Raises:
        LeakError: if a line that students must not have would be in it; and then nothing was written.
        BundleError: if an assignment has no student notebook.
    """
    version = project_version()
    name = NAME.format(version=version)
    content = archive({f"{name}/{path}": text for path, text in files(version, revision).items()})
    check(content, paths.SOLUTIONS)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{name}.zip"
    part = target.with_suffix(".part")
    part.write_bytes(content)
    os.replace(part, target)
    return target


def project_version() -> str:
    """The version of the course."""
    project = tomllib.loads((paths.REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def files(version: str, revision: str) -> dict[str, bytes]:
    """What is in the zip: path -> content."""
    found, rows = {}, ["| Assignment | Notebook |", "|---|---|"]
    for path in paths.sources(paths.SOLUTIONS):
        name = f"{path.parent.name}/{path.stem}.ipynb"
        if not (paths.EXERCISES / name).exists():
            raise BundleError(f"{paths.EXERCISES.name}/{name} is missing; run `make exercises`, which makes it")
        found[name] = (paths.EXERCISES / name).read_bytes()
        title = notebooks.from_bytes(found[name]).cells[0].source.splitlines()[0].removeprefix("# ")
        rows.append(f"| {title} | `{name}` |")
    readme = README.read_text(encoding="utf-8").format(
        version=version,
        repository=install.REPOSITORY,
        package=install.from_repository(revision),
        table="\n".join(rows),
    )
    licenses = {name: (paths.REPOSITORY / name).read_bytes() for name in LICENSES}
    return {**found, **licenses, "README.md": readme.encode()}


def archive(contents: Mapping[str, bytes]) -> bytes:
    """A zip of these files: path -> content. The same files always give the same bytes, as nothing is compressed."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as opened:
        for path, content in sorted(contents.items()):
            entry = zipfile.ZipInfo(path, TIME)
            entry.create_system = 3  # Unix, whatever makes it; the next line is for its permissions
            entry.external_attr = 0o644 << 16
            opened.writestr(entry, content)
    return written.getvalue()


def check(content: bytes, solutions: Path) -> None:
    """Check that no line that is only in ``solutions`` is in any file of the zip.

    Raises:
        LeakError: naming the file, the line and where it comes from.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        found = {path: opened.read(path) for path in opened.namelist()}
    squeezed = {path: release.squeeze("\n".join(_texts(path, content))) for path, content in found.items()}
    sources = {path: source.load(path) for path in paths.sources(solutions)}
    # What one assignment gives away may be what another one asks for, such as a mean. Its own notebook must not give it away.
    everywhere = "".join(_visible(notebook) for notebook in sources.values())
    for path, notebook in sources.items():
        own = f"/{path.parent.name}/{path.stem}.ipynb"
        for line, origin in hidden_lines(path).items():
            for file, text in squeezed.items():
                if line in text and (file.endswith(own) or line not in everywhere):
                    raise release.LeakError(f"{file}: a line of {origin} would be handed out: {line}")
        for file in found:
            if file.endswith(own):
                release.check_leaks(notebook, notebooks.from_bytes(found[file]))


def hidden_lines(path: Path) -> dict[str, str]:
    """The lines that students must not have, without blanks -> the file that they are in.

    They are those of the solutions, model answers and hidden tests at ``path``, and all of the other files beside it, such as
    wrong solutions and notes, that the student notebook does not show anyway.
    """
    notebook = source.load(path)
    hidden = dict.fromkeys(release.secrets(notebook), f"{path.parent.name}/{path.name}")
    visible = _visible(notebook)
    for file in sorted(path.parent.iterdir()):
        for line in file.read_text(encoding="utf-8").splitlines() if file != path else ():
            text = line.strip().removeprefix("# ")
            squeezed = release.squeeze(text)
            told = text.startswith(("import ", "from ", "%%")) or squeezed in visible
            if len(squeezed) >= release.MIN_SECRET and not told:
                hidden.setdefault(squeezed, f"{path.parent.name}/{file.name}")
    return hidden


def _visible(notebook: NotebookNode) -> str:
    """What students see of a source notebook, without blanks; read from the source, not from what was made of it."""
    lines: list[str] = []
    for cell in notebook.cells:
        if source.kind_of(cell) != "answer":
            outside_solution = source.split(cell.source, "SOLUTION")[0]
            lines += source.split("\n".join(outside_solution), "HIDDEN TESTS")[0]
    return release.squeeze("\n".join(lines))


def _texts(path: str, content: bytes) -> Iterator[str]:
    """All texts in a file; in a notebook also those of outputs and metadata."""
    text = content.decode("utf-8")
    yield from _strings(json.loads(text)) if path.endswith(".ipynb") else [text]


def _strings(value: Any) -> Iterator[str]:
    """Every text in what JSON holds; a list of lines is one."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        yield "".join(value)
    elif isinstance(value, (list, dict)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _strings(one)

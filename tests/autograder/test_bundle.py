"""The zip for students: what is in it, that its bytes are always the same, and that nothing is in it that they must not have."""

import io
import json
import os
import subprocess
import sys
import zipfile

import pytest

from autograder import __main__, bundle, install, paths, release

SOURCES = paths.sources(paths.SOLUTIONS)


def read(path):
    """Name below the folder in the zip -> content."""
    with zipfile.ZipFile(path) as opened:
        return {name.partition("/")[2]: opened.read(name) for name in opened.namelist()}


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """The zip of the assignments that there are."""
    return bundle.write(tmp_path_factory.mktemp("bundle"))


@pytest.fixture
def small(tiny, tmp_path, monkeypatch):
    """One small assignment in the place of the real ones; the value is its student notebook."""
    monkeypatch.setattr(paths, "SOLUTIONS", tiny.parents[1])
    monkeypatch.setattr(paths, "EXERCISES", tmp_path / "exercises")
    (target,) = release.write_all(paths.SOLUTIONS, paths.EXERCISES)
    return target


def test_it_holds_the_notebooks_the_licenses_and_how_to_work(real):
    version = bundle.project_version()
    assert real.name == f"autoencoder-course-students-{version}.zip"
    with zipfile.ZipFile(real) as opened:
        assert {name.partition("/")[0] for name in opened.namelist()} == {real.stem}
        assert {oct(entry.external_attr >> 16) for entry in opened.infolist()} == {"0o644"}
    found = read(real)
    notebooks = {path.relative_to(paths.EXERCISES).as_posix(): path for path in paths.EXERCISES.glob("*/*.ipynb")}
    assert len(notebooks) == len(SOURCES) == 10
    assert set(found) == {*notebooks, "README.md", "LICENSE", "LICENSE-TEXT"}
    for name, path in notebooks.items():
        assert found[name] == path.read_bytes()
    readme = found["README.md"].decode()
    assert f"Version {version} " in readme
    assert f'python -m pip install jupyterlab "git+{install.REPOSITORY}"' in readme
    for name in notebooks:
        assert f"`{name}`" in readme
    assert "## Hand in" in readme


def between_marks(path):
    """The lines of a source that stand between marks or in a model answer, and those that do not, word for word."""
    lines = {True: set(), False: set()}
    inside = False
    for line in path.read_text().splitlines():
        if "BEGIN SOLUTION" in line or "BEGIN HIDDEN TESTS" in line or "] answer=" in line:
            inside = True
        elif "END SOLUTION" in line or "END HIDDEN TESTS" in line or line.startswith("# %%"):
            inside = False
        lines[inside].add(line.strip().removeprefix("# "))
    return lines[True], lines[False]


def test_no_line_between_the_marks_and_none_of_the_files_beside_them_is_in_it(real):
    """Checked with other means than those of the bundle: lines of text, compared as they are."""
    handed_out = {}
    for name, content in read(real).items():
        text = content.decode()
        cells = json.loads(text)["cells"] if name.endswith(".ipynb") else [{"source": text.splitlines()}]
        handed_out[name] = {line.strip().removeprefix("# ") for cell in cells for line in cell["source"]}
    shown = set.union(*(between_marks(path)[1] for path in SOURCES))
    for path in SOURCES:
        hidden, visible = between_marks(path)
        beside = [file.read_text().splitlines() for file in path.parent.iterdir() if file != path]
        hidden |= {line.strip().removeprefix("# ") for lines in beside for line in lines}
        hidden = {line for line in hidden if len(line) >= 16 and not line.startswith(("import ", "from ", "%%"))}
        assert len(hidden) > 300
        assert handed_out[f"{path.parent.name}/{path.stem}.ipynb"] & (hidden - visible) == set()
        for name, lines in handed_out.items():
            assert lines & (hidden - shown) == set(), name


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_time_or_process(real, tmp_path):
    again = tmp_path / "again"
    environment = os.environ | {"PYTHONHASHSEED": "7", "TZ": "UTC+5", "PYTHONPATH": str(paths.REPOSITORY)}
    subprocess.run([sys.executable, "-m", "autograder", "bundle", again], env=environment, cwd=tmp_path, check=True)
    assert (again / real.name).read_bytes() == real.read_bytes()


def test_an_archive_has_no_time_and_one_order():
    first, second = (bundle.archive(dict(items)) for items in ([("b", b"2"), ("a", b"1")], [("a", b"1"), ("b", b"2")]))
    assert first == second
    entries = zipfile.ZipFile(io.BytesIO(first)).infolist()
    assert [(entry.filename, entry.date_time) for entry in entries] == [
        (name, (1980, 1, 1, 0, 0, 0)) for name in ("a", "b")
    ]


SECRETS = {
    "a line of the solution": "doubled_x = x + x",
    "the same with other blanks": "so write  doubled_x=x  +x here",
    "a hidden test": "unseen = -1234",
    "the model answer": "One and one make two.",
    "the rubric": "**Rubric** Two points for any reason.",
    "a message of the bank": "You multiply the number by itself.",
    "another right answer": "return sum([x, x])",
    "the notes": "Students forget the sign in this one.",
}


@pytest.mark.parametrize("case", SECRETS)
@pytest.mark.parametrize("place", ["text", "output", "readme"])
def test_what_gives_an_answer_away_is_refused_and_nothing_is_written(
    case, place, small, tiny, tmp_path, monkeypatch, capsys
):
    (tiny.parent / "right.py").write_text(
        '# %% cell="double" name="sum"\n# Adds a list.\ndef double(x):\n    return sum([x, x])\n'
    )
    (tiny.parent / "notes.md").write_text("# Notes\n\nStudents forget the sign in this one.\n")
    assert __main__.main(["bundle", str(tmp_path / "good")]) == 0
    if place == "readme":
        readme = tmp_path / "students.md"
        readme.write_text(bundle.README.read_text() + SECRETS[case])
        monkeypatch.setattr(bundle, "README", readme)
    else:
        notebook = json.loads(small.read_text())
        if place == "text":
            notebook["cells"][-1]["source"].append(f"\n# {SECRETS[case]}")
        else:
            output = {"output_type": "stream", "name": "stdout", "text": [SECRETS[case]]}
            notebook["cells"][-1]["outputs"] = [output]
        small.write_text(json.dumps(notebook))
    assert __main__.main(["bundle", str(tmp_path / "bad")]) == 1
    assert capsys.readouterr().err.startswith("LeakError: ")
    assert not (tmp_path / "bad").exists()


def test_a_mark_or_an_output_is_refused(small, tmp_path):
    notebook = json.loads(small.read_text())
    notebook["cells"][-1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["8"]}]
    small.write_text(json.dumps(notebook))
    with pytest.raises(release.LeakError, match="outputs"):
        bundle.write(tmp_path / "bad")


def test_what_one_assignment_shows_may_be_the_answer_to_another(small, source_with, tmp_path):
    path = source_with(
        solution='# %% solution="one"\ndef one():\n    ### BEGIN SOLUTION\n    print(double(4))\n    ### END SOLUTION'
    )
    assert path.parents[1] == paths.SOLUTIONS
    release.write_all(paths.SOLUTIONS, paths.EXERCISES)
    assert bundle.write(tmp_path / "good").exists()
    other = paths.EXERCISES / "02_made" / "made.ipynb"
    other.write_text(other.read_text().replace("# It is one.", "# It is print(double(4))."))
    with pytest.raises(release.LeakError, match=r"made\.ipynb"):
        bundle.write(tmp_path / "bad")


def test_an_assignment_without_its_notebook_is_an_error(small, tmp_path, capsys):
    small.unlink()
    assert __main__.main(["bundle", str(tmp_path / "bundle")]) == 1
    assert capsys.readouterr().err == (
        "BundleError: exercises/01_tiny/tiny.ipynb is missing; run `make exercises`, which makes it\n"
    )


def test_a_revision_is_what_students_install(small, tmp_path, monkeypatch, capsys):
    assert __main__.main(["bundle", str(tmp_path), "--revision", "v0.1.0"]) == 0
    (path,) = tmp_path.glob("*.zip")
    assert capsys.readouterr().out == f"{path}\n"
    assert f'"git+{install.REPOSITORY}@v0.1.0"' in read(path)["README.md"].decode()
    monkeypatch.setenv("COURSE_REVISION", "0123abc")
    assert __main__.main(["bundle", str(tmp_path)]) == 0
    assert f'"git+{install.REPOSITORY}@0123abc"' in read(path)["README.md"].decode()
    assert [file.suffix for file in tmp_path.glob("autoencoder*")] == [".zip"]

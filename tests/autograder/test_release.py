import json
import os
import subprocess
import sys

import pytest

from autograder import __main__, notebooks, paths, release, source

SOURCES = paths.sources(paths.SOLUTIONS)


def released(path):
    return {cell.id: cell for cell in notebooks.from_bytes(release.release(path).encode()).cells}


def test_solutions_and_hidden_tests_are_gone_and_the_rest_is_there(tiny):
    cells = released(tiny)
    assert cells["double"].source == (
        'def double(x):\n    """Twice x."""\n    # YOUR CODE HERE\n    raise NotImplementedError'
    )
    assert cells["double-other"].source == '# Twice 10 is 20.\nassert double(10) == 20, "twice 10 is 20"'
    assert cells["reason"].source == "YOUR ANSWER HERE"
    assert cells["free-8"].source == "print(double(4))"
    text = release.release(tiny)
    for secret in ("doubled_x =", "unseen", "-1234", "negative", "One and one", "Rubric", "SOLUTION", "HIDDEN"):
        assert secret not in text


def test_students_can_edit_only_what_is_theirs(tiny):
    editable = {name for name, cell in released(tiny).items() if cell.metadata.get("editable", True)}
    assert editable == {"double", "reason", "free-8"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parent.name)
def test_the_committed_notebooks_are_what_the_sources_give(path):
    committed = paths.EXERCISES / path.parent.name / f"{path.stem}.ipynb"
    assert committed.read_bytes() == release.release(path).encode(), "run `make exercises` and commit what it writes"
    assert [file.name for file in committed.parent.iterdir()] == [committed.name], "only the notebook is released"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.parent.name)
def test_no_secret_of_a_real_assignment_is_committed(path):
    """Checked with other means than the release's own: no line that stands only between marks, word for word."""
    lines = {True: set(), False: set()}
    inside = False
    for line in path.read_text().splitlines():
        if "BEGIN SOLUTION" in line or "BEGIN HIDDEN TESTS" in line or "] answer=" in line:
            inside = True
        elif "END SOLUTION" in line or "END HIDDEN TESTS" in line or line.startswith("# %%"):
            inside = False
        lines[inside].add(line.strip().removeprefix("# "))
    secret = {line for line in lines[True] - lines[False] if len(line) >= 12}
    assert len(secret) > 50
    notebook = json.loads((paths.EXERCISES / path.parent.name / f"{path.stem}.ipynb").read_text())
    assert {line.strip() for cell in notebook["cells"] for line in cell["source"]} & secret == set()
    assert [cell["id"] for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_process(tiny, tmp_path):
    script = "import sys; from pathlib import Path; from autograder import release; "
    script += "sys.stdout.buffer.write(release.release(Path(sys.argv[1])).encode())"
    texts = set()
    for seed, folder in (("1", tmp_path), ("2", tiny.parent)):
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}", "PYTHONPATH": str(paths.REPOSITORY)}
        command = [sys.executable, "-c", script, str(tiny)]
        texts.add(subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True).stdout)
    assert texts == {release.release(tiny).encode()}


LEAKS = {
    "the solution in a hint": {"more": "# %% [markdown] locked='hint'\n# Write `return 3-2 + 1 - 1`."},
    "the solution in a comment": {"more": "# %%\n#     return 3 - 2 + 1 - 1"},
    "a hidden test in a later cell": {
        "tests": '# %% tests="one-value" points=1\n# One.\nassert one() == 1, "it is one"\n'
        "### BEGIN HIDDEN TESTS\nfor unseen in range(17): probe(one=one())\n### END HIDDEN TESTS",
        "more": "# %%\nfor unseen in range(17): probe(one=one())",
    },
    "the model answer in the task": {
        "more": '# %% [markdown] task="two" minutes=1 difficulty=1\n# ## Two\n#\n# One and one make two.\n\n'
        '# %% [markdown] answer="two" points=1\n# One and one make two.\n#\n# **Rubric** Any reason.',
    },
    "a mark in a text": {
        "more": "# %% [markdown] locked='hint'\n# The answer stood between begin  solution and its end."
    },
}


@pytest.mark.parametrize("case", LEAKS)
def test_a_source_that_leaks_is_refused_and_nothing_is_written(case, tiny, source_with, tmp_path):
    path = source_with(**LEAKS[case])
    with pytest.raises(release.LeakError, match="cell "):
        release.release(path)
    with pytest.raises(release.LeakError):
        release.write_all(path.parents[1], tmp_path / "exercises")
    assert not (tmp_path / "exercises").exists()


def test_a_source_notebook_would_never_pass_for_a_release(tiny):
    """If nbgrader ever left everything in, the check would find it."""
    notebook = source.load(tiny)
    with pytest.raises(release.LeakError, match="BEGIN SOLUTION"):
        release.check_leaks(notebook, notebook)


@pytest.mark.parametrize(
    ("line", "origin"),
    [
        ("    doubled_x = x  +  x", "double"),
        ("probe(negative=double(unseen), other=double(int(draw.integers(100, 1000))))", "double-other"),
        ("One and one make two.", "reason"),
    ],
)
def test_a_secret_line_is_found_without_its_marks(line, origin, tiny):
    released = notebooks.new([notebooks.new_cell("code", line, "cell")], {})
    with pytest.raises(release.LeakError, match=f"hidden test in {origin} would"):
        release.check_leaks(source.load(tiny), released)


def test_a_line_that_the_visible_part_of_the_test_shows_anyway_is_no_leak(source_with):
    test = '# %% tests="one-value" points=1\n# One.\nresult = one()\nassert result == 1, "it is one"\n'
    test += "### BEGIN HIDDEN TESTS\nresult = one()\nprobe(two=result + 1)\n### END HIDDEN TESTS"
    assert "result + 1" not in release.release(source_with(tests=test))


@pytest.mark.parametrize(
    ("hidden", "word"),
    [("", "hands out no value"), ("\n### BEGIN HIDDEN TESTS\nprobe(a=1)\nassert 1\n### END HIDDEN TESTS", "an assert")],
)
def test_a_test_that_can_give_no_mark_is_refused(hidden, word, source_with):
    test = '# %% tests="one-value" points=1\n# It is one.\nassert one() == 1, "it is one"'
    with pytest.raises(source.SourceError, match=word):
        release.release(source_with(tests=test + hidden))


def test_differences_name_the_cells(tiny, tmp_path):
    solutions, exercises = tiny.parents[1], tmp_path / "exercises"
    assert release.differences(solutions, exercises) == ["01_tiny/tiny.ipynb: missing"]
    (target,) = release.write_all(solutions, exercises)
    assert release.differences(solutions, exercises) == []
    good = target.read_text()
    target.write_text(good.replace("Twice 10", "Twice ten"))
    assert release.differences(solutions, exercises) == ["01_tiny/tiny.ipynb: cells changed: double-other"]
    target.write_text(good.replace('"id": "double-small"', '"id": "other"'))
    assert release.differences(solutions, exercises) == [
        "01_tiny/tiny.ipynb: cells missing: double-small; too many: other"
    ]
    target.write_text(good + "\n")
    assert "the same cells" in release.differences(solutions, exercises)[0]
    target.write_text(good[: len(good) // 2])
    assert "not a notebook" in release.differences(solutions, exercises)[0]
    target.write_text(good)
    (target.parent / "notes.txt").write_text("left over")
    assert release.differences(solutions, exercises) == ["01_tiny/notes.txt: has no source in solutions/"]


def test_the_command_line_releases_and_checks(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(paths, "SOLUTIONS", tiny.parents[1])
    monkeypatch.setattr(paths, "EXERCISES", tmp_path / "exercises")
    assert __main__.main(["release", "--check"]) == 1
    assert "exercises/01_tiny/tiny.ipynb: missing" in capsys.readouterr().err
    assert __main__.main(["release"]) == 0
    assert __main__.main(["release", "--check"]) == 0
    tiny.write_text(tiny.read_text().replace(" points=1.5", ""))
    assert __main__.main(["release"]) == 1
    assert "expected ['points']" in capsys.readouterr().err


def test_writing_never_leaves_half_a_file(tmp_path):
    target = tmp_path / "file.txt"
    target.write_text("before")
    with pytest.raises(UnicodeEncodeError):
        paths.write(target, "x" * 100_000 + "\ud800")
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
    paths.write(target, "after")
    assert target.read_text() == "after"

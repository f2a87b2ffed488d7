import pytest

from autograder import bank, notebooks, probes, release, source, trial


def outcome(notebook, **answers):
    return trial.run(bank.fill_in(notebook, answers), probes.read(notebook))


def scores(notebook, **answers):
    return trial.scores(notebook, probes.read(notebook), outcome(notebook, **answers), outcome(notebook))


def test_an_answer_is_its_message_and_its_code(tiny):
    square, absolute = bank.read(tiny.with_name("bank.py"))
    assert (square.cell, square.name) == ("double", "square")
    assert square.message == "You multiply the number by itself. Add it to itself instead."
    assert square.code == "def double(x):\n    return x * x"
    assert absolute.name == "absolute"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('# %% cell="double"\nx = 1', "name="),
        ("# %%\nx = 1", r"cell=\.\.\."),
        ('# %% cell="a" name="b"\nx = 1\n\n# %% cell="a" name="b"\nx = 2', "another"),
    ],
)
def test_a_bank_that_breaks_a_rule_is_refused(text, word, tmp_path):
    (tmp_path / "bank.py").write_text(text + "\n")
    with pytest.raises(source.SourceError, match=word):
        bank.read(tmp_path / "bank.py")


def test_the_model_answers_fill_in_the_released_notebook(tiny):
    notebook = source.load(tiny)
    answers = bank.model_answers(notebook)
    assert answers["double"].splitlines()[2:] == ["    doubled_x = x + x", "    return doubled_x"]
    assert answers["reason"] == "One and one make two."
    blank = notebooks.from_bytes(release.release(tiny).encode())
    filled = bank.fill_in(blank, answers)
    tests = probes.read(notebook)
    assert all(error is None for error in trial.run(filled, tests).errors.values())
    assert "NotImplementedError" in trial.run(blank, tests).errors["double-small"]  # and fill_in changed a copy


@pytest.mark.parametrize("name", ["double-other", "triple"])
def test_only_what_the_student_writes_can_be_filled_in(name, tiny):
    with pytest.raises(KeyError, match=r"there are double, reason"):
        bank.fill_in(source.load(tiny), {name: "pass"})


def test_scores_follow_from_the_tests_that_pass(tiny):
    notebook = source.load(tiny)
    square, absolute = bank.read(tiny.with_name("bank.py"))
    assert scores(notebook) == {"double-small": 1, "double-other": 1.5}
    assert scores(notebook, double=square.code) == {"double-small": 0, "double-other": 0}
    assert scores(notebook, double=absolute.code) == {"double-small": 1, "double-other": 0}


def test_a_failing_cell_stops_neither_the_others_nor_us(tiny, capsys):
    notebook = source.load(tiny)
    noisy = "import warnings\ndef double(x):\n    print('noise')\n    warnings.warn('careful')\n    return 2 * x"
    assert all(error is None for error in outcome(notebook, double=noisy).errors.values())
    assert capsys.readouterr() == ("", "")
    result = outcome(notebook, double="def double(x):\n    raise SystemExit('bye')")
    assert result.errors["double-small"] == "SystemExit: bye"
    assert result.values["double-small"] == {"values": [], "error": "SystemExit"}
    assert outcome(notebook, double="def double(x) return x").errors["double"].startswith("SyntaxError")

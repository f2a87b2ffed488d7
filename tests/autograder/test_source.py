import pytest
from nbgrader.nbgraderformat import MetadataValidator

from autograder import source


def cells(notebook):
    return {cell.id: cell for cell in notebook.cells}


def test_each_marker_becomes_the_cell_that_nbgrader_expects(tiny):
    notebook = source.load(tiny)
    MetadataValidator().validate_nb(notebook)
    flags = {
        name: tuple(cell.metadata.nbgrader[flag] for flag in ("grade", "solution", "locked"))
        for name, cell in cells(notebook).items()
        if "nbgrader" in cell.metadata
    }
    assert flags == {
        "intro": (False, False, True),
        "double-task": (False, False, True),
        "double": (False, True, False),
        "double-small": (True, False, True),
        "double-other": (True, False, True),
        "reason-task": (False, False, True),
        "reason": (True, True, False),
    }
    assert [cell.id for cell in notebook.cells][-1] == "free-8"
    assert source.points(notebook) == {"double-small": 1, "double-other": 1.5, "reason": 2}
    assert source.tasks(notebook) == {"double": ["double-small", "double-other"], "reason": ["reason"]}


def test_points_and_minutes_are_added_up_and_stated(tiny):
    text = {name: cell.source for name, cell in cells(source.load(tiny)).items()}
    assert text["intro"] == "Tiny: 4.5 points, 5 minutes."
    assert text["double-task"] == (
        "## Double a number\n\n*2.5 points, about 2 minutes, difficulty 1 of 5*\n\nAdd it to itself."
    )
    assert "*2 points, about 3 minutes, difficulty 1 of 5*" in text["reason-task"]


def test_the_graded_part_ends_with_the_last_test_and_is_a_copy(tiny):
    notebook = source.load(tiny)
    part = source.graded_part(notebook)
    assert [cell.id for cell in part.cells] == ["intro", "double-task", "double", "double-small", "double-other"]
    part.cells[0].source = part.metadata["new"] = "changed"
    assert "Tiny" in notebook.cells[0].source
    assert "new" not in notebook.metadata


def test_split_separates_what_stands_between_the_marks():
    text = "a\n### BEGIN SOLUTION\nb\nc\n### END SOLUTION\nd\n### BEGIN SOLUTION\ne\n### END SOLUTION"
    assert source.split(text, "SOLUTION") == (["a", "d"], ["b", "c", "e"])
    assert source.split(text, "HIDDEN TESTS")[1] == []


TEST = '# %% tests="one-value" points=1\n'
MARKDOWN = "# %% [markdown] "
BROKEN = {
    "a test without points": ({"tests": '# %% tests="one-value"\n# It is one.\nassert one() == 1, "m"'}, "points"),
    "a test without a hint": ({"tests": TEST + 'assert one() == 1, "m"'}, "hint"),
    "an assert without a message": ({"tests": TEST + "# It is one.\nassert one() == 1"}, "message"),
    "a test that ends in a value": ({"tests": TEST + '# It is one.\nassert one() == 1, "m"\none()'}, "expression"),
    "a test that is only a comment": ({"tests": TEST + "# It is one."}, "statement"),
    "a check that students would see": ({"tests": TEST + '# It is one.\n### CHECK a: shape()\nassert 1, "m"'}, "CHECK"),
    "a misspelt mark": ({"tests": TEST + '# One.\nassert one(), "m"\n### BEGIN HIDEN TESTS\nx = 1'}, "HIDEN"),
    "a mark in small letters": ({"tests": TEST + '# One.\nassert one(), "m"\n# begin hidden tests\nx = 1'}, "begin"),
    "a mark that is not closed": (
        {"tests": TEST + '# One.\nassert one(), "m"\n### BEGIN HIDDEN TESTS\nx = 1'},
        "pairs",
    ),
    "a hidden test in a solution": (
        {"solution": '# %% solution="one"\n### BEGIN HIDDEN TESTS\nx = 1\n### END HIDDEN TESTS'},
        "in a tests cell",
    ),
    "a solution without marks": ({"solution": '# %% solution="one"\ndef one():\n    return 1'}, "BEGIN SOLUTION"),
    "two kinds at once": ({"more": '# %% solution="one-b" tests="one-c"\nx = 1'}, "options"),
    "an unknown option": ({"more": '# %% lokced="setup"\nx = 1'}, "lokced"),
    "an option too many": ({"more": '# %% locked="setup" points=1\nx = 1'}, "points"),
    "the same name twice": ({"more": TEST + '# It is one.\nassert one() == 1, "m"'}, "each name once"),
    "a name of no task": ({"more": '# %% tests="two-value" points=1\n# x\nassert 1, "m"'}, "two-value"),
    "a name with a blank": ({"more": '# %% locked="set up"\nx = 1'}, "set up"),
    "a task without a test": ({"more": MARKDOWN + 'task="two" minutes=1 difficulty=1\n# ## Two'}, "0 points"),
    "a task without a heading": ({"task": MARKDOWN + 'task="one" minutes=1 difficulty=1\n# One'}, "heading"),
    "a task without a time": ({"task": MARKDOWN + 'task="one" difficulty=1\n# ## One'}, "minutes"),
    "a difficulty off the scale": ({"task": MARKDOWN + 'task="one" minutes=1 difficulty=9\n# ## One'}, "difficulty 9"),
    "an answer without a rubric": ({"more": MARKDOWN + 'answer="one-why" points=1\n# Because.'}, "Rubric"),
    "an answer in code": ({"more": '# %% answer="one-why" points=1\n# **Rubric**'}, "markdown"),
    "negative points": ({"tests": '# %% tests="one-value" points=-1\n# One.\nassert one() == 1, "m"'}, "points"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_source_that_breaks_a_rule_is_refused_in_words(case, source_with):
    parts, word = BROKEN[case]
    with pytest.raises(source.SourceError, match=word):
        source.load(source_with(**parts))


def test_the_source_that_these_cases_change_is_right(source_with):
    assert source.points(source.load(source_with())) == {"one-value": 1}

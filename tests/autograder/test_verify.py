"""The matrix of wrong solutions against hidden tests, and each thing that can be wrong with it."""

import re

import pytest

from autograder import bank, probes, source, trial, verify
from autograder.sandbox.execution import execute
from autograder.sandbox.limits import Limits

RIGHT = '# %% cell="double" name="product"\ndef double(x):\n    return 2 * x\n'


def with_bank(tiny, code, name="extra"):
    path = tiny.with_name("bank.py")
    path.write_text(f'{path.read_text()}\n# %% cell="double" name="{name}"\n# It is not right.\n{code}\n')
    return verify.verify(tiny)


def test_an_assignment_that_is_ready(tiny, capsys):
    tiny.with_name("right.py").write_text(RIGHT)
    assert verify.main([tiny]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "01_tiny/tiny",
        "                1",
        "the solution    ..",
        "blank           xx",
        "right/product   ..",
        "double/square   xx",
        "double/absolute .x",
        "  1 double-small, double-other",
        "",
        "Right solutions keep all marks; each wrong one loses marks in its own task alone, and is told from all others.",
    ]


def test_the_inputs_are_drawn_from_the_secret_that_is_given(tiny):
    code = "def double(x):\n    return 2 * x if x < 500 else 0"
    reports = [with_bank(tiny, code)] + [verify.verify(tiny, bytes([number])) for number in range(8)]
    assert {report.passed["double/extra"]["double-other"] for report in reports} == {True, False}


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def double(x):\n    return x + x", "double/extra: loses no mark"),
        ("def double(x):\n    return x * x * 1.0", "double/square and extra: the tests hand out the same for both"),
        ("def double(x):\n    raise ValueError", "double/extra: no test hands out a wrong value for it"),
        ("def double(x):\n    return dbl(x)", r"a slip in the bank .*NameError"),
        ("def double(x) return x", r"a slip in the bank .*SyntaxError"),
    ],
)
def test_a_wrong_solution_that_is_of_no_use_is_named(code, problem, tiny, capsys):
    report = with_bank(tiny, code)
    assert any(re.search(problem, found) for found in report.problems), report.problems
    assert verify.main([tiny]) == 1
    assert f"PROBLEM: {report.problems[0]}" in capsys.readouterr().out


def test_a_wrong_solution_that_costs_marks_elsewhere_is_named(tiny):
    tiny.write_text(
        tiny.read_text() + '\n# %% [markdown] task="half" minutes=1 difficulty=1\n# ## Halve\n\n# %% solution="half"\n'
        "def half(x):\n    ### BEGIN SOLUTION\n    return x / double(1)\n    ### END SOLUTION\n\n"
        '# %% tests="half-value" points=1\n# Half of 4 is 2.\nassert half(4) == 2, "half of 4 is 2"\n'
        "### BEGIN HIDDEN TESTS\nprobe(half=half(float(draw.normal())))\n### END HIDDEN TESTS\n"
    )
    problems = verify.verify(tiny).problems
    assert problems == ("double/square: fails half-value, a test of another task",)


def test_a_right_solution_that_loses_a_mark_is_named(tiny):
    tiny.with_name("right.py").write_text(RIGHT.replace("2 * x", "2.001 * x"))
    problems = verify.verify(tiny).problems
    assert problems[0].startswith("right/product: cell double-small ends in AssertionError")
    assert problems[2:] == ("right/product: fails double-small", "right/product: fails double-other")


def test_a_test_that_a_blank_notebook_passes_is_named(tiny):
    tiny.write_text(tiny.read_text().replace("probe(six=double(3))", "probe(six=6)"))
    assert "blank: passes double-small" in verify.verify(tiny).problems


def test_a_test_that_hands_out_nothing_is_named(tiny):
    tiny.write_text(tiny.read_text().replace("probe(six=double(3))", "for i in range(0): probe(six=double(3))"))
    assert "the solution: double-small hands out nothing" in verify.verify(tiny).problems


def test_a_bank_is_not_needed(tiny):
    tiny.with_name("bank.py").unlink()
    report = verify.verify(tiny)
    assert report.problems == ()
    assert list(report.passed) == ["the solution", "blank"]


def test_a_trial_hands_out_what_the_sandbox_does(tiny, server):
    """Or this process could not say what grading will find."""
    notebook = source.load(tiny)
    tests = probes.read(notebook)
    asked = probes.requests(tests, trial.SECRET, "trial")
    for answers in ({}, *({answer.cell: answer.code} for answer in bank.read(tiny.with_name("bank.py")))):
        filled = bank.fill_in(notebook, answers)
        done = execute(server, source.without_hidden_tests(filled), asked, Limits())
        assert done.values == trial.run(filled, tests).values

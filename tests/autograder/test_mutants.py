"""The share of slips that the hidden tests of an assignment notice."""

import pytest

from autograder import mutants, source

LISTED = '[[mutant]]\ncell = "double"\nline = "{}"\nreason = "{}"\n'


def solved_by(tiny, old, new):
    text = tiny.read_text()
    assert old in text
    tiny.write_text(text.replace(old, new))


def test_all_slips_in_the_solution_are_noticed(tiny, capsys):
    found = mutants.score(tiny)
    assert found.total == len(list(mutants.of_notebook(source.load(tiny)))) > 0
    assert found.alive == ()
    assert found.killed == 1
    assert mutants.main([tiny]) == 0
    assert capsys.readouterr().out == f"01_tiny/tiny: 100.0 % of {found.total} mutants lose marks\n"


def test_a_slip_that_nothing_notices_is_shown_and_can_be_listed(tiny, capsys):
    solved_by(tiny, "return doubled_x", "return doubled_x + 0")  # less zero is the same
    found = mutants.score(tiny)
    assert [(mutant.cell, mutant.line) for mutant in found.alive] == [("double", "return doubled_x - 0")]
    assert mutants.main([tiny]) == 1
    assert "  double: return doubled_x - 0\n" in capsys.readouterr().out
    tiny.with_name("equivalent.toml").write_text(LISTED.format("return doubled_x - 0", "Zero has no sign."))
    again = mutants.score(tiny)
    assert (again.alive, again.problems, again.total) == ((), (), found.total - 1)
    assert mutants.main([tiny]) == 0


@pytest.mark.parametrize(
    ("line", "reason", "problem"),
    [
        ("return x", "It is not true.", "double: no mutant that keeps all marks reads 'return x'"),
        ("return doubled_x - 0", "", "double: 'return doubled_x - 0' has no reason"),
    ],
)
def test_a_list_that_says_too_much_is_a_problem(tiny, line, reason, problem):
    solved_by(tiny, "return doubled_x", "return doubled_x + 0")
    tiny.with_name("equivalent.toml").write_text(LISTED.format(line, reason))
    assert problem in mutants.score(tiny).problems
    assert mutants.main([tiny]) == 1


def test_a_mutant_that_does_not_end_is_interrupted(tiny, monkeypatch):
    monkeypatch.setattr(mutants, "SECONDS", 0.2)
    solved_by(tiny, "return doubled_x", "n = 0\n    while n < 2:\n        n += 1\n    return doubled_x + n - 2")
    endless = {"n -= 1", "pass"}
    assert endless < {mutant.line for mutant in mutants.of_notebook(source.load(tiny))}
    assert not endless & {mutant.line for mutant in mutants.score(tiny).alive}

"""Are the hidden tests good enough? Against slips in the solutions, and, in half an hour, with the inputs of ten courses."""

import os

import pytest

from autograder import mutants, paths, verify

SOURCES = {path.parent.name: path for path in paths.sources(paths.SOLUTIONS)}
KEYS = [bytes([number]) * 8 for number in range(10)]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SOURCES))
def test_nearly_all_slips_in_a_solution_lose_marks(name):
    found = mutants.score(SOURCES[name])
    assert found.total >= 40
    assert found.killed >= mutants.LEAST, found.text()
    assert found.problems == ()


@pytest.mark.skipif("NIGHTLY" not in os.environ, reason="takes half an hour; `make nightly` runs it")
@pytest.mark.parametrize("key", KEYS, ids=bytes.hex)
@pytest.mark.parametrize("name", sorted(SOURCES))
def test_verdicts_do_not_depend_on_the_secret_of_a_course(name, key):
    report = verify.verify(SOURCES[name], key)
    assert report.problems == ()
    for label, passed in report.passed.items():
        right = label == verify.SOLUTION or label.startswith(f"{verify.RIGHT}/")
        assert all(passed.values()) == right, label

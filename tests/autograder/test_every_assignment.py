"""Each assignment as a course grades it: the solution, handed in by a student, in the sandbox with the limits of every course."""

import pytest

from autograder import bank, intake, notebooks, paths, probes, release, source, trial
from autograder.sandbox.execution import execute
from autograder.sandbox.limits import Limits
from autograder.verdicts import judge

SOURCES = {path.parent.name: path for path in paths.sources(paths.SOLUTIONS)}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SOURCES))
def test_the_solution_earns_all_points_within_half_of_the_limits(name, server):
    notebook = source.load(SOURCES[name])
    tests = probes.read(notebook)
    released = notebooks.from_bytes(release.release(SOURCES[name]).encode())
    handed_in = notebooks.to_text(bank.fill_in(released, bank.model_answers(notebook))).encode()
    taken = intake.rebuild(handed_in, released)
    assert (taken.problem, taken.notes) == ("", [])
    asked = probes.requests(tests, trial.SECRET, "trial")
    limits = Limits()
    done = execute(server, taken.notebook, asked, limits)
    assert done.limits == {}
    expected = trial.run(source.graded_part(notebook), tests).values
    lost = {test.name: judge(test, expected[test.name], done.values.get(test.name)) for test in tests.values()}
    assert {cell: verdict.message for cell, verdict in lost.items() if not verdict.passed} == {}
    assert done.memory < (limits.memory << 20) / 2
    assert done.seconds["execution"] < limits.total_seconds / 2

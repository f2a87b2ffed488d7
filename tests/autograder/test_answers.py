"""What is known beforehand: when it is made anew, and what it explains."""

import json

import pytest
from test_verdicts import entry, hidden

from autograder import bank, trial, workers
from autograder.answers import Answers, Mistake, known
from autograder.assignment import Assignment, AssignmentError
from autograder.course import Course
from autograder.sandbox.execution import Execution


@pytest.fixture
def course(tiny, tmp_path):
    course = Course(tmp_path / "course")
    course.add_source(tiny)
    return course


class Runner:
    """Runs requests in this process, and counts them."""

    def __init__(self, assignment, limits=None):
        self.tests, self.limits, self.names = assignment.tests, limits or {}, []

    def __call__(self, requests):
        results = {}
        for name, request in requests:
            self.names.append(name)
            order = json.loads(request)
            notebook = workers.notebook_of(order)
            values = trial.run(notebook, self.tests).values
            results[name] = Execution(values=dict(values), limits=self.limits).to_bytes()
        return results


def assignment(course):
    return Assignment(course.root, "01_tiny", "tiny")


def answers(course):
    return known(assignment(course), Runner(assignment(course)))


def handed_out(course, code):
    """What the hidden tests hand out for another way to write double."""
    one = assignment(course)
    return trial.run(bank.fill_in(one.master, {"double": code}), one.tests).values


def test_everything_is_run_once_and_kept(course):
    first, second = Runner(assignment(course)), Runner(assignment(course))
    made = known(assignment(course), first)
    assert first.names == ["the solution", "0", "1"]
    assert known(assignment(course), second) == made
    assert second.names == []
    assert [(mistake.task, mistake.name) for mistake in made.mistakes] == [("double", "square"), ("double", "absolute")]


@pytest.mark.parametrize("changed", ["the bank", "the source", "the secret"])
def test_a_change_makes_them_anew(changed, course, tiny):
    answers(course)
    if changed == "the secret":
        (course.root / ".autograder" / "secret").unlink()
    else:
        path = tiny.with_name("bank.py") if changed == "the bank" else tiny
        path.write_text(path.read_text().replace("You lose the sign.", "Mind the sign.").replace("-1234", "-4321"))
        course.add_source(tiny)
    runner = Runner(assignment(course))
    made = known(assignment(course), runner)
    assert len(runner.names) == 3
    assert made.mistakes[1].message == ("Mind the sign." if changed == "the bank" else "You lose the sign.")


def test_an_assignment_needs_no_bank(course):
    assignment(course).bank.unlink()
    assert answers(course).mistakes == ()


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("def double(x):\n    return x ** 2", "square"),
        ("def double(x):\n    return abs(x + x) * 1.0", "absolute"),
        ("def double(x):\n    return 3 * x", None),
        ("def double(x):\n    return x + x", None),
        ("def double(x):\n    raise NotImplementedError", None),
        ("def double(x) return x", None),
    ],
)
def test_a_submission_is_explained_by_the_mistake_that_gives_the_same_values(code, name, course):
    found = answers(course).diagnose("double", handed_out(course, code))
    assert (found and found[0]) == name
    assert found is None or found[1].startswith("You ")


def test_a_submission_that_was_never_run_is_not_explained(course):
    assert answers(course).diagnose("double", {}) is None


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("x + x", "x + undefined", "NameError"),
        ("probe(six=double(3))", "for i in range(0): probe(six=double(3))", "handed out nothing"),
    ],
)
def test_a_solution_that_a_hidden_test_fails_on_is_refused(old, new, word, course, tiny):
    tiny.write_text(tiny.read_text().replace(old, new))
    course.add_source(tiny)
    with pytest.raises(AssignmentError, match=f"double-small fails on the solution itself: .*{word}"):
        answers(course)


def test_a_solution_that_hits_a_limit_is_refused(course):
    with pytest.raises(AssignmentError, match="hit a limit"):
        known(assignment(course), Runner(assignment(course), {"double": "cell"}))


def made(mistake, *lines):
    """Answers to one test with the value a, whose right value is 1, and one mistake."""
    return Answers({"t": hidden(*lines)}, {"t": entry(a=1.0)}, (Mistake("t", "wrong", "It is wrong.", mistake),))


def test_errors_alone_explain_nothing():
    raised = {"values": [], "error": "RuntimeError"}
    assert made({"t": raised}).diagnose("t", {"t": raised}) is None
    wrong_and_raised = {**entry(a=2.0), "error": "RuntimeError"}
    assert made({"t": wrong_and_raised}).diagnose("t", {"t": wrong_and_raised}) == ("wrong", "It is wrong.")
    assert made({"t": wrong_and_raised}).diagnose("t", {"t": entry(a=2.0)}) is None


def test_a_mistake_that_never_finished_explains_nothing_and_stops_nobody():
    assert made({}).diagnose("t", {"t": entry(a=2.0)}) is None


@pytest.mark.parametrize("line", ["at_most(bound=1.5)", "at_most(times=1.5)", "non_negative()"])
def test_a_value_without_the_property_is_explained_too(line):
    wrong = entry(a=-3.0 if line.startswith("non") else 3.0)
    answers = made({"t": wrong}, f"### CHECK a: {line}")
    assert answers.diagnose("t", {"t": wrong}) == ("wrong", "It is wrong.")
    assert answers.diagnose("t", {"t": entry(a=30.0)}) is None


@pytest.mark.parametrize("given", [None, [], {"values": 7}, {"values": [["a", {"array": "<f8"}]], "error": None}, "x"])
def test_whatever_a_submission_hands_out_stops_nobody(given):
    assert made({"t": entry(a=2.0)}).diagnose("t", {"t": given}) is None

"""What the solution and the known wrong solutions give under the seeds of a course: to compare with, and to tell mistakes by."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from autograder import bank, paths, source
from autograder.assignment import Assignment, AssignmentError, key_of
from autograder.probes import HiddenTest
from autograder.sandbox.execution import Execution
from autograder.sandbox.limits import Limits
from autograder.verdicts import alike, is_wrong

RIGHT = "the solution"
RunAll = Callable[[Iterable[tuple[str, bytes]]], Mapping[str, bytes]]
"""Runs requests, given with their names, and gives name -> ``Execution.to_bytes()``."""


@dataclass(frozen=True)
class Mistake:
    """A wrong solution of the bank.

    Attributes:
        task: the task that it is wrong in.
        name: what tells it from the others of its task.
        message: what helps the student who made it.
        values: name of a test of the task -> what that handed out; a test is missing if it never came to that.
    """

    task: str
    name: str
    message: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Answers:
    """What is known beforehand about an assignment.

    Attributes:
        tests: the hidden tests.
        right: name of a test -> what it hands out for the solution.
        mistakes: the bank.
    """

    tests: Mapping[str, HiddenTest]
    right: Mapping[str, Any]
    mistakes: tuple[Mistake, ...]

    def diagnose(self, task: str, values: Mapping[str, Any]) -> tuple[str, str] | None:
        """The (name, message) of the mistake for which all tests of a task hand out what they did for a submission.

        A mistake is told by a wrong value. One that ends in errors alone explains no submission.
        """
        for mistake in self.mistakes:
            if mistake.task == task and self.shows(mistake.values) and self.agree(mistake.values, values):
                return mistake.name, mistake.message
        return None

    def agree(self, mistake: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Whether all tests of a mistake hand out the same for another answer."""
        return all(alike(self.tests[name], entry, other.get(name)) for name, entry in mistake.items())

    def shows(self, mistake: Mapping[str, Any]) -> bool:
        """Whether a test hands out a wrong value for a mistake."""
        return any(is_wrong(self.tests[name], self.right[name], entry) for name, entry in mistake.items())


def known(assignment: Assignment, run_all: RunAll, *, sandboxed: bool = True) -> Answers:
    """The answers to an assignment, as they are kept in the course folder, or made anew if anything has changed.

    Raises:
        AssignmentError: if a hidden test fails on the solution itself.
    """
    right = assignment.request(assignment.master, Limits(), sandboxed=sandboxed)
    key = key_of(right + assignment.wrong)
    path = assignment.place("answers", "all")
    kept = json.loads(path.read_text()) if path.exists() else {}
    if kept.get("key") != key:
        kept = {"key": key, **_run(assignment, right, run_all, sandboxed=sandboxed)}
        paths.write(path, json.dumps(kept))
    return Answers(assignment.tests, kept["right"], tuple(Mistake(**mistake) for mistake in kept["mistakes"]))


def _run(assignment: Assignment, right: bytes, run_all: RunAll, *, sandboxed: bool) -> dict[str, Any]:
    """Run the solution and the bank; the result is what is kept."""
    wrong = bank.read(assignment.bank) if assignment.bank.exists() else []
    orders = {RIGHT: right}
    for number, answer in enumerate(wrong):
        filled = bank.fill_in(assignment.master, {answer.cell: answer.code})
        orders[str(number)] = assignment.request(filled, Limits(), sandboxed=sandboxed)
    runs = {name: Execution.from_bytes(content) for name, content in run_all(orders.items()).items()}
    _check_solution(assignment, runs[RIGHT])
    mistakes = []
    for number, answer in enumerate(wrong):
        task = source.task_of(answer.cell)
        found = of_task(assignment.tests, task, runs[str(number)].values)
        mistakes.append({"task": task, "name": answer.name, "message": answer.message, "values": found})
    return {"right": runs[RIGHT].values, "mistakes": mistakes}


def of_task(tests: Mapping[str, HiddenTest], task: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """What the tests of one task handed out, of those that came to it."""
    return {name: values[name] for name in tests if source.task_of(name) == task and name in values}


def _check_solution(assignment: Assignment, run: Execution) -> None:
    if run.limits:
        raise AssignmentError(f"{assignment.name}: the solution itself hit a limit: {run.limits}")
    for name in assignment.tests:
        entry = run.values.get(name, {"values": [], "error": None})
        if entry["error"] is not None or not entry["values"]:
            why = entry["error"] or "it handed out nothing"
            raise AssignmentError(f"{assignment.name}: the hidden test of {name} fails on the solution itself: {why}")

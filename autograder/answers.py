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
from autograder.verdicts import judge

RIGHT = "the solution"
RunAll = Callable[[Iterable[tuple[str, bytes]]], Mapping[str, bytes]]
"""Runs requests, given with their names, and gives name -> ``Execution.to_bytes()``."""


@dataclass(frozen=True)
class Mistake:
    """A wrong solution of the bank, with what the hidden tests of its task handed out for it."""

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
        """The (name, message) of the mistake for which all tests of a task hand out what they did for a submission."""
        for mistake in self.mistakes:
            if mistake.task == task and all(
                same(self.tests[name], entry, values.get(name)) for name, entry in mistake.values.items()
            ):
                return mistake.name, mistake.message
        return None


def same(test: HiddenTest, one: Any, other: Any) -> bool:
    """Whether a test handed out the same twice, up to what its checks allow, and ended in the same way."""
    if not isinstance(other, dict) or one.get("error") != other.get("error"):
        return False
    return judge(test, {**one, "error": None}, {**other, "error": None}).passed


def known(assignment: Assignment, run_all: RunAll, *, sandboxed: bool = True) -> Answers:
    """The answers to an assignment, as they are kept in the course folder, or made anew if anything has changed.

    Raises:
        AssignmentError: if a hidden test fails on the solution itself.
    """
    orders = {RIGHT: assignment.request(assignment.master, Limits(), sandboxed=sandboxed)}
    wrong = bank.read(assignment.bank) if assignment.bank.exists() else []
    for number, answer in enumerate(wrong):
        filled = bank.fill_in(assignment.master, {answer.cell: answer.code})
        orders[str(number)] = assignment.request(filled, Limits(), sandboxed=sandboxed)
    key = key_of(b"".join(orders.values()))
    path = assignment.place("answers", "all")
    kept = json.loads(path.read_text()) if path.exists() else {}
    if kept.get("key") != key:
        runs = {name: Execution.from_bytes(content) for name, content in run_all(orders.items()).items()}
        _check_solution(assignment, runs[RIGHT])
        kept = {"key": key, "values": {name: run.values for name, run in runs.items()}}
        paths.write(path, json.dumps(kept))
    values = kept["values"]
    tasks = source.tasks(assignment.master)
    mistakes = []
    for number, answer in enumerate(wrong):
        task = answer.cell.split("-")[0]
        mine = {name: values[str(number)].get(name, {}) for name in tasks.get(task, []) if name in assignment.tests}
        mistakes.append(Mistake(task, answer.name, answer.message, mine))
    return Answers(assignment.tests, values[RIGHT], tuple(mistakes))


def _check_solution(assignment: Assignment, run: Execution) -> None:
    if run.limits:
        raise AssignmentError(f"{assignment.name}: the solution itself hit a limit: {run.limits}")
    for name in assignment.tests:
        if run.values.get(name, {}).get("error") is not None or name not in run.values:
            why = run.values.get(name, {}).get("error", "it handed out nothing")
            raise AssignmentError(f"{assignment.name}: the hidden test of {name} fails on the solution itself: {why}")

"""The verdict on one hidden test, made in the trusted process from what the student's process handed out."""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autograder import values
from autograder.checks import CHECKS
from autograder.probes import Check, HiddenTest


@dataclass(frozen=True)
class Verdict:
    """Whether a test is passed, and a message for the student if not."""

    passed: bool
    message: str = ""


def judge(test: HiddenTest, expected: Mapping[str, Any], got: Any) -> Verdict:
    """Compare what the student's process handed out with what the solution's did.

    Args:
        test: the hidden test.
        expected: the solution's entry of ``Execution.values``.
        got: the submission's; anything at all, or None if it never came to that.
    """
    right = values.named(expected)
    if got is None:
        return Verdict(False, "The test could not be run.")
    try:
        found = values.named(got)
    except values.ValuesError as unreadable:
        return Verdict(False, f"What the test got cannot be read: {unreadable}.")
    for (name, value), (wanted, best) in zip(found, right):
        wrong = "" if name == wanted else "is missing"
        for check in [c for c in test.checks if c.value == wanted] or [Check(wanted, "close", {})]:
            wrong = wrong or _apply(check, value, best, dict(right))
        if wrong:
            return Verdict(False, f"On other inputs, {wanted} {wrong}.")
    error = got.get("error")
    if error is not None or len(found) != len(right):
        raised = error if isinstance(error, str) and hasattr(builtins, error) else "an error"
        return Verdict(
            False, f"On other inputs, your code raised {raised}." if error else "On other inputs, values are missing."
        )
    return Verdict(True)


def _apply(check: Check, value: Any, expected: Any, right: Mapping[str, Any]) -> str:
    arguments = {key: right[given] if key == "to" else given for key, given in check.arguments.items()}
    try:
        return CHECKS[check.name](value, expected, **arguments)
    except (ValueError, TypeError, ArithmeticError):
        return "cannot be compared"

"""The verdict on one hidden test, made in the trusted process from what the student's process handed out."""

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder import values
from autograder.checks import CHECKS
from autograder.probes import Check, HiddenTest

Named = Sequence[tuple[str, Any]]
"""Values with their names, in the order in which they were handed out."""


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
    if got is None:
        return Verdict(False, "The test could not be run.")
    try:
        found = values.named(got)
    except values.ValuesError as unreadable:
        return Verdict(False, f"What the test got cannot be read: {unreadable}.")
    right = values.named(expected)
    wrong = _first_wrong(test, found, right)
    error = got.get("error")
    if not wrong and error is not None:
        return Verdict(False, f"On other inputs, your code raised {_shown(error)}.")
    if not wrong and len(found) != len(right):
        return Verdict(False, "On other inputs, values are missing.")
    return Verdict(False, f"On other inputs, {wrong}.") if wrong else Verdict(True)


def is_wrong(test: HiddenTest, expected: Mapping[str, Any], got: Mapping[str, Any]) -> bool:
    """Whether a value that was handed out is wrong. An error tells less: many mistakes end in the same one."""
    return bool(_first_wrong(test, values.named(got), values.named(expected)))


def alike(test: HiddenTest, one: Any, other: Any) -> bool:
    """Whether two runs of a test cannot be told apart: they ended in the same way, with the same values.

    Values are the same if they are close, whatever they are checked for, or if all checks take each for the other: where a check
    asks for a shape, an eigenvector's sign makes no difference.
    """
    try:
        first, second = values.named(one), values.named(other)
    except values.ValuesError:
        return False
    if one.get("error") != other.get("error") or [name for name, _ in first] != [name for name, _ in second]:
        return False
    return all(
        not _apply(Check(name, "close", {}), first, second, position)
        or not (_wrong(test, first, second, position) or _wrong(test, second, first, position))
        for position, (name, _) in enumerate(first)
    )


def _first_wrong(test: HiddenTest, found: Named, right: Named) -> str:
    """What is wrong with the first wrong value, of those that there are on both sides; "" if none is."""
    for position, ((name, _), (wanted, _)) in enumerate(zip(found, right)):
        wrong = _wrong(test, found, right, position) if name == wanted else "is missing"
        if wrong:
            return f"{wanted} {wrong}"
    return ""


def _wrong(test: HiddenTest, found: Named, right: Named, position: int) -> str:
    """What is wrong with the value in one position by the checks of its name."""
    name = right[position][0]
    wanted = [check for check in test.checks if check.value == name] or [Check(name, "close", {})]
    return next((wrong for check in wanted if (wrong := _apply(check, found, right, position))), "")


def _apply(check: Check, found: Named, right: Named, position: int) -> str:
    arguments = dict(check.arguments)
    try:
        if "to" in arguments:
            arguments["to"] = _beside(right, position, arguments["to"])
        with np.errstate(all="ignore"):
            return CHECKS[check.name](found[position][1], right[position][1], **arguments)
    except (ValueError, TypeError, ArithmeticError, LookupError):
        return "cannot be compared"


def _beside(right: Named, position: int, name: str) -> Any:
    """The value of a name that belongs to the one in a position: in a loop, that of the same round; else the only one."""
    rounds = sum(other == right[position][0] for other, _ in right[:position])
    candidates = [value for other, value in right if other == name]
    return candidates[min(rounds, len(candidates) - 1)]


def _shown(error: Any) -> str:
    """The name of an exception, if it is one of Python's own; a student's may say anything."""
    known = getattr(builtins, error, None) if isinstance(error, str) else None
    return str(error) if isinstance(known, type) and issubclass(known, BaseException) else "an error"

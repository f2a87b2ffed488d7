"""What a report says about one assignment, gathered from the gradebook and from what grading found out about each submission."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median

from autograder.grades import Grade
from autograder.record import Record

NOT_TRIED = "NotImplementedError"
"""What the stub of a solution raises: who left it as it was made no mistake that one could learn from."""


@dataclass
class Finding:
    """Something that was found in several submissions.

    Attributes:
        where: the task or cell.
        message: what was found.
        students: in whose submissions.
    """

    where: str
    message: str
    students: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Span:
    """A quantity over the class."""

    name: str
    median: float
    largest: float
    student: str


def mistakes(records: Iterable[Record]) -> list[Finding]:
    """The mistakes of the bank that were found, the most frequent first."""
    return _grouped(
        (task, message, record.student) for record in records for task, (_, message) in record.diagnoses.items()
    )


def unexplained(records: Iterable[Record], tasks: Mapping[str, list[str]]) -> list[Finding]:
    """What tests said about tasks that were tried, and failed without a known mistake; the most frequent first.

    Hidden tests draw the same inputs for everyone, so those for whom they say the same have likely made the same mistake.
    """
    found = []
    for record in records:
        for task, names in tasks.items():
            said = [f"{name}: {record.messages[name]}" for name in names if name in record.messages]
            if said and task not in record.diagnoses and not any(NOT_TRIED in message for message in said):
                found.append((task, "\n".join(said), record.student))
    return _grouped(found)


def limits(records: Iterable[Record]) -> list[Finding]:
    """The limits that were hit, by cell."""
    return _grouped((cell, message, record.student) for record in records for cell, message in record.limits.items())


def humans(grades: Iterable[Grade], records: Mapping[str, Record]) -> list[Finding]:
    """The submissions that a person must look at, by reason."""
    found = []
    for grade in grades:
        record = records.get(grade.student)
        if record is not None and record.problem:
            found.append(("could not be graded", record.problem, grade.student))
        elif record is not None and not record.sandboxed:
            found.append(("no sandbox", "It was run without a sandbox, so its marks cannot be trusted.", grade.student))
        elif grade.status != "graded":
            found.append(("", grade.status.removeprefix("needs a human: "), grade.student))
    return _grouped(found)


def spans(records: Iterable[Record]) -> list[Span]:
    """Seconds by stage, and the memory in MiB: the median, the largest, and whose that was."""
    values: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for record in records:
        for stage, seconds in record.seconds.items():
            values[f"{stage}, seconds"].append((seconds, record.student))
        if record.memory:
            values["memory, MiB"].append((record.memory / 2**20, record.student))
    return [Span(name, median(v for v, _ in pairs), *max(pairs)) for name, pairs in values.items()]


def _grouped(found: Iterable[tuple[str, str, str]]) -> list[Finding]:
    groups: dict[tuple[str, str], Finding] = {}
    for where, message, student in found:
        groups.setdefault((where, message), Finding(where, message)).students.append(student)
    return sorted(groups.values(), key=lambda finding: -len(finding.students))

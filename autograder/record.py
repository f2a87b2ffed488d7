"""What grading found out about one submission, beside the marks: kept next to the gradebook, read by feedback and reports."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from autograder import paths


@dataclass
class Record:
    """One submission to one notebook of an assignment.

    Attributes:
        student: the student's id.
        problem: why the submission could not be graded, for its author; "" if it could. It then has a zero and is flagged.
        notes: what intake put right, one sentence each, for its author.
        passed: name of a test cell -> whether it earned its points.
        messages: name of a test cell that did not -> what was wrong, for its author.
        diagnoses: task -> (name, message) of the wrong solution in the bank that gives the same values.
        limits: name of a cell -> the message of the limit that was hit there.
        seconds: "intake", "start", "execution", "verdict".
        memory: the most that was used, in bytes.
        answers: name of a written answer -> its digest, by which a changed answer is told.
        doubt: why a person must look at it although it could be graded; "" if nobody must.
        sandboxed: False if it ran without a sandbox; its marks then cannot be trusted.
    """

    student: str
    problem: str = ""
    notes: list[str] = field(default_factory=list)
    passed: dict[str, bool] = field(default_factory=dict)
    messages: dict[str, str] = field(default_factory=dict)
    diagnoses: dict[str, tuple[str, str]] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    memory: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    doubt: str = ""
    sandboxed: bool = True

    @property
    def needs_human(self) -> str:
        """Why a person must look at the submission; "" if nobody must."""
        return self.problem or self.doubt or ("" if self.sandboxed else "it ran without a sandbox")

    def write(self, path: Path) -> None:
        """Write it as JSON; the old file stays until all of the new one is there."""
        paths.write(path, json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Record":
        """What ``write`` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        values["diagnoses"] = {task: tuple(found) for task, found in values["diagnoses"].items()}
        return cls(**values)


def digest(text: str) -> str:
    """A short name for a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def place(root: Path, assignment: str, notebook: str, student: str, kind: str = "records") -> Path:
    """Where the record of a submission lies in the course folder ``root``, or something else that is kept about it."""
    return root / ".autograder" / kind / assignment / notebook / f"{student}.json"

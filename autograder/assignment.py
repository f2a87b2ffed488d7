"""One notebook of an assignment in a course folder: what it asks, and what is kept about its submissions."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from autograder import notebooks, paths, probes, record, secret, source, workers
from autograder.sandbox.execution import Execution, Probe
from autograder.sandbox.limits import Limits


class AssignmentError(RuntimeError):
    """An assignment cannot be graded; says what is missing and how to make it."""


@dataclass(frozen=True)
class Assignment:
    """A notebook to be graded.

    Attributes:
        root: the course folder.
        name: the assignment's name.
        notebook: the notebook's name, without the suffix.
    """

    root: Path
    name: str
    notebook: str

    @cached_property
    def master(self) -> NotebookNode:
        """The source notebook, with solutions and hidden tests."""
        return self._read("source", f"python -m autograder source, or nbgrader's own source in {self.root / 'source'}")

    @cached_property
    def released(self) -> NotebookNode:
        """The notebook that students got."""
        return self._read("release", f"nbgrader generate_assignment {self.name}")

    @cached_property
    def tests(self) -> dict[str, probes.HiddenTest]:
        """The hidden tests by the name of their cell."""
        return probes.read(self.master)

    @cached_property
    def probes(self) -> dict[str, Probe]:
        """The hidden tests as they are sent, with the seeds of this course."""
        return probes.requests(self.tests, secret.of(self.root), self.name)

    @property
    def bank(self) -> Path:
        """The bank of wrong solutions, which need not be there."""
        return self.place("banks", "bank").with_suffix(".py")

    @property
    def wrong(self) -> bytes:
        """What the bank holds; b"" if there is none."""
        return self.bank.read_bytes() if self.bank.exists() else b""

    def request(self, notebook: NotebookNode, limits: Limits, *, sandboxed: bool) -> bytes:
        """The order to run a notebook and its hidden tests, which are left out of its cells' text."""
        return workers.request(source.without_hidden_tests(notebook), self.probes, limits, sandboxed=sandboxed)

    def place(self, kind: str, student: str) -> Path:
        """Where something is kept about a student's submission."""
        return record.place(self.root, self.name, self.notebook, student, kind)

    def is_kept(self, student: str, key: str) -> bool:
        """Whether it is known already what comes of the request with this key."""
        path = self.place("executions", student)
        if not path.exists():
            return False
        with path.open() as file:
            return file.readline().strip() == key

    def kept(self, student: str, key: str) -> Execution | None:
        """What came of the request with this key before, if it is kept."""
        if not self.is_kept(student, key):
            return None
        return Execution.from_bytes(self.place("executions", student).read_bytes().partition(b"\n")[2])

    def keep(self, student: str, key: str, execution: bytes) -> None:
        """Keep what came of the request with this key, in the place of what came of an earlier one."""
        paths.write(self.place("executions", student), f"{key}\n{execution.decode()}")

    @cached_property
    def state(self) -> bytes:
        """What marks and diagnoses depend on beside the submission: in another state verdicts are to be made again."""
        return hashlib.sha256(notebooks.to_text(self.master).encode() + self.wrong + secret.of(self.root)).digest()

    def _read(self, step: str, cure: str) -> NotebookNode:
        path = self.root / step / self.name / f"{self.notebook}.ipynb"
        if not path.exists():
            raise AssignmentError(f"{path}: there is no such file; make it with {cure}")
        return notebooks.from_bytes(path.read_bytes())


def key_of(request: bytes) -> str:
    """A short name for a request."""
    return hashlib.sha256(request).hexdigest()

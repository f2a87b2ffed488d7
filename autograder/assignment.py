"""One notebook of an assignment in a course folder: what it asks, and what is kept about its submissions."""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode

from autograder import intake, notebooks, paths, probes, record, secret, source, workers
from autograder.intake import Intake
from autograder.intake_files import IntakeError
from autograder.intake_files import read as read_file
from autograder.sandbox.execution import Execution, Probe
from autograder.sandbox.limits import Limits

TIME = "timestamp.txt"
"""The file in which nbgrader keeps when something was handed in."""
SECRET = "submission_secret.txt"
"""The file from which nbgrader makes the name under which a student finds the feedback."""
MOST_BYTES = 1000  # of these files
MOST_NAMES, MOST_LETTERS = 5, 80  # in a message
RunAll = Callable[[Iterable[tuple[str, bytes]]], Mapping[str, bytes]]


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

    def take(self, folder: Path) -> Intake:
        """Take in the submission in ``submitted/STUDENT/ASSIGNMENT``. Whatever is or is not there, nothing is raised.

        One notebook under a name that the assignment does not have is taken for a missing one, and the student is told.
        """
        path = folder / f"{self.notebook}.ipynb"
        if os.path.lexists(path) or any(place.is_symlink() for place in (folder, folder.parent)):
            return intake.take(path, self.released)
        there = sorted(place for place in _visible(folder) if place.name not in (TIME, SECRET))
        known = {place.name for place in path_of(self.root, "release", self.name).glob("*.ipynb")}
        others = [place for place in there if place.name not in known and _is_notebook(place)]
        if len(others) == 1:
            taken = intake.take(others[0], self.released)
            note = f"Your notebook is called {_shown(others[0])}; it was taken for {path.name}."
            problem = f"There is no file {path.name}. {_shown(others[0])}: {taken.problem}"
            return replace(taken, notes=[note, *taken.notes], problem=problem if taken.problem else "")
        rest = f" and {len(there) - MOST_NAMES} more" if len(there) > MOST_NAMES else ""
        found = f"has {', '.join(map(_shown, there[:MOST_NAMES]))}{rest}" if there else "is empty"
        return Intake(None, problem=f"There is no file {path.name}. The submission {found}.")

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

    def remembering(self, run_all: RunAll) -> RunAll:
        """``run_all`` for the solution and the bank; what was run before is not run again when only a message is another one."""
        folder = self.place("runs", "all").parent

        def run(requests: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
            orders = dict(requests)
            places = {name: folder / f"{key_of(order)}.json" for name, order in orders.items()}
            new = run_all((name, order) for name, order in orders.items() if not places[name].exists())
            for name, result in new.items():
                paths.write(places[name], result.decode())
            for path in set(folder.glob("*.json")) - set(places.values()):
                path.unlink(missing_ok=True)
            return {name: place.read_bytes() for name, place in places.items()}

        return run

    @cached_property
    def state(self) -> bytes:
        """What marks and diagnoses depend on beside the submission: in another state verdicts are to be made again."""
        return hashlib.sha256(notebooks.to_text(self.master).encode() + self.wrong + secret.of(self.root)).digest()

    def _read(self, step: str, cure: str) -> NotebookNode:
        path = path_of(self.root, step, self.name) / f"{self.notebook}.ipynb"
        if not path.exists():
            raise AssignmentError(f"{path}: there is no such file; make it with {cure}")
        return notebooks.from_bytes(path.read_bytes())


def key_of(request: bytes) -> str:
    """A short name for a request."""
    return hashlib.sha256(request).hexdigest()


def path_of(root: Path, step: str, assignment: str, student: str = ".") -> Path:
    """The folder of an assignment at one of nbgrader's steps."""
    return root / step / student / assignment


def said_by(folder: Path, name: str) -> str:
    """What the file TIME or SECRET says of the submission in ``submitted/STUDENT/ASSIGNMENT``; "" if no plain file does."""
    try:
        return read_file(folder / name, MOST_BYTES).decode("ascii", "replace").strip()
    except IntakeError:
        return ""


@contextlib.contextmanager
def locked(root: Path, name: str, *, wait: bool = True) -> Iterator[bool]:
    """Let one process at a time be at something in this course. The value is whether it is ours, which it is if we wait.

    However a process ends, it holds nothing any more.
    """
    path = root / ".autograder" / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True


def _visible(folder: Path) -> list[Path]:
    """What is in a folder, but for what programs leave there."""
    with contextlib.suppress(OSError):
        return [place for place in folder.iterdir() if not place.name.startswith((".", "__"))]
    return []


def _is_notebook(place: Path) -> bool:
    """Whether it is a file with the name of a notebook, to which a browser may have added something."""
    return place.name.lower().endswith((".ipynb", ".ipynb.txt")) and place.is_file() and not place.is_symlink()


def _shown(place: Path) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in place.name)[:MOST_LETTERS]

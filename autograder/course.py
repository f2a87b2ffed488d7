"""One nbgrader course in one folder: nbgrader's own steps, with this repository's settings."""

import contextlib
import glob
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder import notebooks, paths, record, source
from autograder.nbgrader_steps import SafeAutograde
from autograder.sandbox.limits import Limits

LOG = "nbgrader.log"
BUSY_SECONDS = 60
"""For how long to wait while somebody else writes into the gradebook."""


class CourseError(RuntimeError):
    """A step of nbgrader failed; says where its log is."""


class Course:
    """A course folder, with the settings of ``nbgrader_config.py`` but its own root.

    Args:
        root: the folder of the course; it is made if it is not there.
        settings: further nbgrader settings, which win.
    """

    def __init__(self, root: Path, settings: Config | None = None) -> None:
        self.root = root.resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        self.config = PyFileConfigLoader("nbgrader_config.py", path=str(paths.REPOSITORY)).load_config()
        self.config.CourseDirectory.root = str(self.root)
        # Others write into this file too; SQLite's own five seconds are few on a busy machine.
        self.config.CourseDirectory.db_url = f"sqlite:///{self.root / 'gradebook.db'}?timeout={BUSY_SECONDS}"
        self.config.merge(settings or Config())
        _put_python_on_path()

    def add_source(self, path: Path) -> NotebookNode:
        """Write the source notebook of the percent notebook at ``path`` into ``source/``, and return it."""
        notebook = source.load(path)
        # nbgrader releases every file that lies beside a source notebook, so nothing else may ever be there.
        paths.write(self.notebook("source", path.parent.name, path.stem), notebooks.to_text(notebook))
        wrong = path.with_name(paths.BANK)
        if wrong.exists():
            kept = record.place(self.root, path.parent.name, path.stem, "bank", "banks").with_suffix(".py")
            paths.write(kept, wrong.read_text(encoding="utf-8"))
        return notebook

    def notebook(self, step: str, assignment: str, name: str, student: str = ".") -> Path:
        """Where the notebook ``name`` of an assignment lies at one of nbgrader's steps."""
        return self.root / step / student / assignment / f"{name}.ipynb"

    def generate_assignment(self, assignment: str) -> None:
        """Make the student version in ``release/`` and record the test cells in the gradebook."""
        self._run(GenerateAssignment, assignment)

    @property
    def limits(self) -> Limits:
        """What a submission may use, by the course's settings."""
        return Limits(**dict(self.config.RunSandboxed.limits or {}))

    def score(self, assignment: str, student: str) -> float | None:
        """What a student has for an assignment now; None if nothing was graded yet."""
        with self.gradebook() as gradebook:
            try:
                return float(gradebook.find_submission(assignment, student).score)
            except MissingEntry:
                return None

    def due(self, assignment: str) -> str:
        """When an assignment is to be handed in, as a text that changes with it; "" if no time is set."""
        with self.gradebook() as gradebook:
            return str(gradebook.find_assignment(assignment).duedate or "")

    def autograde_one(self, assignment: str, student: str) -> None:
        """Grade one submission and write it into the gradebook, whatever was there before."""
        self._run(SafeAutograde, assignment, student)

    def autograde(self, assignment: str) -> None:
        """Grade every submission anew with nbgrader's own command, one after the other. ``grading.grade`` is faster."""
        self._run(SafeAutograde, assignment)

    def generate_feedback(self, assignment: str) -> list[Path]:
        """Write ``feedback/STUDENT/ASSIGNMENT/NAME.html`` for every submission, and return the pages.

        A submission that could not be graded has a page with the reason and what to do.
        """
        self._run(GenerateFeedback, assignment)
        return sorted((self.root / "feedback").glob(f"*/{assignment}/*.html"))

    @contextlib.contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """The gradebook of this course, closed at the end."""
        folders = CourseDirectory(config=self.config)
        with Gradebook(folders.db_url, folders.course_id) as gradebook:
            yield gradebook

    def _run(self, step: type, assignment: str, student: str | None = None) -> None:
        """Run one of nbgrader's steps for an assignment, its log going to a file in the course folder."""
        log = logging.getLogger("traitlets")
        handler = logging.FileHandler(self.root / LOG, encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        level = log.level
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        try:
            with warnings.catch_warnings():
                # nbgrader adds rows to its session later than SQLAlchemy 2.1 would like; the gradebook is right.
                warnings.filterwarnings("ignore", category=SAWarning, module=r"nbgrader\.api")
                folders = CourseDirectory(
                    config=self.config,
                    assignment_id=assignment,
                    student_id="*" if student is None else glob.escape(student),
                )
                step(coursedir=folders, config=self.config, force=True).start()
        except NbGraderException as error:
            raise CourseError(f"{step.__name__} failed for {assignment}: {error} See {self.root / LOG}") from error
        finally:
            log.removeHandler(handler)
            log.setLevel(level)
            handler.close()


def _put_python_on_path() -> None:
    """Put the folder of this Python's programs on the PATH: nbgrader starts `alembic` from there to make a gradebook."""
    programs = str(Path(sys.executable).parent)
    folders = os.environ.get("PATH", "").split(os.pathsep)
    if programs not in folders:
        os.environ["PATH"] = os.pathsep.join([programs, *folders])

"""One nbgrader course in one folder: nbgrader's own steps, with this repository's settings."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SAWarning
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from autograder import feedback, notebooks, paths, source

LOG = "nbgrader.log"


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
        self.config.merge(settings or Config())
        _put_python_on_path()

    def add_source(self, path: Path) -> NotebookNode:
        """Write the source notebook of the percent notebook at ``path`` into ``source/``, and return it."""
        notebook = source.load(path)
        # nbgrader releases every file that lies beside a source notebook, so nothing else may ever be there.
        paths.write(self.notebook("source", path.parent.name, path.stem), notebooks.to_text(notebook))
        return notebook

    def notebook(self, step: str, assignment: str, name: str, student: str = ".") -> Path:
        """Where the notebook ``name`` of an assignment lies at one of nbgrader's steps."""
        return self.root / step / student / assignment / f"{name}.ipynb"

    def generate_assignment(self, assignment: str) -> None:
        """Make the student version in ``release/`` and record the test cells in the gradebook."""
        self._run(GenerateAssignment, assignment)

    def autograde(self, assignment: str) -> dict[str, str]:
        """Grade every submission; one that cannot be graded does not stop the others.

        Returns:
            student -> why the submission could not be graded. Such a submission is flagged in the gradebook.
        """
        with contextlib.suppress(CourseError):  # nbgrader reports failures at the end, after it went on to the others
            self._run(Autograde, assignment)
        failed = {}
        for submission in sorted((self.root / "submitted").glob(f"*/{assignment}/*.ipynb")):
            student = submission.parts[-3]
            if not self.notebook("autograded", assignment, submission.stem, student).exists():
                failed[student] = _problem(submission, self.root / LOG)
                with self.gradebook() as gradebook:
                    gradebook.find_submission_notebook(submission.stem, assignment, student).flagged = True
                    gradebook.db.commit()
        return failed

    def generate_feedback(self, assignment: str, failed: Mapping[str, str]) -> list[Path]:
        """Write ``feedback/STUDENT/ASSIGNMENT/NAME.html`` for every submission.

        Args:
            assignment: the assignment's name.
            failed: what ``autograde`` returned; these students get a page with the reason and what to do.

        Returns:
            The pages.
        """
        self._run(GenerateFeedback, assignment)
        with self.gradebook() as gradebook:
            notebooks = {one.name: float(one.max_score) for one in gradebook.find_assignment(assignment).notebooks}
        for student, reason in failed.items():
            for name, max_score in notebooks.items():
                page = self.notebook("feedback", assignment, name, student).with_suffix(".html")
                paths.write(page, feedback.unreadable(assignment, name, reason, max_score))
        return sorted((self.root / "feedback").glob(f"*/{assignment}/*.html"))

    @contextlib.contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """The gradebook of this course, closed at the end."""
        with Gradebook(CourseDirectory(config=self.config).db_url) as gradebook:
            yield gradebook

    def _run(self, step: type, assignment: str) -> None:
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
                folders = CourseDirectory(config=self.config, assignment_id=assignment)
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


def _problem(submission: Path, log: Path) -> str:
    """Why nbgrader could not grade the notebook at ``submission``, in words for the student."""
    try:
        notebooks.from_bytes(submission.read_bytes())
    except notebooks.NotebookError as error:
        return str(error)
    return f"The notebook can be read, but grading it failed; the instructor finds the reason in {log.name}."

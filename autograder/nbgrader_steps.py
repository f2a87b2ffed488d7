"""What stands in nbgrader's own converters, so that `nbgrader autograde` and formgrader's button grade as this course does.

`nbgrader_config.py` puts these in: the exporter reads a submission through intake, `RunSandboxed` runs it in the sandbox and
writes each verdict where nbgrader looks for it, and `SaveGrades` keeps reviews of what has not changed.
"""

import copy
import fnmatch
import glob
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.api import Grade, Gradebook, MissingEntry
from nbgrader.apps import api, autogradeapp
from nbgrader.converters import Autograde
from nbgrader.converters.base import BaseConverter, NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Dict

from autograder import allowed, outputs, paths, source, workers
from autograder.answers import Answers, known
from autograder.assignment import SECRET, TIME, Assignment, key_of, locked, said_by
from autograder.record import Record, digest
from autograder.sandbox.execution import Execution
from autograder.sandbox.limits import Limits
from autograder.verdicts import judge

Resources = dict[str, Any]
INTAKE = "autograder"
"""The key in a notebook's metadata under which intake leaves its notes for the next step."""
UNTIMELY = f"The file {TIME}, which says when the notebook was handed in, cannot be read."


class IntakeExporter(NotebookExporter):
    """Reads a submission as intake gives it. One that cannot be read becomes an empty notebook with the reason."""

    def from_filename(
        self, filename: str, resources: Resources | None = None, **kw: Any
    ) -> tuple[NotebookNode, Resources]:
        """Read a submission, or what an earlier step has written."""
        converter: Any = self.parent
        if not converter._sanitizing:
            read: tuple[NotebookNode, Resources] = super().from_filename(filename, resources, **kw)
            return read
        start = time.perf_counter()
        assignment = assignment_of(converter, (resources or {})["nbgrader"])
        folder = Path(filename).parent
        taken = assignment.take(folder)
        notebook = copy.deepcopy(assignment.released) if taken.notebook is None else taken.notebook
        doubt = UNTIMELY if (folder / TIME).exists() and when(folder) is None else ""
        notes = [*taken.notes, doubt] if doubt else taken.notes
        seconds = time.perf_counter() - start
        notebook.metadata[INTAKE] = {"notes": notes, "problem": taken.problem, "doubt": doubt, "seconds": seconds}
        done: tuple[NotebookNode, Resources] = self.from_notebook_node(  # type: ignore[no-untyped-call]
            notebook, resources=resources, **kw
        )
        return done


class RunSandboxed(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Run a submission in the sandbox, unless what comes of it is known already, and make the verdicts."""

    sandboxed = Bool(True, help="Whether student code runs in a sandbox; if not, it can do all that you can.").tag(
        config=True
    )
    limits = Dict(help="The limits of a submission that are not the default: see autograder.sandbox.limits.").tag(
        config=True
    )

    def preprocess(self, notebook: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Write outputs and verdicts into the cells, and the record."""
        student = resources["nbgrader"]["student"]
        assignment = assignment_of(self.parent.parent, resources["nbgrader"])
        left = notebook.metadata.pop(INTAKE, {"seconds": 0.0})
        found = {name: left[name] for name in ("problem", "notes", "doubt") if name in left}
        record = Record(student, **found, sandboxed=self.sandboxed)
        record.answers = {c.id: digest(c.source) for c in notebook.cells if source.kind_of(c) == "answer"}
        record.seconds["intake"] = left["seconds"]
        execution = Execution()
        if not record.problem:
            limits = Limits(**self.limits)
            request = assignment.request(copy.deepcopy(notebook), limits, sandboxed=self.sandboxed)
            kept = assignment.kept(student, key_of(request))
            execution = kept or Execution.from_bytes(_run(request))
            if kept is None:
                assignment.keep(student, key_of(request), execution.to_bytes())
            start = time.perf_counter()
            with locked(assignment.root, f"answers to {assignment.name}"):
                answers = known(assignment, assignment.remembering(_one_by_one), sandboxed=self.sandboxed)
            decide(assignment, answers, execution, record, limits)
            forbid(assignment, notebook, record)
            record.seconds |= {**execution.seconds, "verdict": time.perf_counter() - start}
        write_outputs(notebook, execution, record)
        resources["autograder"] = record
        return notebook, resources


class SaveGrades(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Save what nbgrader's SaveAutoGrades saves, all of it or nothing, and after it the record.

    A mark that a person gave stays. It needs a second look only if it was given to something else than what is there now.
    """

    def preprocess(self, notebook: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Save, and flag a submission that a person must look at."""
        about, now = resources["nbgrader"], resources["autograder"]
        converter = self.parent.parent
        path = assignment_of(converter, about).place("records", now.student)
        before = Record.read(path) if path.exists() else None
        with Gradebook(about["db_url"], converter.coursedir.course_id) as gradebook:
            graded = gradebook.find_submission_notebook(about["notebook"], about["assignment"], now.student)
            grades = {grade.name: grade for grade in graded.grades}
            comments = {comment.name: comment for comment in graded.comments}
            for cell in notebook.cells:
                if utils.is_grade(cell):
                    grade, (points, _) = grades[cell.metadata.nbgrader.grade_id], utils.determine_grade(cell, self.log)
                    grade.needs_manual_grade = _needs_human(grade, points, before, now)
                    grade.auto_score = points
                if utils.is_solution(cell):
                    same = cell.metadata.nbgrader.get("checksum") == utils.compute_checksum(cell)
                    comments[cell.metadata.nbgrader.grade_id].auto_comment = "No response." if same else None
            if now.needs_human:
                graded.flagged = True
            elif before is not None and before.needs_human:
                graded.flagged = False
            gradebook.db.commit()
        now.write(path)
        return notebook, resources


class Folders(CourseDirectory):  # type: ignore[misc]  # nbgrader has no types
    """nbgrader's folders. The time of a submission is read from a plain file, or there is none."""

    def get_existing_timestamp(self, dest_path: str) -> datetime | None:
        """When something was handed in; None if nothing says it."""
        return when(Path(dest_path))


class _FewFiles(BaseConverter):  # type: ignore[misc]  # nbgrader has no types
    """What a converter does before it converts: nbgrader's own way follows links, waits for pipes, and copies everything.

    Only the notebook is run, and formgrader would serve every other file to an instructor who is logged in there.
    """

    def init_assignment(self, assignment_id: str, student_id: str) -> None:
        """Copy what nbgrader's own files say of the submission, and nothing else."""
        for name in (TIME, SECRET):
            said = said_by(Path(self._format_source(assignment_id, student_id)), name)
            if said:
                paths.write(Path(self._format_dest(assignment_id, student_id), name), said)


class SafeAutograde(Autograde, _FewFiles):  # type: ignore[misc]  # nbgrader has no types
    """nbgrader's Autograde, for folders that may hold anything, without a notebook too, and with others at work beside it."""

    def __init__(self, coursedir: CourseDirectory, **kwargs: Any) -> None:
        same = {name: getattr(coursedir, name) for name in CourseDirectory.class_traits(config=True)}
        super().__init__(coursedir=Folders(parent=coursedir.parent, **same), **kwargs)

    def init_notebooks(self) -> None:
        """Find all submissions, with the notebooks that each should have."""
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                known = [
                    notebook.name for notebook in gradebook.find_assignment(self.coursedir.assignment_id).notebooks
                ]
            except MissingEntry:
                known = []
        chosen = [f"{name}.ipynb" for name in known if fnmatch.fnmatchcase(name, self.coursedir.notebook_id)]
        folders = glob.glob(self._format_source(self.coursedir.assignment_id, self.coursedir.student_id))
        self.assignments = {folder: [str(Path(folder, name)) for name in chosen] for folder in folders if chosen}
        if not self.assignments:
            super().init_notebooks()  # says what is missing

    def convert_notebooks(self) -> None:
        """Grade one submission after the other; one that fails stops no other."""
        failed = []
        for folder, found in sorted(self.assignments.items()):
            self.assignments = {folder: found}
            with locked(Path(self.coursedir.root), Path(folder).parent.name):
                try:
                    super().convert_notebooks()
                except NbGraderException as error:
                    failed.append(f"{Path(folder).parent.name}: {error}")
        if failed:
            raise NbGraderException(" ".join(failed))


# nbgrader has no setting for these. nbgrader_config.py imports this module, and so the command and formgrader have it.
autogradeapp.Autograde = api.Autograde = SafeAutograde


def decide(assignment: Assignment, answers: Answers, execution: Execution, record: Record, limits: Limits) -> None:
    """Write into the record which tests are passed, what was wrong with the others, and which mistake explains it."""
    for name, test in assignment.tests.items():
        verdict = judge(test, answers.right[name], execution.values.get(name))
        record.passed[name] = verdict.passed
        if not verdict.passed:
            record.messages[name] = verdict.message
    for task, names in source.tasks(assignment.master).items():
        found = (
            answers.diagnose(task, execution.values)
            if any(not record.passed.get(name, True) for name in names)
            else None
        )
        if found is not None:
            record.diagnoses[task] = found
    record.limits = {cell: limits.message(name) for cell, name in execution.limits.items()}
    record.memory = execution.memory


def forbid(assignment: Assignment, notebook: NotebookNode, record: Record) -> None:
    """Take the marks for tasks in which the student uses what is not allowed there, and say so in place of a diagnosis."""
    for task, message in allowed.broken(assignment.master, notebook).items():
        for name in assignment.tests:
            if source.task_of(name) == task:
                record.passed[name] = False
                record.messages[name] = message
        record.diagnoses[task] = "not allowed", message


def write_outputs(notebook: NotebookNode, execution: Execution, record: Record) -> None:
    """Give each cell its outputs, and each test its verdict in the form that nbgrader takes for one."""
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = outputs.clean(execution.outputs.get(cell.id, []))
        if cell.id in record.limits:
            cell.outputs.append(outputs.error("Stopped", record.limits[cell.id]))
        if source.kind_of(cell) == "tests":
            cell.outputs = outputs.without_verdict(cell.outputs)
            if not record.passed.get(cell.id, False):
                cell.outputs.append(outputs.error("TestFailed", record.messages.get(cell.id, record.problem)))


def _run(request: bytes) -> bytes:
    """Run a submission in this process, as nbgrader's own command does, which has no workers."""
    return workers.run(request)


def _one_by_one(requests: Iterable[tuple[str, bytes]]) -> dict[str, bytes]:
    return {name: _run(request) for name, request in requests}


def assignment_of(converter: Any, about: Mapping[str, str]) -> Assignment:
    """The assignment that one of nbgrader's converters is at."""
    return Assignment(Path(converter.coursedir.root), about["assignment"], about["notebook"])


def when(folder: Path) -> datetime | None:
    """When the submission in a folder was handed in; None if nothing says it, or nothing that can be read."""
    given = said_by(folder, TIME)
    try:
        return cast(datetime, utils.parse_utc(given)) if given else None
    except Exception:  # dateutil raises whatever comes
        return None


def _needs_human(grade: Grade, points: float | None, before: Record | None, now: Record) -> bool:
    """Whether a person must give a mark, or look again at one."""
    if grade.manual_score is None:
        return points is None
    same = before is not None and before.answers.get(grade.name) == now.answers.get(grade.name)
    return bool(grade.needs_manual_grade) if same and grade.auto_score == points else True

"""What stands in nbgrader's own converters, so that `nbgrader autograde` and formgrader's button grade as this course does.

`nbgrader_config.py` puts these in: the exporter reads a submission through intake, `RunSandboxed` runs it in the sandbox and
writes each verdict where nbgrader looks for it, and `SaveGrades` keeps reviews of what has not changed.
"""

import copy
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades
from traitlets import Bool, Dict

from autograder import intake, outputs, source, workers
from autograder.answers import Answers, known
from autograder.assignment import Assignment, key_of
from autograder.record import Record, digest
from autograder.sandbox.execution import Execution
from autograder.sandbox.limits import Limits
from autograder.verdicts import judge

Resources = dict[str, Any]
INTAKE = "autograder"
"""The key in a notebook's metadata under which intake leaves its notes for the next step."""


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
        taken = intake.take(Path(filename), assignment.released)
        notebook = copy.deepcopy(assignment.released) if taken.notebook is None else taken.notebook
        seconds = time.perf_counter() - start
        notebook.metadata[INTAKE] = {"notes": taken.notes, "problem": taken.problem, "seconds": seconds}
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
        left = notebook.metadata.pop(INTAKE, {"notes": [], "problem": "", "seconds": 0.0})
        record = Record(student, problem=left["problem"], notes=left["notes"], sandboxed=self.sandboxed)
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
            answers = known(assignment, _one_by_one, sandboxed=self.sandboxed)
            decide(assignment, answers, execution, record, limits)
            record.seconds |= {**execution.seconds, "verdict": time.perf_counter() - start}
        write_outputs(notebook, execution, record)
        path = assignment.place("records", student)
        resources["autograder"] = {"before": Record.read(path) if path.exists() else None, "now": record}
        record.write(path)
        return notebook, resources


class SaveGrades(SaveAutoGrades):  # type: ignore[misc]  # nbgrader has no types
    """Save what nbgrader saves; but a mark that a person gave to something that is still the same needs no second look."""

    def preprocess(self, notebook: NotebookNode, resources: Resources) -> tuple[NotebookNode, Resources]:
        """Save, and flag a submission that a person must look at."""
        about = resources["nbgrader"]
        key = about["notebook"], about["assignment"], about["student"]
        with Gradebook(about["db_url"]) as gradebook:
            graded = gradebook.find_submission_notebook(*key)
            reviewed = {
                grade.name: (grade.auto_score, grade.needs_manual_grade)
                for grade in graded.grades
                if grade.manual_score is not None
            }
        notebook, resources = super().preprocess(notebook, resources)
        before, now = resources["autograder"]["before"], resources["autograder"]["now"]
        with Gradebook(about["db_url"]) as gradebook:
            graded = gradebook.find_submission_notebook(*key)
            for grade in graded.grades:
                same = before is not None and before.answers.get(grade.name) == now.answers.get(grade.name)
                if grade.name in reviewed and same and grade.auto_score == reviewed[grade.name][0]:
                    grade.needs_manual_grade = reviewed[grade.name][1]
            if now.problem or not now.sandboxed:
                graded.flagged = True
            gradebook.db.commit()
        return notebook, resources


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

"""What students get to see of their graded notebook, and what they get when it could not be read."""

from html import escape
from pathlib import Path
from string import Template
from typing import Any

from nbformat import NotebookNode
from nbgrader.preprocessors import ClearHiddenTests, NbGraderPreprocessor

from autograder import notebooks, record, source

HIDDEN = "BEGIN HIDDEN TESTS"

UNREADABLE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$notebook: not graded</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.4rem; }
p.reason { border-left: 4px solid #b33; padding: .5rem 1rem; background: #faf3f3; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>$assignment, $notebook.ipynb: your notebook could not be graded</h1>
<p class="reason">$reason</p>
<p>It has 0 of $max_score points for now, and a person will look at it. Nothing of what you sent was changed.</p>
<h2>What to do</h2>
<ol>
<li>Open the notebook in Jupyter. If it does not open, your file is damaged too: go back to a copy that opens
(in JupyterLab: File, Revert Notebook to Checkpoint), or download the assignment anew and paste your answers in.</li>
<li>Choose Kernel, Restart Kernel and Run All Cells. Then save.</li>
<li>Submit the file again, and wait until the upload has finished. Compare the sizes if you can.</li>
</ol>
<p>If that does not help, send your instructor the file and this page.</p>
</body>
</html>
""")

# The classes are Bootstrap's, which nbgrader's page brings along. Its own list of marks calls every cell "Test cell".
TABLE = Template("""<style>#toc { display: none }</style>
<table class="table table-condensed" style="width: auto">
<tr><th>task</th><th>your points</th><th>of</th><th>where points were lost</th></tr>
$rows
</table>""")
ROW = Template("<tr><td>$task</td><td>$points</td><td>$total</td><td>$lost</td></tr>")


class MarksTable(NbGraderPreprocessor):  # type: ignore[misc]  # nbgrader has no types
    """Put a table of marks at the top of feedback, one row a task, after GetGrades has written the marks into the cells.

    Below it stand the mistakes that the course knows, the limits that were hit, and what intake put right.
    """

    def preprocess(self, notebook: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Add the cell with the table."""
        marks = {cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.score) for cell in _graded(notebook)}
        worth = source.points(notebook)
        rows = []
        for task, names in source.tasks(notebook).items():
            lost = ", ".join(f'<a href="#{name}">{name}</a>' for name in names if marks[name] < worth[name])
            rows.append((task, sum(marks[name] for name in names), sum(worth[name] for name in names), lost))
        rows.append(("all", sum(marks.values()), sum(worth.values()), ""))
        body = "\n".join(ROW.substitute(task=t, points=f"{p:g}", total=f"{w:g}", lost=lost) for t, p, w, lost in rows)
        text = TABLE.substitute(rows=body) + "\n".join(f"<p>{escape(note)}</p>" for note in self._notes(resources))
        notebook.cells.insert(0, notebooks.new_cell("markdown", text, "marks"))
        return notebook, resources

    def _notes(self, resources: dict[str, Any]) -> list[str]:
        """What is to be said beside the marks; nothing about a submission that was graded by plain nbgrader."""
        about = resources["nbgrader"]
        root = Path(self.parent.parent.coursedir.root)
        path = record.place(root, about["assignment"], about["notebook"], about["student"])
        if not path.exists():
            return []
        found = record.Record.read(path)
        diagnoses = [f"{task}: {message}" for task, (_, message) in found.diagnoses.items()]
        return [*diagnoses, *(f"{cell}: {message}" for cell, message in found.limits.items()), *found.notes]


class HideTests(ClearHiddenTests):  # type: ignore[misc]  # nbgrader has no types
    """Take hidden tests out of feedback: their source, and tracebacks, which quote it. The error's message stays."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: dict[str, Any], index: int
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Clean one cell. Only a test that has a hidden part loses its tracebacks."""
        if cell.cell_type == "code" and HIDDEN in cell.source:
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}" if output.evalue else output.ename]
        cell, resources = super().preprocess_cell(cell, resources, index)
        return cell, resources


def unreadable(assignment: str, notebook: str, reason: str, max_score: float) -> str:
    """The feedback page for a submission that could not be graded, in the place of its notebook."""
    return UNREADABLE.substitute(
        assignment=escape(assignment), notebook=escape(notebook), reason=escape(reason), max_score=f"{max_score:g}"
    )


def _graded(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]

"""A graded notebook of the small assignment, as it comes to a feedback page, for tests to put things into."""

from nbformat import NotebookNode

from autograder import bank, feedback_page, source
from autograder.record import Record


def graded(path, answers=None, scores=None, comments=None, waiting=()):
    """The notebook of the percent notebook at ``path`` with answers filled in and marks in its cells.

    Args:
        path: of the source.
        answers: name of a cell -> the student's text; the model's where there is none.
        scores: name of a graded cell -> points; all of them where there is none.
        comments: name of a cell -> what an instructor wrote.
        waiting: names of answers that nobody has read.
    """
    notebook = source.load(path)
    worth = source.points(notebook)
    notebook = bank.fill_in(notebook, {**bank.model_answers(notebook), **(answers or {})})
    for cell in notebook.cells:
        about = cell.metadata.get("nbgrader")
        if about is None:
            continue
        name = about["grade_id"]
        if about["grade"]:
            about["points"], about["waiting"] = worth[name], name in waiting
            about["score"] = (scores or {}).get(name, worth[name])
        if about["solution"]:
            about["comment"] = (comments or {}).get(name)
    return notebook


def add_outputs(notebook, name, *outputs):
    """Put outputs below the cell ``name``; one given as a dictionary of MIME types is a display."""
    (cell,) = [cell for cell in notebook.cells if cell.id == name]
    for output in outputs:
        made = output if "output_type" in output else {"output_type": "display_data", "data": output, "metadata": {}}
        cell.setdefault("outputs", []).append(NotebookNode(made))


def page(notebook, found=None, late_penalty=0.0, student="ada"):
    """The feedback page; ``found`` are fields of the record, and without it there is none."""
    graders = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    marks = {
        "score": sum(float(about.get("score", 0)) for about in graders) - late_penalty,
        "max_score": sum(source.points(notebook).values()),
        "late_penalty": late_penalty,
    }
    record = None if found is None else Record(student, **found)
    return feedback_page.page("01_tiny", "tiny", student, notebook, marks, record)

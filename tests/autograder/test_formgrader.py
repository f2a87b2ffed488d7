"""Formgrader in a real Jupyter server: its button grades as the command does, and its page shows nothing that could run."""

import html
import json
import re
import shutil

import pytest
from classroom import ABSOLUTE, RIGHT, SQUARE, open_course, submit
from notebook_server import JupyterServer

from autograder import grades, paths
from autograder.record import Record, place

CODE = "from IPython.display import HTML, display\ndisplay(HTML('<script>document.title = \"owned\"</script>'))\n"
ANSWERS = {"right": RIGHT, "square": SQUARE, "hostile": CODE + ABSOLUTE}


@pytest.fixture(scope="module")
def served(sandbox, tiny_for_module, tmp_path_factory):
    """A course with three submissions, and the server in its folder."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copy(paths.REPOSITORY / "nbgrader_config.py", folder)
    course = open_course(folder / "course", tiny_for_module)
    submit(course, **ANSWERS)
    server = JupyterServer(folder)
    try:
        for student in ANSWERS:
            answer = json.loads(server.ask(f"formgrader/api/submission/01_tiny/{student}/autograde", "POST"))
            assert answer["success"], answer.get("error") or answer.get("log")
        yield course, server
    finally:
        server.close()


@pytest.mark.slow
def test_the_button_gives_the_marks_and_diagnoses_of_the_command(served):
    course, _ = served
    assert {grade.student: grade.tasks["double"] for grade in grades.of(course, "01_tiny")} == {
        "right": 2.5,
        "square": 0,
        "hostile": 1,
    }
    found = {student: Record.read(place(course.root, "01_tiny", "tiny", student)) for student in ANSWERS}
    assert all(record.sandboxed for record in found.values())
    assert {student: record.diagnoses.get("double", [""])[0] for student, record in found.items()} == {
        "right": "",
        "square": "square",
        "hostile": "absolute",
    }


@pytest.mark.slow
def test_the_page_of_a_submission_has_no_script_of_the_students(served):
    course, server = served
    with course.gradebook() as gradebook:
        number = gradebook.find_submission_notebook("tiny", "01_tiny", "hostile").id
    page = server.ask(f"formgrader/submissions/{number}/")
    assert "return 2 * abs(x)" in html.unescape(re.sub(r"<[^>]*>", "", page))
    assert "<script>document.title" not in page

"""Student notebooks where students open them: in JupyterLab, in a real browser; and where aelib has to be installed first."""

import json
import shutil

import pytest
from elsewhere import Elsewhere
from lab_pages import open_notebook, run_first_cells
from notebook_server import JupyterServer

from autograder import paths

NOTEBOOKS = {path.parent.name: path for path in sorted(paths.EXERCISES.glob("*/*.ipynb"))}
# JupyterLab takes cells that cannot be seen out of the page, so all that are run here have room.
WINDOW = {"width": 1280, "height": 6000}
OUTPUTS = ".jp-Notebook .jp-CodeCell .jp-OutputArea-output"


def code_cells(name):
    cells = json.loads(NOTEBOOKS[name].read_text())["cells"]
    return {cell["id"]: "".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A server with JupyterLab, in a folder with what students get."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(paths.EXERCISES, folder, dirs_exist_ok=True)
    server = JupyterServer(folder)
    try:
        server.ask("lab")
        yield server
    finally:
        server.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(NOTEBOOKS))
def test_the_set_up_runs_in_jupyterlab_and_the_first_task_waits_for_its_answer(name, lab, chromium):
    page = chromium.new_page(viewport=WINDOW)
    open_notebook(page, lab, f"{name}/{NOTEBOOKS[name].name}")
    # The introduction, install, set-up, the first task, its stub, and its first test.
    run_first_cells(page, lab, ("text", "code", "code", "text", "code", "code"))
    page.locator(OUTPUTS).first.wait_for()
    (error,) = page.locator(OUTPUTS).all_text_contents()
    assert "NotImplementedError" in error
    for kernel in json.loads(lab.ask("api/kernels")):
        lab.ask(f"api/kernels/{kernel['id']}", "DELETE")
    page.close()


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    return Elsewhere(tmp_path_factory.mktemp("elsewhere"))


@pytest.mark.slow
def test_the_first_cell_installs_aelib_and_every_set_up_runs(elsewhere):
    install = max((code_cells(name)["install"] for name in NOTEBOOKS), key=len)  # others install less or the same
    where = "import aelib\nprint(aelib.__file__)"
    assert "No module named 'aelib'" in elsewhere.run(where).stderr
    done = elsewhere.run(install, where, *(code_cells(name)["setup"] for name in NOTEBOOKS))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(elsewhere.root)), done.stdout

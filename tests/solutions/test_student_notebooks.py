"""Student notebooks where students open them: in JupyterLab, in a real browser; and where aelib has to be installed first."""

import json
import shutil

import pytest
from elsewhere import Elsewhere
from notebook_server import TOKEN, JupyterServer

from autograder import paths

NOTEBOOKS = {path.parent.name: path for path in sorted(paths.EXERCISES.glob("*/*.ipynb"))}
ACTIVE = "number => document.querySelectorAll('.jp-Notebook .jp-Cell')[number].classList.contains('jp-mod-active')"
PROMPT_IS = """([number, text]) =>
    document.querySelectorAll(".jp-Notebook .jp-CodeCell .jp-InputPrompt")[number].textContent === text"""
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
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{lab.address}/lab/tree/{name}/{NOTEBOOKS[name].name}?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=120_000)
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Escape")
    # The introduction, install, set-up, the first task, its stub, and its first test; each when the one before is done.
    done = 0
    for number, kind in enumerate(("text", "code", "code", "text", "code", "code")):
        page.wait_for_function(ACTIVE, arg=number)
        page.keyboard.press("Shift+Enter")
        if kind == "code":
            page.wait_for_function(PROMPT_IS, arg=[done, f"[{done + 1}]:"], timeout=120_000)
            done += 1
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

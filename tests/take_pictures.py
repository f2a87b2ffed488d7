"""The pictures of README, taken from the real thing. `make pictures` prepares what it looks at."""

import io
import shutil
import sys
import tempfile
from pathlib import Path

from lab_pages import open_notebook, run_first_cells
from notebook_server import JupyterServer
from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "_build" / "html" / "book" / "02_variants" / "08_vae.html"
FEEDBACK = ROOT / "build" / "demo" / "feedback" / "mistake_smallest" / "01_linear" / "linear.html"
WINDOW = {"width": 1200, "height": 750}


def reader(page):
    """A point of the latent plane, moved with the keyboard, and what the decoder makes of it."""
    page.goto(PAGE.as_uri())
    explorer = page.locator(".explorer").first
    explorer.scroll_into_view_if_needed()
    page.wait_for_selector(".explorer-ready", timeout=60_000)
    pad = explorer.locator(".explorer-pad").first
    pad.focus()
    for key in ("ArrowLeft",) * 12 + ("ArrowDown",) * 10:
        pad.press(key)
    page.evaluate("root => window.scrollBy(0, root.getBoundingClientRect().top - 220)", explorer.element_handle())


def student(page, lab, folder):
    """The first task of an assignment in JupyterLab: an answer with the mean of the wrong axis, and what the test says."""
    notebook = folder / "01_linear" / "linear.ipynb"
    text = notebook.read_text(encoding="utf-8")
    answer = "return x - x.mean(dim=1, keepdim=True), x.mean(dim=1)"
    notebook.write_text(text.replace("raise NotImplementedError", answer, 1), encoding="utf-8")
    open_notebook(page, lab, "01_linear/linear.ipynb", mode="doc")
    # The introduction, install, set-up, the task, the answer, and its first test.
    run_first_cells(page, lab, ("text", "code", "code", "text", "code", "code"))
    page.add_style_tag(content=".Toastify {display: none}")  # a question about news from Jupyter
    page.locator(".jp-Notebook .jp-Cell").nth(4).evaluate("cell => cell.scrollIntoView({block: 'start'})")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        shutil.copytree(ROOT / "exercises", temporary, dirs_exist_ok=True)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=WINDOW)
        reader(page)
        save(page, folder / "reader.png")
        page.goto(FEEDBACK.as_uri())
        page.get_by_role("heading", name="What to look at").evaluate("heading => heading.scrollIntoView()")
        save(page, folder / "feedback.png")
        server = JupyterServer(Path(temporary))
        try:
            server.ask("lab")
            student(page, server, Path(temporary))
            save(page, folder / "student.png")
        finally:
            server.close()
        browser.close()


def save(page, path):
    """A picture of the window, in 256 colors, which is a third of the size."""
    page.wait_for_timeout(1500)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

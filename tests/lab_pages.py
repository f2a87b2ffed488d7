"""A notebook in JupyterLab, driven from the keyboard as a student would."""

from notebook_server import TOKEN
from playwright.sync_api import TimeoutError

ACTIVE = "number => document.querySelectorAll('.jp-Notebook .jp-Cell')[number].classList.contains('jp-mod-active')"
PROMPTS = (
    "[...document.querySelectorAll('.jp-Notebook .jp-CodeCell .jp-InputPrompt')].map(prompt => prompt.textContent)"
)


def open_notebook(page, server, path, mode="lab"):
    """Open a notebook, wait for its kernel, and go to its first cell; ``mode`` is lab, or doc for the notebook alone."""
    page.goto(f"{server.address}/{mode}/tree/{path}?token={TOKEN}&reset")
    page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=120_000)
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Escape")


def run_first_cells(page, server, kinds):
    """Run the first cells, each when the one before is done.

    ``kinds`` says of each whether it is "text" or "code". A cell that is not run fails, with what can be seen.
    """
    done = 0
    for number, kind in enumerate(kinds):
        page.wait_for_function(ACTIVE, arg=number)
        page.keyboard.press("Shift+Enter")
        if kind == "code":
            done += 1
            try:
                if not _begins(page, done):  # JupyterLab forgets what is run while it connects to the kernel
                    page.locator(".jp-Notebook .jp-Cell").nth(number).locator(".jp-InputPrompt").click()
                    page.keyboard.press("Shift+Enter")
                page.wait_for_function(f"prompt => {PROMPTS}.includes(prompt)", arg=f"[{done}]:", timeout=120_000)
            except TimeoutError as error:
                raise AssertionError(f"{page.evaluate(PROMPTS)[:4]} {server.ask('api/kernels')}") from error


def _begins(page, number):
    """Whether a cell runs or has been run, within a time in which it would have begun."""
    begun = f"prompts => {PROMPTS}.some(prompt => prompts.includes(prompt))"
    try:
        page.wait_for_function(begun, arg=["[*]:", f"[{number}]:"], timeout=20_000)
    except TimeoutError:
        return False
    return True

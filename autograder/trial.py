"""Run a notebook's cells in this process: the fast way to see which tests pass, for code that we wrote ourselves.

It knows no kernel, no sandbox and no time limit. Submissions are graded by nbgrader.
"""

import contextlib
import io
import warnings
from typing import Any

from nbformat import NotebookNode

from autograder import source


def run(notebook: NotebookNode) -> dict[str, str | None]:
    """Execute the code cells in order in one fresh namespace; a cell that fails does not stop the next.

    Returns:
        the name of each cell -> its error, or None if it ran.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    outcome: dict[str, str | None] = {}
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning never costs a mark
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            outcome[cell.id] = None
            try:
                exec(compile(cell.source, f"<cell {cell.id}>", "exec"), namespace)
            except (Exception, SystemExit) as error:
                outcome[cell.id] = f"{type(error).__name__}: {error}"
    return outcome


def scores(notebook: NotebookNode, outcome: dict[str, str | None]) -> dict[str, float]:
    """The name of each test cell -> the points that the outcome of ``run`` earns there."""
    worth = source.points(notebook)
    tests = [cell.id for cell in notebook.cells if source.kind_of(cell) == "tests"]
    return {name: worth[name] if outcome[name] is None else 0.0 for name in tests}

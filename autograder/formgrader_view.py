"""Submissions as formgrader shows them to an instructor, who is logged in there: nothing of a student's may run in that page.

nbconvert's own `sanitize_html` is not enough, because nbgrader's template puts some outputs into the page without it.
"""

from typing import Any

from markupsafe import Markup
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from autograder.feedback_cells import Cells


class SafeView(Preprocessor):
    """Puts cleaned HTML in the place of texts and outputs; the code of cells is escaped by nbconvert itself."""

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Clean all cells of the copy that is shown; the file is not changed."""
        cells = Cells()
        for cell in nb.cells:
            if cell.cell_type == "code":
                shown = Markup("").join(cells.outputs(cell))
                data = {"output_type": "display_data", "data": {"text/html": _shield(shown)}, "metadata": {}}
                cell.outputs = [NotebookNode(data)] if shown else []
            else:
                cell.source, cell.cell_type = _shield(cells.text(cell)), "markdown"
                cell.pop("attachments", None)  # they are in the text now
        return nb, resources


def _shield(shown: Markup) -> str:
    """One line of HTML, which Markdown leaves as it is, and which MathJax leaves alone."""
    line = shown.replace("\n", Markup("&#10;"))
    return f'<div class="tex2jax_ignore mathjax_ignore">{line}</div>'

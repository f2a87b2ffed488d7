"""Launch and download buttons of a chapter lead to its notebook; the theme would lead to its MyST source, which nothing opens.

Launch buttons open the branch that ``_config.yml`` names, to which the deploy workflow pushes what ``make_publication.py`` makes.
The file behind the download button is written here, into the site.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from make_notebooks import write
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

AFTER_THE_THEME = 502  # which adds its buttons at 501


def lead_to_notebook(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Change the launch buttons of a page."""
    for group in context.get("header_buttons", ()):
        for button in group.get("buttons", ()) if group.get("label") == "launch-buttons" else ():
            button["url"] = button["url"].replace(f"{page}.md", f"{page}.ipynb")


def write_notebooks(app: Sphinx, error: Exception | None) -> None:
    """Write the notebooks where the download buttons lead, over those with MyST text that the theme has put there."""
    if error is None and app.builder.name == "html":
        write(Path(app.outdir) / "_sources")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Follow the theme."""
    app.connect("html-page-context", lead_to_notebook, priority=AFTER_THE_THEME)
    app.connect("build-finished", write_notebooks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

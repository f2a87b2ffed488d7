"""Built pages for those who see nothing or use no mouse: what the theme, Sphinx and MathJax leave out for them."""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

# The title in the side bar is in no landmark.
TITLE = re.compile(r'<div class="sidebar-primary-item">(?=\s*<a class="navbar-brand logo")')
NAMED_TITLE = '<div class="sidebar-primary-item" role="navigation" aria-label="Start page">'
# Sphinx writes the lines of a long signature as a list of definitions without terms.
PARAMETERS = re.compile(r'<dl>\s*((?:<dd><em class="sig-param">.*?</dd>\s*)+)</dl>', re.DOTALL)

# Docutils gives works the role of an entry, which has been withdrawn, in a list, whose children have to be items.
ENTRY = 'role="doc-biblioentry"'

# Who speaks to the computer says what is written: "Show the code".
ANOTHER_NAME = '<summary aria-label="Toggle hidden content">'

# The corner of a table that has titles for its rows and its columns is no title.
CORNER = re.compile(r'<th class="head[^"]*">\s*<p></p>\s*</th>')


def repair(text: str) -> str:
    """The text of a page with a name for the place of the title, and with lists that are lists."""

    def as_list(found: re.Match[str]) -> str:
        items = found[1].replace("<dd>", "<li>").replace("</dd>", "</li>")
        return f'<ul class="sig-lines">{items}</ul>'

    text = CORNER.sub("<td></td>", PARAMETERS.sub(as_list, TITLE.sub(NAMED_TITLE, text)))
    return text.replace(ENTRY, 'role="listitem"').replace(ANOTHER_NAME, "<summary>")


def finish(app: Sphinx, error: Exception | None) -> None:
    """Repair every page of a site that was built."""
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    if not TITLE.search((site / f"{app.config.root_doc}.html").read_text(encoding="utf-8")):
        raise ExtensionError("accessible_pages: the theme writes its title in another way now; look where it is")
    for page in site.rglob("*.html"):
        if "_static" not in page.relative_to(site).parts:
            page.write_text(repair(page.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register it, and the script for what scrolls sideways."""
    app.add_js_file("scrollable.js", loading_method="defer")
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

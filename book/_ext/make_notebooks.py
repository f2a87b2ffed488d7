"""Write each page with code as a notebook for plain Jupyter: ``python make_notebooks.py OUT_FOLDER``.

A notebook has no outputs, but the numbers in its text are those of the book's last execution, from its cache. Cells that the
book folds or leaves out are in it, folded: those check what the text says. Its first cell of code installs what is missing, aelib
at the commit or tag that COURSE_REVISION names, or else as it is in the repository at that time.
"""

import ast
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import jupytext
import nbformat
from contents import ROOT
from cross_references import Book, page_of, read_book, references
from jupyter_cache import get_cache
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from plain_markdown import MystError, Page, anchor, to_markdown

from autograder import install

ENVIRONMENT = (
    "*A page of the course as a notebook. The first cell of code installs what it needs where that is missing.*"
)
REVISION = os.environ.get("COURSE_REVISION", "")
# The book puts numbers into its text with MyST-NB, which runs in Sphinx. A notebook has them there, so a name is enough.
GLUE = "from myst_nb import glue"
PLAIN_GLUE = '''\
def glue(name, value, display=True):
    """The book takes numbers for its text from here; in this notebook they are in the text already."""'''
FOLDED = {"hide-input", "remove-input", "remove-cell"}
GLUED = "application/papermill.record/text/plain"


class StaleError(ValueError):
    """The execution cache is not of the pages as they are now."""


def cells(source: NotebookNode, text: str, page: Page) -> Iterator[NotebookNode]:
    """The cells of a page in their plain form. A figure's caption is a cell of its own."""
    at = 0
    for cell in source.cells:
        at = text.index(cell.source, at)
        line = text.count("\n", 0, at) + 1
        if cell.cell_type == "markdown":
            yield new_markdown_cell(to_markdown(cell.source, page, line))
            continue
        metadata = {"jupyter": {"source_hidden": True}} if FOLDED & set(cell.metadata.get("tags", ())) else {}
        yield new_code_cell(cell.source.replace(GLUE, PLAIN_GLUE), metadata=metadata)
        if figure := cell.metadata.get("mystnb", {}).get("figure"):
            caption = to_markdown(figure["caption"], page, line)
            yield new_markdown_cell(f"{anchor(figure['name'])}**{page.names[figure['name']]}.** {caption}")


def plain_notebook(book: Book, name: str, source: NotebookNode, glued: Mapping[str, str]) -> NotebookNode:
    """One page as a notebook."""
    found = list(cells(source, book.texts[name], page_of(book, name, glued)))
    code = "\n".join(cell.source for cell in source.cells if cell.cell_type == "code")
    found[1:1] = [new_markdown_cell(ENVIRONMENT), new_code_cell(install.cell(code, REVISION))]
    found += [new_markdown_cell(works)] if (works := references(book, name)) else []
    for number, cell in enumerate(found, start=1):
        cell.id = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return new_notebook(cells=found, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def glued(executed: NotebookNode) -> dict[str, str]:
    """The numbers that an executed page made available to its text."""
    found = {}
    for cell in executed.cells:
        for output in cell.get("outputs", ()):
            if name := output.get("metadata", {}).get("scrapbook", {}).get("name"):
                found[name] = str(ast.literal_eval(output["data"][GLUED]))
    return found


def write(folder: Path) -> int:
    """Write them all, as a tree like that of the sources; the result is their number.

    Raises:
        MystError: if a page says something that has no plain form.
        StaleError: if a page has not been executed as it is now.
    """
    book, cache = read_book(), get_cache(ROOT / "_build" / ".jupyter_cache")
    names = [name for name in book.texts if book.has_code(name)]
    for name in names:
        notebook, target = ROOT / f"{name}.ipynb", folder / f"{name}.ipynb"
        target.parent.mkdir(parents=True, exist_ok=True)
        if notebook.exists():  # an assignment, which stays what the student gets
            shutil.copyfile(notebook, target)
            continue
        source = jupytext.reads(book.texts[name], fmt="md:myst")
        try:
            record = cache.match_cache_notebook(source)
        except KeyError as error:
            message = f"{name}.md has not been executed as it is now; build the book first: make book"
            raise StaleError(message) from error
        executed = cache.get_cache_bundle(record.pk).nb
        nbformat.write(plain_notebook(book, name, source, glued(executed)), target)
    return len(names)


def main(folder: Path) -> None:
    """Write them, and say how many."""
    try:
        print(f"{write(folder)} notebooks: {folder}")
    except (MystError, StaleError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Write each page with code as a notebook for plain Jupyter: ``python make_notebooks.py OUT_FOLDER``.

A notebook has no outputs, but the numbers in its text are those of the book's last execution, from its cache. Cells that the
book folds or leaves out are in it, folded: those check what the text says.
"""

import ast
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

ENVIRONMENT = "*A page of the course as a notebook. It runs in the environment that `make setup` creates.*"
FOLDED = {"hide-input", "remove-input", "remove-cell"}
GLUED = "application/papermill.record/text/plain"


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
        yield new_code_cell(cell.source, metadata=metadata)
        if figure := cell.metadata.get("mystnb", {}).get("figure"):
            caption = to_markdown(figure["caption"], page, line)
            yield new_markdown_cell(f"{anchor(figure['name'])}**{page.names[figure['name']]}.** {caption}")


def plain_notebook(book: Book, name: str, glued: Mapping[str, str]) -> NotebookNode:
    """One page as a notebook."""
    text = book.texts[name]
    found = list(cells(jupytext.reads(text, fmt="md:myst"), text, page_of(book, name, glued)))
    found.insert(1, new_markdown_cell(ENVIRONMENT))
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


def main(folder: Path) -> None:
    """Write them all, as a tree like that of the sources."""
    book, cache = read_book(), get_cache(ROOT / "_build" / ".jupyter_cache")
    for name, text in book.texts.items():
        source, target = ROOT / f"{name}.ipynb", folder / f"{name}.ipynb"
        if not book.has_code(name):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.exists():  # an assignment, which stays what the student gets
            shutil.copyfile(source, target)
            continue
        try:
            record = cache.match_cache_notebook(jupytext.reads(text, fmt="md:myst"))
        except KeyError:
            sys.exit(f"{name}.md has not been executed as it is now; build the book first: make book")
        try:
            notebook = plain_notebook(book, name, glued(cache.get_cache_bundle(record.pk).nb))
        except MystError as error:
            sys.exit(str(error))
        nbformat.write(notebook, target)
    print(f"{len(list(folder.rglob('*.ipynb')))} notebooks: {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Notebooks as text and back, in nbformat 4.5. nbformat has no types, so all calls of it are in this module."""

import warnings
from typing import cast

import nbformat
from nbformat import NotebookNode


class NotebookError(ValueError):
    """A text is not a notebook; says why, in words for its author."""


def new(cells: list[NotebookNode], metadata: dict[str, dict[str, str]]) -> NotebookNode:
    """A notebook of these cells."""
    return cast(NotebookNode, nbformat.v4.new_notebook(cells=cells, metadata=metadata))


def new_cell(cell_type: str, text: str, name: str) -> NotebookNode:
    """A "code" or "markdown" cell with the id ``name``."""
    make = nbformat.v4.new_code_cell if cell_type == "code" else nbformat.v4.new_markdown_cell
    return cast(NotebookNode, make(text, id=name))  # type: ignore[no-untyped-call]


def to_text(notebook: NotebookNode) -> str:
    """The notebook as JSON; the same notebook always gives the same text."""
    return cast(str, nbformat.writes(notebook)) + "\n"


def from_bytes(content: bytes) -> NotebookNode:
    """The notebook that a file holds, checked against nbformat's schema.

    Raises:
        NotebookError: if the file is no notebook, with the place where it stops being one.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about cells without an id, which nbformat repairs
            notebook = nbformat.reads(content.decode("utf-8"), as_version=4)
            nbformat.validate(notebook)
    except UnicodeDecodeError as error:
        raise NotebookError("The file is not text in UTF-8, so it is not a notebook.") from error
    except nbformat.reader.NotJSONError as error:
        raise NotebookError(f"The file is not a whole notebook: {error.__cause__ or 'it is not JSON'}.") from error
    except nbformat.ValidationError as error:
        raise NotebookError(f"The file is JSON, but not a valid notebook: {error.message}") from error
    except Exception as error:  # nbformat raises whatever comes when JSON of another kind is taken for a notebook
        raise NotebookError(f"The file is JSON, but not a notebook ({type(error).__name__}: {error}).") from error
    return cast(NotebookNode, notebook)

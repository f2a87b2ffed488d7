"""Docstrings are written to be read in the source, where a shape is (B, *event_shape). In Sphinx a lone star opens emphasis."""

import re

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def escape_stars(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Escape the star of a shape's ``*axes`` outside of literals."""
    for number, line in enumerate(lines):
        parts = line.split("``")
        parts[::2] = [re.sub(r"\*(\w+)(?=[),])", r"\\*\1", part) for part in parts[::2]]
        lines[number] = "``".join(parts)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Run before napoleon reads the docstring (at priority 500)."""
    app.connect("autodoc-process-docstring", escape_stars, priority=400)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

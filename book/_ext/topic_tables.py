"""The ``{coverage}`` directive: where each topic of the course is, for one group of ``book/reference/coverage.yml``.

A page says what it covers in a comment, ``% covers: V4 E8``. So the table cannot name a page that does not claim the topic.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

COVERS = re.compile(r"^% covers:(.*)$", re.MULTILINE)


def topics(source: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Group -> id -> its entry, from the file of topics."""
    read: dict[str, dict[str, dict[str, str]]] = yaml.safe_load(
        (source / "book/reference/coverage.yml").read_text(encoding="utf-8")
    )
    return read


def pages(source: Path, listed: list[str]) -> dict[str, list[str]]:
    """Id -> the pages among the listed ones that say they cover it, in their order."""
    found: dict[str, list[str]] = {}
    for name in listed:
        path = source / f"{name}.md"
        for line in COVERS.findall(path.read_text(encoding="utf-8")) if path.exists() else ():
            for topic in line.split():
                found.setdefault(topic, []).append(name)
    return found


def table(entries: Mapping[str, Mapping[str, str]], covered: Mapping[str, list[str]]) -> str:
    """The MyST text of a table with one row for each topic."""
    in_library = any("aelib" in entry for entry in entries.values())
    rows = ["| no. | topic | pages |" + " in aelib |" * in_library, "|---|---|---|" + "---|" * in_library]
    for topic, entry in entries.items():
        where = ", ".join(f"{{doc}}`/{name}`" for name in covered.get(topic, []))
        names = ", ".join(f"{{py:obj}}`~aelib.{name}`" for name in entry.get("aelib", "").split())
        rows.append(f"| {topic} | {entry['what']} | {where} |" + f" {names} |" * in_library)
    return "\n".join(rows)


class Coverage(SphinxDirective):
    """``{coverage} GROUP`` shows the table of one group."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Build the table."""
        source = Path(self.env.srcdir)
        self.env.note_reread()  # it depends on the comments of all pages
        entries = topics(source)[self.arguments[0]]
        text = table(entries, pages(source, sorted(self.env.found_docs)))
        found = nodes.container()
        self.state.nested_parse(StringList(text.splitlines(), self.get_source_info()[0]), self.content_offset, found)
        return found.children


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive("coverage", Coverage)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

"""Where the sources of the book and the site built from them are."""

from pathlib import Path

import jupytext
import yaml

ROOT = Path(__file__).parents[2]
SITE = ROOT / "_build" / "html"


def toc_files(node):
    """Every page that the table of contents names, without suffix, the root first."""
    if isinstance(node, list):
        return [file for child in node for file in toc_files(child)]
    own = [node[key] for key in ("root", "file") if key in node]
    return own + [file for key in ("parts", "chapters", "sections") for file in toc_files(node.get(key, []))]


TOC = toc_files(yaml.safe_load((ROOT / "_toc.yml").read_text()))
PAGES = sorted((ROOT / "book").rglob("*.md"))
CHAPTERS = [page for page in PAGES if page.parent.name[:2].isdigit()]


def page_id(path):
    return path.relative_to(ROOT).as_posix()


def code_cells(page):
    """The code cells of a MyST page; none if it is not a notebook."""
    text = page.read_text(encoding="utf-8")
    if "format_name: myst" not in text:
        return []
    return [cell for cell in jupytext.reads(text, fmt="md:myst").cells if cell.cell_type == "code"]

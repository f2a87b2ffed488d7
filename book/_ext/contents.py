"""What the table of contents names."""

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]

Parts = list[tuple[str, list[str]]]


def parts() -> Parts:
    """The parts of the book with their pages, without suffix; the first page is a part without a name."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [("", [toc["root"]]), *((part["caption"], [c["file"] for c in part["chapters"]]) for part in toc["parts"])]


def pages() -> list[str]:
    """All of its pages, without suffix."""
    return [page for _, of_part in parts() for page in of_part]

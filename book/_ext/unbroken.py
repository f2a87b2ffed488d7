"""Keep inline formulas with their punctuation: a browser may break the line before the comma that follows a formula."""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.typing import ExtensionMetadata

AFTER = re.compile(r"[.,;:!?)\]\u2019\u201d]+|-\w+")
BEFORE = re.compile(r"[(\[\u201c]+$")


class UnbrokenFormulas(SphinxPostTransform):
    """Put each formula and what touches it into one element that does not wrap."""

    default_priority = 900
    formats = ("html",)

    def run(self, **_: object) -> None:
        """Change the page."""
        for formula in list(self.document.findall(nodes.math)):
            parent, at = formula.parent, formula.parent.index(formula)
            before = parent[at - 1] if at else None
            after = parent[at + 1] if at + 1 < len(parent) else None
            opening = BEFORE.search(before.astext()) if isinstance(before, nodes.Text) else None
            closing = AFTER.match(after.astext()) if isinstance(after, nodes.Text) else None
            if not opening and not closing:
                continue
            whole = nodes.inline(classes=["unbroken"])
            formula.replace_self(whole)
            if opening:
                parent.replace(before, nodes.Text(before[: opening.start()]))
                whole += nodes.Text(opening[0])
            whole += formula
            if closing:
                parent.replace(after, nodes.Text(after[closing.end() :]))
                whole += nodes.Text(closing[0])


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the transform."""
    app.add_post_transform(UnbrokenFormulas)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

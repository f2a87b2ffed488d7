"""Built pages that load quickly: an image waits until it is nearly in view, and its place is kept free until it comes.

What is in a page as a data: address, such as an animation, becomes a file that can wait too. The theme's script for icons goes:
it has 1.5 MB, and the icons are in a font that the theme loads as well.
"""

import base64
import functools
import hashlib
import os
import re
from pathlib import Path
from urllib.parse import unquote

from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

ICONS = re.compile(r'\s*<script defer src="[^"]*_static/scripts/fontawesome\.js[^"]*"></script>')
EMBEDDED = re.compile(r"data:image/(gif|png);base64,([A-Za-z0-9+/=]{8000,})")
IMAGE = re.compile(r"<img\b[^>]*>")
SOURCE = re.compile(r'\bsrc="([^"]+)"')


@functools.cache
def size(path: Path) -> tuple[int, int] | None:
    """Width and height of an image in pixels; None if it is a drawing or in another place."""
    if path.suffix == ".svg" or not path.is_file():
        return None
    with Image.open(path) as image:
        return image.size


def lighten(text: str, folder: Path, images: Path) -> str:
    """The text of a page in ``folder``; what was embedded in it is written into the folder ``images``."""

    def written(found: re.Match[str]) -> str:
        content = base64.b64decode(found[2])
        path = images / f"{hashlib.sha256(content).hexdigest()}.{found[1]}"
        path.write_bytes(content)
        return os.path.relpath(path, folder)

    def waiting(found: re.Match[str]) -> str:
        tag = found[0]
        source = SOURCE.search(tag)
        if source is None or "loading=" in tag:
            return tag
        added = ' loading="lazy" decoding="async"'
        pixels = size((folder / unquote(source[1])).resolve())
        if pixels and not re.search(r"\swidth=", tag):
            added += f' width="{pixels[0]}" height="{pixels[1]}"'
        return f"<img{added}{tag[len('<img') :]}"

    return IMAGE.sub(waiting, EMBEDDED.sub(written, ICONS.sub("", text)))


def finish(app: Sphinx, error: Exception | None) -> None:
    """Lighten every page of a site that was built."""
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    images = site / "_images"
    images.mkdir(exist_ok=True)
    start = site / f"{app.config.root_doc}.html"
    if not ICONS.search(start.read_text(encoding="utf-8")):
        raise ExtensionError("light_pages: the theme loads its icons in another way now; look what its pages load")
    for page in site.rglob("*.html"):
        if "_static" not in page.relative_to(site).parts:
            page.write_text(lighten(page.read_text(encoding="utf-8"), page.parent, images), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register it."""
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

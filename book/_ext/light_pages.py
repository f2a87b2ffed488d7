"""Built pages that load quickly: an image waits until it is nearly in view, and its place is kept free until it comes.

What is in a page as a data: address, such as an animation, becomes a file that can wait too. A heavy PNG becomes a WebP without
loss, half the size. The theme's script for icons goes: it has 1.5 MB, and the icons are in a font that the theme loads as well.
"""

import base64
import functools
import hashlib
import os
import re
from pathlib import Path
from urllib.parse import unquote

import light_head
from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

ICONS = re.compile(r'\s*<script defer src="[^"]*_static/scripts/fontawesome\.js[^"]*"></script>')
EMBEDDED = re.compile(r"data:image/(gif|png);base64,([A-Za-z0-9+/=]{8000,})")
IMAGE = re.compile(r"<img\b[^>]*>")
SOURCE = re.compile(r'\bsrc="([^"]+)"')
HEAVY = 150_000  # bytes; to convert the hundreds of lighter ones as well would slow down every build


@functools.cache
def converted(path: Path) -> str:
    """The name of an image file for a page: of its conversion, if it is a heavy PNG."""
    if path.suffix != ".png" or not path.is_file() or path.stat().st_size < HEAVY:
        return path.name
    with Image.open(path) as image:
        image.save(path.with_suffix(".webp"), lossless=True)
    return f"{path.stem}.webp"


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
        path = (folder / unquote(source[1])).resolve()
        pixels = size(path)
        if pixels and not re.search(r"\swidth=", tag):
            added += f' width="{pixels[0]}" height="{pixels[1]}"'
        if path.name != (name := converted(path)):
            tag = tag.replace(source[1], source[1].removesuffix(path.name) + name)
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
    pages = {
        page: page.read_text(encoding="utf-8")
        for page in site.rglob("*.html")
        if "_static" not in page.relative_to(site).parts
    }
    scripts = [path.read_text(encoding="utf-8") for path in site.glob("_static/scripts/*-theme.js")]
    styles = light_head.Styles(site, light_head.icons([*pages.values(), *scripts]))
    for page, text in pages.items():
        text = light_head.with_late_scripts(styles.joined(text, page.parent), is_search=page.name == "search.html")
        page.write_text(lighten(text, page.parent, images), encoding="utf-8")
    styles.reduce_fonts()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register it, and the scripts that set formulas a few at a time and load what is printed."""
    app.add_js_file("formulas.js", loading_method="defer")
    app.add_js_file("printing.js", loading_method="defer")
    app.connect("build-finished", finish, priority=900)  # after the theme has written its style sheets
    return {"parallel_read_safe": True, "parallel_write_safe": True}

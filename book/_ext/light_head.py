"""The head of a built page: one style sheet, scripts that do not hold up the text, and of the icons those that are shown.

The theme asks for a dozen style sheets and as many scripts before it shows a word, for a search index on pages without a search,
and for fonts with two thousand icons, of which the book shows twenty.
"""

import hashlib
import os
import re
from pathlib import Path
from urllib.parse import unquote

from fontTools import subset
from sphinx.errors import ExtensionError

SHEETS = re.compile(
    r'(?:\s*<link\b[^>]*rel="stylesheet"[^>]*/>)(?:(?:\s|<!--[^>]*-->)*<link\b[^>]*rel="stylesheet"[^>]*/>)*'
)
ADDRESS = re.compile(r'href="([^"?]+)')
URL = re.compile(r"""url\((['"]?)(?!data:|#)([^)'"]+)\1\)""")
IMPORT = re.compile(r'@import "([^"]+)";')
CHARSET = re.compile(r'@charset "[^"]*";')

ICON = re.compile(r"\bfa-[a-z0-9-]+")
# .fa-name:before,.fa-another-name:before{content:"\f00c"}
ICON_RULE = re.compile(r'(?:\.fa-[\w-]+:{1,2}before,?)+\{content:"[^"]*"\}')
ESCAPED, PRIVATE = re.compile(r'"\\([ef][0-9a-f]{3})"'), re.compile("[\ue000-\uf8ff]")
FONTS = "_static/vendor/fontawesome/webfonts"
COMPRESSED = re.compile(r'url\([^)]*\.woff2\) format\("woff2"\),')

SEARCH = re.compile(r'\s*<script src="[^"]*(?:searchtools|language_data|searchindex)\.js[^"]*"></script>')
EARLY = re.compile(r'\s*<link rel="preload" as="script"[^>]*/>')
HOLDS_UP = re.compile(r"<script (?![^>]*\b(?:defer|async|type)\b)(?=[^>]*\bsrc=)")
NEEDS_OPTIONS = re.compile(r"<script>(?=DOCUMENTATION_OPTIONS\.)")


def with_late_scripts(text: str, is_search: bool) -> str:
    """The text of a page whose scripts run when all of it is there, in their order."""
    if is_search:  # its scripts are bound to their places
        return text
    text = HOLDS_UP.sub("<script defer ", EARLY.sub("", SEARCH.sub("", text)))
    # A script without a file would run before those with one that wait; a module waits with them.
    return NEEDS_OPTIONS.sub('<script type="module">', text)


class Styles:
    """The style sheets of a site, put together; each combination that pages ask for becomes one file.

    Args:
        site: the folder with the built pages.
        icons: the names of the icons that a page or a script shows, such as fa-github.
    """

    def __init__(self, site: Path, icons: set[str]) -> None:
        self.site, self.icons = site, icons
        self.glyphs: set[int] = set()
        self.written: dict[tuple[Path, ...], str] = {}

    def joined(self, text: str, folder: Path) -> str:
        """The text of a page in ``folder`` with one style sheet in the place of many."""

        def one(found: re.Match[str]) -> str:
            sheets = tuple((folder / unquote(address)).resolve() for address in ADDRESS.findall(found[0]))
            if sheets not in self.written:
                self.written[sheets] = self._write(sheets)
            address = f"{os.path.relpath(self.site, folder)}/_static/{self.written[sheets]}"
            return f'\n    <link rel="stylesheet" type="text/css" href="{address}" />'

        return SHEETS.sub(one, text)

    def _write(self, sheets: tuple[Path, ...]) -> str:
        """Write the style sheets as one, and return its name."""
        style = self._without_icons("\n".join(self._read(sheet) for sheet in sheets))
        name = f"site-{hashlib.sha256(style.encode()).hexdigest()[:16]}.css"
        (self.site / "_static" / name).write_text(style, encoding="utf-8")
        return name

    def _read(self, sheet: Path) -> str:
        """A style sheet with what it imports, and with addresses as seen from the folder of the result."""
        text = CHARSET.sub("", sheet.read_text(encoding="utf-8"))
        text = URL.sub(lambda found: f"url({os.path.relpath(sheet.parent / found[2], self.site / '_static')})", text)
        return IMPORT.sub(lambda found: self._read(sheet.parent / found[1]), text)

    def _without_icons(self, style: str) -> str:
        style = ICON_RULE.sub(lambda found: found[0] if self.icons & set(ICON.findall(found[0])) else "", style)
        self.glyphs |= {int(code, 16) for code in ESCAPED.findall(style)} | {
            ord(glyph) for glyph in PRIVATE.findall(style)
        }
        return COMPRESSED.sub("", style)

    def reduce_fonts(self) -> None:
        """Leave in the fonts the icons that the style sheets name. Call it when all pages are joined."""
        fonts = sorted((self.site / FONTS).glob("*.ttf"))
        if not fonts or not self.glyphs:
            raise ExtensionError("light_head: the theme brings its icons in another way now; look what its pages load")
        for path in fonts:
            options = subset.Options()
            chosen = subset.Subsetter(options)
            chosen.populate(unicodes=self.glyphs)
            with subset.load_font(path, options) as font:
                chosen.subset(font)
                subset.save_font(font, path, options)
            path.with_suffix(".woff2").unlink(missing_ok=True)


def icons(texts: list[str]) -> set[str]:
    """The names of the icons in pages and scripts."""
    return {name for text in texts for name in ICON.findall(text)}

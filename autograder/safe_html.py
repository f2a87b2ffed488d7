"""HTML out of text that nobody vouches for: of a student's cells and outputs only what can do nothing is left.

Two walls stand behind each other. What is here lets through a list of elements that only show something, and the page that they
are put into (``pages.py``) forbids scripts, requests and forms by its Content-Security-Policy.
"""

import base64
import binascii
import html
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from bleach.html5lib_shim import Filter  # type: ignore[import-untyped]
from bleach.sanitizer import Cleaner  # type: ignore[import-untyped]
from defusedxml import ElementTree  # type: ignore[import-untyped]

MOST_CHARACTERS = 50_000
MOST_TAGS = 5000
"""Of one piece of HTML or Markdown; what has more could take very long to parse, and is shown as plain text."""

TEXT = "a abbr b br cite code del dfn em i img ins kbd mark q s samp small span strong sub sup u var"
BLOCKS = "blockquote dd details div dl dt h1 h2 h3 h4 h5 h6 hr li ol p pre summary ul"
TABLES = "caption col colgroup table tbody td tfoot th thead tr"
SHOWN = frozenset(f"{TEXT} {BLOCKS} {TABLES}".split())
# These must be understood, so that what stands in them is not taken for text; then they are dropped with all of it.
DROPPED = frozenset({"script", "style"})
NUMBERS = {"td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}}
LINK = re.compile(r"(https?://|mailto:|#)[^\s\x00-\x1f]*")
RASTER = ("image/png", "image/jpeg", "image/gif", "image/webp")
DATA_URI = re.compile(r"data:(?:image/(?:png|jpeg|gif|webp|svg\+xml));base64,[A-Za-z0-9+/=]+")
# Browsers run nothing in a picture. These are refused all the same, because a picture may be opened in a tab of its own.
ACTIVE = {"script", "foreignobject", "iframe", "object", "embed", "animate", "set", "handler", "listener"}


def clean(text: str) -> str:
    """HTML with nothing in it but elements and attributes that show something: no script, style, form, frame or request."""
    if len(text) > MOST_CHARACTERS or text.count("<") > MOST_TAGS:
        return plain(text)
    return str(_cleaner().clean(text))


def plain(text: str) -> str:
    """Text as it stands, in HTML."""
    return f"<pre>{html.escape(text)}</pre>"


def is_empty(cleaned: str) -> bool:
    """Whether cleaned HTML shows nothing at all."""
    return "<img" not in cleaned and not re.sub(r"<[^>]*>|\s", "", cleaned)


def picture(data: Mapping[str, Any]) -> str:
    """The ``data:`` URI of the first picture in a MIME bundle that can be shown; "" if there is none.

    Args:
        data: MIME type -> base64, or for SVG the text itself.
    """
    for kind in RASTER:
        content = "".join(data[kind].split()) if isinstance(data.get(kind), str) else ""
        if content and _is_base64(content):
            return f"data:{kind};base64,{content}"
    drawing = data.get("image/svg+xml")
    if isinstance(drawing, str) and _is_still(drawing):
        return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
    return ""


def _is_base64(content: str) -> bool:
    try:
        base64.b64decode(content, validate=True)
    except binascii.Error:
        return False
    return True


def _is_still(drawing: str) -> bool:
    """Whether an SVG drawing is well-formed, and holds no script, nothing from elsewhere and no entities."""
    try:
        elements = list(ElementTree.fromstring(drawing.encode("utf-8", "replace")).iter())
    except Exception:  # not XML, or one of the tricks that defusedxml knows
        return False
    if not str(elements[0].tag).endswith("}svg"):  # a browser shows no drawing that does not say what it is
        return False
    for element in elements:
        if str(element.tag).rpartition("}")[2].lower() in ACTIVE:
            return False
        for attribute, value in element.attrib.items():
            name = str(attribute).rpartition("}")[2].lower()
            inner = value.startswith("#") or DATA_URI.fullmatch("".join(value.split()))
            if name.startswith("on") or (name == "href" and not inner):
                return False
    return True


@cache
def _cleaner() -> Any:
    return Cleaner(
        tags=SHOWN | DROPPED,
        attributes=_is_harmless,
        protocols={"http", "https", "mailto", "data"},  # of data: only pictures, and those in an image's source alone
        strip=True,
        filters=[_Drop],
    )


def _is_harmless(tag: str, attribute: str, value: str) -> bool:
    match tag, attribute:
        case "a", "href":
            return LINK.fullmatch(html.unescape(value)) is not None
        case "img", "src":
            return DATA_URI.fullmatch(value) is not None
        case "img", "alt":
            return True
        case "code", "class":
            return value in ("math", "math block")  # safe_markdown.py puts mathematics into these
    return attribute in NUMBERS.get(tag, set()) and re.fullmatch(r"[0-9]{1,4}", value) is not None


class _Drop(Filter):  # type: ignore[misc]  # html5lib has no types
    """Leaves out scripts and styles, and what is in them."""

    def __iter__(self) -> Iterator[Any]:
        inside = ""
        for token in super().__iter__():
            name = token.get("name", "")
            if token["type"] in ("StartTag", "EmptyTag") and name in DROPPED:
                inside = inside or name
            elif token["type"] == "EndTag" and name in DROPPED:
                inside = "" if name == inside else inside
            elif not inside:
                yield token

"""Markdown as Jupyter has it, of cells that nobody vouches for, as HTML that can do nothing; mathematics becomes MathML."""

import html
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from xml.etree import ElementTree

from docutils.utils.math import MathError  # type: ignore[import-untyped]
from docutils.utils.math.latex2mathml import tex2mathml  # type: ignore[import-untyped]
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.amsmath import amsmath_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from autograder import safe_html

MOST_TEX = 2000  # characters of one formula
SHIFT = 2  # a cell's headings stand below the page's own
MATH = re.compile(r'<code class="math( block)?">([^<]*)</code>')
XMLNS = ' xmlns="http://www.w3.org/1998/Math/MathML"'
# What docutils does not know by the name that TeX has for it.
ALIASES = (
    (re.compile(r"\\dots(?![A-Za-z])"), r"\\ldots"),
    (re.compile(r"\\([dt]?frac)\s*(\d)\s*(\d)"), r"\\\1{\2}{\3}"),
    (re.compile(r"\\(begin|end)\{(?:align|equation|gather|eqnarray)\*?\}"), r"\\\1{aligned}"),
)
MATHML = re.compile(
    "math|mi|mn|mo|ms|mtext|mspace|mrow|mfrac|msqrt|mroot|mstyle|mpadded|mphantom|menclose|msub|msup|msubsup|munder|mover"
    "|munderover|mmultiscripts|mtable|mtr|mtd"
)


def markdown(text: str, attachments: Mapping[str, Mapping[str, Any]] | None = None) -> str:
    """The HTML of a Markdown cell.

    Args:
        text: the cell's source.
        attachments: name -> MIME bundle, for pictures with the address ``attachment:name``. No other picture is shown: the
            address of one could be made to tell somebody that the page was opened.
    """
    return _without_attachments(text) if not attachments else _render(text, attachments)


def inline(text: str) -> str:
    """The HTML of one line of Markdown, such as a heading's text."""
    parser = _parser()
    return _finish(parser.renderer.render(parser.parseInline(text), parser.options, {}))


def mathematics(tex: str, *, block: bool = False) -> str:
    """A formula as MathML, which browsers show without a script; what cannot be converted is shown as TeX."""
    shown = tex.strip()
    for pattern, replacement in ALIASES:
        shown = pattern.sub(replacement, shown)
    try:
        if len(shown) > MOST_TEX:
            raise ValueError("too long")
        # In HTML the name of the language is enough; and XML does not know the entity.
        made = tex2mathml(shown, as_block=block).replace(XMLNS, "").replace("&ApplyFunction;", "&#x2061;")
        root = ElementTree.fromstring(made)
    except (MathError, RecursionError, *_WRONG_TEX):
        return f"<code>{html.escape(tex)}</code>"
    for element in root.iter():
        if not MATHML.fullmatch(element.tag):
            return f"<code>{html.escape(tex)}</code>"
        element.text, element.tail = (element.text or "").strip(), ""
        if element.tag == "munderover" and element[0].tag != "mo" and element[2].tag == "mo":
            # docutils puts the subscript of a letter with an accent below it.
            letter, subscript, accent = element
            element.tag, element[:] = "msub", [ElementTree.Element("mover", accent="true"), subscript]
            element[0].extend([letter, accent])
    made = ElementTree.tostring(root, encoding="unicode", short_empty_elements=False)
    return f'<div class="formula">{made}</div>' if block else made


# What docutils' converter raises beside its own error when it meets TeX that is cut off or nested in ways it did not expect.
_WRONG_TEX = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, SyntaxError)


@lru_cache(maxsize=512)  # the text of tasks is the same in every submission
def _without_attachments(text: str) -> str:
    return _render(text, {})


def _render(text: str, attachments: Mapping[str, Mapping[str, Any]]) -> str:
    if len(text) > safe_html.MOST_CHARACTERS:
        return safe_html.plain(text)
    parser = _parser()
    tokens = parser.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + SHIFT, 6)}"
        token.children = (
            [_picture(child, attachments) for child in token.children] if token.children else token.children
        )
    return _finish(parser.renderer.render(tokens, parser.options, {}))


def _finish(rendered: str) -> str:
    # After cleaning, "<" is the beginning of an element and of nothing else, in attributes too.
    return MATH.sub(lambda found: mathematics(html.unescape(found[2]), block=bool(found[1])), safe_html.clean(rendered))


def _picture(token: Token, attachments: Mapping[str, Mapping[str, Any]]) -> Token:
    """An attached picture with its content in it; in the place of any other one, what it is called."""
    if token.type != "image":
        return token
    kind, _, name = str(token.attrs.get("src", "")).partition(":")
    shown = safe_html.picture(attachments.get(name, {})) if kind == "attachment" else ""
    if shown:
        token.attrs["src"] = shown
        return token
    return Token("text", "", 0, content=f"[picture: {token.content or 'without a description'}]")


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_labels=False, allow_digits=False, double_inline=True).use(amsmath_plugin)
    for name in ("math_inline", "math_inline_double", "math_block", "amsmath"):
        parser.add_render_rule(name, _math)
    return parser


def _math(renderer: Any, tokens: list[Token], position: int, options: Any, environment: Any) -> str:
    token = tokens[position]
    kind = "math" if token.type == "math_inline" else "math block"
    return f'<code class="{kind}">{html.escape(token.content)}</code>'

"""The cells of a graded notebook as HTML for a feedback page: nothing in them is trusted, and hidden tests are not shown."""

import re
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup, escape
from nbconvert.filters import strip_ansi
from nbformat import NotebookNode
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from autograder import safe_html, source
from autograder.safe_markdown import markdown, mathematics

HIDDEN = "HIDDEN TESTS"
MOST_TEXT = 20_000  # characters of one printed output: nobody reads more
MOST_CODE = 50_000  # characters of one cell that get colors
ROOM = 500_000  # characters of HTML and Markdown on one page that are parsed; what is more is shown as plain text
OVERWRITTEN = re.compile(r"[^\n]*\r(?!\n)")  # what a progress bar wrote before it wrote over it


class Cells:
    """Makes HTML of the cells of one page, within what may be parsed for one page."""

    def __init__(self) -> None:
        self._room = ROOM

    def text(self, cell: NotebookNode) -> Markup:
        """The source of a cell, without its hidden tests."""
        if cell.cell_type == "markdown":
            return self._parsed(markdown, cell.source, cell.get("attachments") or {})
        if cell.cell_type == "raw":
            return Markup(safe_html.plain(cell.source))
        return code("\n".join(source.split(cell.source, HIDDEN)[0]).rstrip())

    def outputs(self, cell: NotebookNode) -> list[Markup]:
        """The outputs of a code cell, those of one stream together."""
        hides = f"BEGIN {HIDDEN}" in cell.source
        shown = [self._output(output, hides) for output in _joined(cell.get("outputs", []))]
        return [output for output in shown if output]

    def _output(self, output: Any, hides: bool) -> Markup:
        kind = output.get("output_type")
        if kind == "stream":
            return _pre(output.get("text", ""), "error" if output.get("name") == "stderr" else "text")
        if kind == "error":
            short = ": ".join(part for part in (output.get("ename", ""), output.get("evalue", "")) if part)
            # A traceback quotes the code around the error, and in a test with a hidden part that is the hidden part.
            lines = [] if hides else output.get("traceback", [])
            return _pre("\n".join(lines) or short, "error")
        return self._bundle(output.get("data", {}))

    def _bundle(self, data: Any) -> Markup:
        """The first kind that can be shown, of the kinds in which an output comes."""
        address = safe_html.picture(data)
        if address:
            alternative = data.get("text/plain", "")
            return Markup('<img src="{}" alt="{}">').format(address, f"Output: {alternative}"[:200])
        for kind, parse in (("text/html", safe_html.clean), ("text/markdown", markdown), ("text/latex", _latex)):
            text = data.get(kind)
            if isinstance(text, str):
                shown = self._parsed(parse, text)
                if not safe_html.is_empty(shown):
                    return Markup('<div class="rich">{}</div>').format(shown)
        if isinstance(data.get("text/plain"), str):
            return _pre(data["text/plain"], "text")
        kinds = ", ".join(sorted(map(str, data)))[:200]
        return Markup('<p class="quiet">An output of a kind that is not shown here ({}).</p>').format(kinds)

    def _parsed(self, parse: Any, text: str, *more: Any) -> Markup:
        self._room -= len(text)
        return Markup(parse(text, *more) if self._room >= 0 else safe_html.plain(text))


def code(text: str) -> Markup:
    """Python with its words marked up for colors."""
    if len(text) > MOST_CODE:
        return _pre(text, "code")
    return Markup('<pre class="code">{}</pre>').format(
        Markup(highlight(text, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)).rstrip("\n"))
    )


def _latex(text: str) -> str:
    return mathematics(text.strip().strip("$"), block=True)


def _joined(outputs: Iterable[Any]) -> list[Any]:
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else {}
        if output.get("output_type") == last.get("output_type") == "stream" and output.get("name") == last.get("name"):
            joined[-1] = {**last, "text": last.get("text", "") + output.get("text", "")}
        else:
            joined.append(output)
    return joined


def _pre(text: str, kind: str) -> Markup:
    text = OVERWRITTEN.sub("", strip_ansi(text)).rstrip("\n")
    if len(text) > MOST_TEXT:
        half = MOST_TEXT // 2
        left_out = f"\n\n... {len(text) - 2 * half:,} characters are left out here ...\n\n"
        text = text[:half] + left_out + text[-half:]
    return Markup('<pre class="{}">{}</pre>').format(kind, escape(text)) if text else Markup("")

"""Make one PDF of the built book: ``python make_pdf.py OUT.pdf``. A browser prints every page, and the prints are joined.

Links within the book become links within the PDF, the table of contents becomes its outline, and pages are numbered through.
"""

import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup
from contents import ROOT, Parts, parts
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import Fit, NameObject, TextStringObject

SITE = ROOT / "_build" / "html"
BROWSERS = "chromium", "chromium-browser", "google-chrome", "chrome"
MATHEMATICS_MILLISECONDS = 60_000
# Paper cannot be scrolled: lines of code wrap, and what scrolls on the site is not cut off and may go on over the page.
STYLE = """<style media="print">
@page { size: A4; margin: 16mm 14mm 20mm; }
html { font-size: 12px; }
.bd-main .bd-content .bd-article-container { max-width: none; }
.bd-main .bd-content, .bd-article :is(p, pre, div, details) { overflow: visible !important; }
.bd-article pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.bd-article :is(table.table, table.docutils) { display: table; width: auto; }
.bd-main .bd-article * { box-shadow: none !important; }
.bd-article .cell summary, .copybtn { display: none !important; }
</style>"""


def browser() -> str:
    """The command of a browser that prints."""
    for name in BROWSERS:
        if command := shutil.which(name):
            return command
    sys.exit("the PDF needs Chromium, which prints the pages; on Debian: apt install chromium")


def links(page: str, html: BeautifulSoup) -> Iterator[tuple[str, str]]:
    """Page and place that each link of a page leads to within the site."""
    for link in html.find_all("a", href=True):
        address = urlsplit(link["href"])
        if not address.scheme and not address.netloc:
            path = os.path.normpath(Path(page).parent / unquote(address.path)) if address.path else f"{page}.html"
            yield path.removesuffix(".html"), unquote(address.fragment)


def stage(pages: Mapping[str, BeautifulSoup], folder: Path) -> None:
    """Copy the pages, styled for paper. A print knows only places that its page links to, so it gets links to all in use."""
    for entry in SITE.glob("_*"):
        (folder / entry.name).symlink_to(entry)
    asked: dict[str, set[str]] = {page: set() for page in pages}
    for page, html in pages.items():
        for target, place in links(page, html):
            asked.get(target, set()).add(place)
    for page in pages:
        marks = "".join(f'<a href="#{place}" hidden></a>' for place in sorted(asked[page] - {""}))
        # A picture that waits until it is in view would wait for ever.
        text = (SITE / f"{page}.html").read_text(encoding="utf-8").replace('loading="lazy"', "")
        copy = folder / f"{page}.html"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(
            text.replace("</head>", f"{STYLE}</head>").replace("</body>", f"{marks}</body>"), encoding="utf-8"
        )


def printed(page: Path) -> PdfReader:
    """Print one page."""
    out = page.with_suffix(".pdf")
    # Each has a profile of its own: browsers that share one wait for each other.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        subprocess.run(
            [
                browser(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-pdf-header-footer",
                f"--user-data-dir={profile}",
                f"--virtual-time-budget={MATHEMATICS_MILLISECONDS}",
                f"--print-to-pdf={out}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=300,
        )
    return PdfReader(out)


def join(
    contents: Parts, titles: Mapping[str, str], prints: Mapping[str, PdfReader]
) -> tuple[PdfWriter, dict[str, int]]:
    """All prints in one, without links but with an outline, and the number of each page's first sheet."""
    writer, starts = PdfWriter(), {}
    for caption, pages in contents:
        for page in pages:
            starts[page] = len(writer.pages)
            writer.append(prints[page], import_outline=False, excluded_fields=["/Annots"])
        # Only now: pypdf takes the number of a sheet that is still to come as it is, and the entry leads nowhere.
        above = writer.add_outline_item(title=caption, page_number=starts[pages[0]]) if caption else None
        for page in pages:
            writer.add_outline_item(title=titles[page], page_number=starts[page], parent=above)
    return writer, starts


def relink(writer: PdfWriter, starts: Mapping[str, int], prints: Mapping[str, PdfReader], folder: Path) -> None:
    """Give the sheets their links back: to places in the PDF, or to the web. Those to other files of the site are dropped."""
    places = {page: reader.named_destinations for page, reader in prints.items()}
    for page, reader in prints.items():
        for number, sheet in enumerate(reader.pages, start=starts[page]):
            for link in (annotation.get_object() for annotation in sheet.annotations or ()):
                address = urlsplit(
                    link["/A"]["/URI"] if "/A" in link else f"{(folder / page).as_uri()}.html#{link['/Dest'][1:]}"
                )
                if address.scheme != "file":
                    writer.add_annotation(number, Link(rect=link["/Rect"], url=address.geturl()))
                    continue
                target = os.path.relpath(unquote(address.path), folder).removesuffix(".html")
                if target not in starts:
                    continue
                place = places[target].get(f"/{address.fragment}")
                sheets = prints[target].get_destination_page_number(place) if place else 0
                fit = Fit.xyz(left=place.left, top=place.top) if place else Fit.fit_horizontally()
                writer.add_annotation(
                    number, Link(rect=link["/Rect"], target_page_index=starts[target] + sheets, fit=fit)
                )


def number_sheets(writer: PdfWriter) -> None:
    """Put a number below each sheet, from 1."""
    content = io.BytesIO()
    with PdfPages(content) as pages:
        for number, sheet in enumerate(writer.pages, start=1):
            width, height = (float(length) for length in (sheet.mediabox.width, sheet.mediabox.height))
            figure = Figure(figsize=(width / 72, height / 72))
            figure.text(0.5, 18 / height, str(number), ha="center", fontsize=8, color="0.35")
            pages.savefig(figure, facecolor="none")
    for sheet, own in zip(writer.pages, PdfReader(content).pages):
        sheet.merge_page(own)
        sheet.compress_content_streams()


def make(contents: Parts, out: Path) -> int:
    """Print, join, link, number and write; the number of sheets."""
    html = {}
    for page in (page for _, pages in contents for page in pages):
        if not (SITE / f"{page}.html").exists():
            sys.exit(f"{page}.html is missing; build the book first: make book")
        html[page] = BeautifulSoup((SITE / f"{page}.html").read_text(encoding="utf-8"), "html.parser")
    titles = {page: soup.h1.get_text().rstrip("#").strip() for page, soup in html.items()}
    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(2) as pool:
        folder = Path(temporary).resolve()
        stage(html, folder)
        prints = dict(zip(html, pool.map(printed, [folder / f"{page}.html" for page in html])))
        writer, starts = join(contents, titles, prints)
        relink(writer, starts, prints, folder)
    number_sheets(writer)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    writer.add_metadata({"/Title": config["title"], "/Author": config["author"]})
    writer.root_object[NameObject("/Lang")] = TextStringObject("en")
    writer.page_mode = "/UseOutlines"
    out.parent.mkdir(parents=True, exist_ok=True)
    writer.write(out)
    return len(writer.pages)


def main(out: Path) -> None:
    """Make the PDF of the whole book."""
    print(f"{make(parts(), out)} pages: {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""Make one PDF of the built book: ``python make_pdf.py OUT.pdf``. A browser prints every page, and the prints are joined.

Links from page to page become links within the PDF, the table of contents becomes its outline, and pages are numbered through.
"""

import io
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from bs4 import BeautifulSoup
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.annotations import Link
from pypdf.generic import ArrayObject, DictionaryObject, Fit, NameObject

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
BROWSERS = "chromium", "chromium-browser", "google-chrome", "chrome"
MATHEMATICS_MILLISECONDS = 60_000


def parts() -> list[tuple[str, list[Path]]]:
    """The parts of the book, with the built pages of each; the first page is a part without a name."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    found = [("", [toc["root"]]), *((part["caption"], [c["file"] for c in part["chapters"]]) for part in toc["parts"])]
    return [(caption, [SITE / f"{name}.html" for name in names]) for caption, names in found]


def browser() -> str:
    """The command of a browser that prints."""
    for name in BROWSERS:
        if command := shutil.which(name):
            return command
    sys.exit("the PDF needs Chromium, which prints the pages; on Debian: apt install chromium")


def printed(page: Path, folder: Path) -> PdfReader:
    """Print one page."""
    out = folder / f"{page.relative_to(SITE).as_posix().replace('/', '-')}.pdf"
    profile = tempfile.mkdtemp(dir=folder)  # browsers that share one wait for each other
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


def title(page: Path) -> str:
    """The heading of a built page."""
    heading = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").h1
    assert heading is not None
    return heading.get_text().rstrip("#").strip()


def relink(page: PageObject, starts: dict[Path, int], writer: PdfWriter, number: int) -> None:
    """Turn links to other pages of the site into links within the PDF; those to the rest of the world stay."""
    kept = ArrayObject()
    for reference in page.get("/Annots", ArrayObject()):
        annotation = reference.get_object()
        action = annotation.get("/A", DictionaryObject()).get_object()
        address = urlsplit(str(action.get("/URI", "")))
        target = starts.get(Path(unquote(address.path))) if address.scheme == "file" else None
        if target is None:
            kept.append(reference)
            continue
        writer.add_annotation(
            number, Link(rect=tuple(annotation["/Rect"]), target_page_index=target, fit=Fit.fit_horizontally())
        )
    added = [reference for reference in page.get("/Annots", ArrayObject()) if "/Dest" in reference.get_object()]
    page[NameObject("/Annots")] = ArrayObject([*kept, *added])


def numbers(sizes: list[tuple[float, float]]) -> PdfReader:
    """Pages that are empty but for their numbers, counted from 1."""
    content = io.BytesIO()
    with PdfPages(content) as pages:
        for number, (width, height) in enumerate(sizes, start=1):
            figure = Figure(figsize=(width / 72, height / 72))
            figure.patch.set_alpha(0)
            figure.text(0.5, 18 / height, str(number), ha="center", fontsize=8, color="0.35")
            pages.savefig(figure, facecolor="none")
    return PdfReader(content)


def main(out: Path) -> None:
    """Print, join, number, and write."""
    chapters = [page for _, pages in parts() for page in pages]
    missing = [page for page in chapters if not page.exists()]
    if missing:
        sys.exit(f"{missing[0].relative_to(ROOT)} is missing; build the book first: make book")
    writer, starts = PdfWriter(), {}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        prints = dict(zip(chapters, pool.map(lambda page: printed(page, Path(folder)), chapters)))
        for caption, pages in parts():
            parent = writer.add_outline_item(caption, page_number=len(writer.pages)) if caption else None
            for page in pages:
                starts[page] = len(writer.pages)
                writer.append(prints[page], import_outline=False)
                writer.add_outline_item(title(page), page_number=starts[page], parent=parent)
    boxes = [(float(page.mediabox.width), float(page.mediabox.height)) for page in writer.pages]
    for number, (page, own) in enumerate(zip(writer.pages, numbers(boxes).pages)):
        relink(page, starts, writer, number)
        page.merge_page(own)
    writer.add_metadata({"/Title": "Autoencoders", "/Author": "The autoencoder-course contributors"})
    out.parent.mkdir(parents=True, exist_ok=True)
    writer.write(out)
    print(f"{len(writer.pages)} pages: {out}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

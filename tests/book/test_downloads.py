"""What ``make downloads`` makes: the pages as notebooks for plain Jupyter, and the PDF."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from book_pages import PAGES, ROOT, TOC
from nbclient import NotebookClient
from pypdf import PdfReader

MYST = re.compile(r"\{[\w:-]+\}`|^ *(?:`{3,}|:{3,})\{|^:::|^\([\w-]+\)=$|^% |^ *\$\$ \([\w-]+\)$", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]+))?\)")


@pytest.fixture(scope="module")
def modules(script):
    """The scripts that make the downloads."""
    return SimpleNamespace(notebooks=script("make_notebooks"), pdf=script("make_pdf"))


@pytest.fixture(scope="module")
def folder(site, modules, tmp_path_factory):
    """The notebooks of the built book."""
    made = tmp_path_factory.mktemp("notebooks")
    try:
        modules.notebooks.main(made)
    except SystemExit as error:
        pytest.fail(str(error))
    return made


@pytest.fixture(scope="module")
def notebooks(folder):
    """Path below the folder -> notebook."""
    return {path.relative_to(folder): nbformat.read(path, as_version=4) for path in sorted(folder.rglob("*.ipynb"))}


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def words(text):
    return " ".join(text.split())


def test_every_page_with_code_is_a_notebook(notebooks):
    code = {page.relative_to(ROOT).with_suffix(".ipynb") for page in PAGES if "{code-cell}" in page.read_text()}
    assignments = {Path(f"{name}.ipynb") for name in TOC if (ROOT / f"{name}.ipynb").exists()}
    assert code
    assert assignments
    assert set(notebooks) == {path for path in code if path.with_suffix("").as_posix() in TOC} | assignments


def test_notebooks_are_clean_and_an_assignment_is_what_the_student_gets(notebooks, folder):
    for path, notebook in notebooks.items():
        nbformat.validate(notebook)
        assert notebook.metadata.kernelspec.name == "python3"
        assert not any(cell.get("outputs") for cell in notebook.cells), path
        if path.parts[0] == "exercises":
            assert (folder / path).read_bytes() == (ROOT / path).read_bytes()


def test_no_myst_is_left(notebooks):
    for path, notebook in notebooks.items():
        for text in texts(notebook):
            outside = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
            assert not MYST.search(outside), f"{path}: {outside}"


def test_links_lead_to_notebooks_and_places_in_them(notebooks, folder):
    anchors = {
        (folder / path).resolve(): re.findall(r'<a id="([^"]+)">', "\n".join(texts(nb)))
        for path, nb in notebooks.items()
    }
    links = [
        ((folder / path).resolve(), file, place)
        for path, notebook in notebooks.items()
        for text in texts(notebook)
        for file, place in LINK.findall(re.sub(r"`[^`]*`|\$[^$]*\$", "", text))
    ]
    assert len(links) > 100
    for start, file, place in links:
        target = (start.parent / file).resolve() if file else start
        assert target in anchors, f"{start}: {file}"
        assert not place or place in anchors[target], f"{start}: {file}#{place}"


def test_numbers_in_the_text_are_those_that_the_site_shows(site, notebooks):
    for path, notebook in notebooks.items():
        text = words(" ".join(texts(notebook)))
        for number in site[path.with_suffix(".html")].select("span.pasted-text"):
            shown = words(number.text).replace("\u2019", "'")  # Sphinx makes quotes curly
            assert shown in text, f"{path}: {shown}"


def test_what_is_cited_is_listed_once(notebooks):
    entry = re.compile(r"^- (.+? \(\d{4}\))\. \*.+\*\. <https?://\S+>$", re.MULTILINE)
    listed = {path: entry.findall(texts(notebook)[-1]) for path, notebook in notebooks.items()}
    assert sum(map(len, listed.values())) > 100
    for path, works in listed.items():
        assert len(set(works)) == len(works)
        before = "\n".join(texts(notebooks[path])[:-1])
        for work in works:
            who, _, year = work.rstrip(")").rpartition(" (")
            assert work in before or f"{who}, {year}" in before, f"{path}: {work}"


@pytest.mark.slow
def test_the_same_sources_give_the_same_bytes(modules, folder, tmp_path):
    modules.notebooks.main(tmp_path)
    for path in folder.rglob("*.ipynb"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes()


def test_a_page_that_was_not_executed_as_it_is_now_is_an_error(modules, tmp_path, monkeypatch):
    module = modules.notebooks
    empty = module.get_cache(tmp_path / "cache")
    monkeypatch.setattr(module, "get_cache", lambda path: empty)
    with pytest.raises(SystemExit, match=r"book/\S+\.md has not been executed .* build the book first: make book"):
        module.main(tmp_path / "notebooks")


@pytest.mark.slow
def test_a_notebook_runs_in_a_fresh_kernel(notebooks, tmp_path):
    notebook = notebooks[Path("book/04_practice/04_practice_problems.ipynb")]
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}).execute()
    assert sum(cell.cell_type == "code" and bool(cell.outputs) for cell in notebook.cells) >= 5


INDEX, NOTATION, WORKS, ASSIGNMENT = (
    "book/index",
    "book/reference/notation",
    "book/reference/bibliography",
    "exercises/01_linear/linear",
)


@pytest.fixture(scope="module")
def pdf(site, modules, tmp_path_factory):
    """Four pages of the book as a PDF."""
    if not any(shutil.which(name) for name in modules.pdf.BROWSERS):
        pytest.skip("a browser prints the pages, and Chromium is not installed")
    out = tmp_path_factory.mktemp("pdf") / "book.pdf"
    modules.pdf.make([("", [INDEX]), ("Reference", [NOTATION, WORKS]), ("Exercises", [ASSIGNMENT])], out)
    return PdfReader(out)


def outline(pdf, items=None, depth=0):
    """Depth, title and number of the sheet of every entry."""
    for item in pdf.outline if items is None else items:
        if isinstance(item, list):
            yield from outline(pdf, item, depth + 1)
        else:
            yield depth, item.title, pdf.get_destination_page_number(item)


def heading(soup):
    return soup.h1.text.rstrip("#").strip()


@pytest.mark.slow
def test_the_outline_is_the_table_of_contents(site, pdf):
    titles = {page: heading(site[Path(f"{page}.html")]) for page in (INDEX, NOTATION, WORKS, ASSIGNMENT)}
    entries = list(outline(pdf))
    assert [(depth, title) for depth, title, _ in entries] == [
        (0, titles[INDEX]),
        (0, "Reference"),
        (1, titles[NOTATION]),
        (1, titles[WORKS]),
        (0, "Exercises"),
        (1, titles[ASSIGNMENT]),
    ]
    sheets = [sheet for *_, sheet in entries]
    assert sheets == sorted(sheets)
    assert sheets[0] == 0
    for _, title, sheet in entries:
        if title in titles.values():
            assert words(pdf.pages[sheet].extract_text()).startswith(title)


@pytest.mark.slow
def test_every_sheet_has_its_number(pdf):
    assert len(pdf.pages) > 4
    for number, sheet in enumerate(pdf.pages, start=1):
        assert sheet.extract_text().split()[-1] == str(number)


def led_to(pdf, first, last):
    """Where the links on some sheets lead: the numbers of sheets, and addresses on the web."""
    numbers = {sheet.indirect_reference.idnum: number for number, sheet in enumerate(pdf.pages)}
    found = [annotation.get_object() for sheet in pdf.pages[first:last] for annotation in sheet.annotations or ()]
    inside = [numbers[link["/Dest"][0].idnum] for link in found if "/Dest" in link]
    return inside, [link["/A"]["/URI"] for link in found if "/A" in link]


@pytest.mark.slow
def test_links_lead_to_the_right_sheets(site, pdf):
    starts = {title: sheet for _, title, sheet in outline(pdf)}
    notation, works, assignment = (
        starts[heading(site[Path(f"{page}.html")])] for page in (NOTATION, WORKS, ASSIGNMENT)
    )
    inside, web = led_to(pdf, 0, notation)
    assert {notation, works, assignment} <= set(inside)
    assert "https://creativecommons.org/licenses/by/4.0/" in web
    assert all(address.startswith("https://") for address in web)

    # A citation leads to its entry, which need not be on the first sheet of the list.
    cited = [
        a["href"].partition("#")[2] for a in site[Path(f"{NOTATION}.html")].select("a[href^='bibliography.html#']")
    ]
    inside, _ = led_to(pdf, notation, works)
    assert cited
    for place in cited:
        entry = words(site[Path(f"{WORKS}.html")].find(id=place).select_one("p").text)
        sheets = [sheet for sheet in inside if sheet >= works and entry[:30] in words(pdf.pages[sheet].extract_text())]
        assert sheets, entry


@pytest.mark.slow
def test_what_is_folded_on_the_site_is_open_in_print(pdf):
    text = words(" ".join(sheet.extract_text() for sheet in pdf.pages))
    assert "The solution of an exercise is folded, like this one." in text

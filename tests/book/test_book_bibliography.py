"""Every citation has an entry and every entry is complete."""

import ast
import re

import pytest
from book_pages import PAGES, ROOT, page_id
from pybtex.database import parse_file

ENTRIES = parse_file(str(ROOT / "book/references.bib")).entries
FIELDS = {
    "article": {"title", "journal", "volume", "pages", "year"},
    "book": {"title", "publisher", "year"},
    "inproceedings": {"title", "booktitle", "year"},
    "misc": {"title", "year"},
    "techreport": {"title", "institution", "year"},
}
MODULES = sorted((ROOT / "aelib").rglob("*.py"))
NAME = r"[^\W\d_a-z][\w'-]+"
CITATION = re.compile(rf"{NAME}(?: and {NAME}| et al\.)? \((?:19|20)\d\d\)")
YEAR = re.compile(r"(?<![\d.])(?:19|20)\d\d(?![\d.]*\d)")

QUIZZES = sorted((ROOT / "book/_quizzes").glob("*.json"))
ROLE = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")


def keys(path):
    """What a page or a quiz cites."""
    return {key.strip() for cited in ROLE.findall(path.read_text(encoding="utf-8")) for key in cited.split(",")}


def as_text(entry):
    """How a docstring cites an entry: Surname (2013), Surname and Surname (2013), Surname et al. (2013)."""
    names = ["".join(map(str, person.rich_last_names)) for person in entry.persons["author"]]
    who = names[0] + " et al." if len(names) > 2 else " and ".join(names)
    return f"{who} ({entry.fields['year']})"


TEXTS = [as_text(entry) for entry in ENTRIES.values()]


def prose(source):
    """The docstrings and the comments of a module, each on one line."""
    strings = [
        node.value.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]
    return [" ".join(text.split()) for text in [*strings, *re.findall(r"# (.*)", source)]]


@pytest.mark.parametrize("key", ENTRIES)
def test_entry_is_complete(key):
    entry = ENTRIES[key]
    assert {field.lower() for field in entry.fields} >= FIELDS[entry.type]
    assert entry.persons["author"]
    assert re.fullmatch(r"[a-z]+\d{4}", key)
    assert key.endswith(entry.fields["year"])
    assert entry.fields["note"].endswith(".")  # why to read it, shown on the page
    assert {"doi", "url"} & set(entry.fields)
    if "doi" in entry.fields:
        assert re.fullmatch(r"10\.\d{4,}/\S+", entry.fields["doi"])
    if "eprint" in entry.fields:
        assert re.fullmatch(r"\d{4}\.\d{4,5}", entry.fields["eprint"])
        assert entry.fields["archiveprefix"] == "arXiv"
        of_arxiv = entry.fields["doi"].startswith("10.48550/")
        assert not of_arxiv or entry.fields["doi"] == f"10.48550/arXiv.{entry.fields['eprint']}"


def test_no_work_is_listed_twice():
    titles = [re.sub(r"\W", "", entry.fields["title"].lower()) for entry in ENTRIES.values()]
    assert len(set(titles)) == len(titles)


def test_no_two_works_are_cited_alike():
    assert len(set(TEXTS)) == len(TEXTS)


@pytest.mark.parametrize("source", [*PAGES, *QUIZZES], ids=page_id)
def test_citations_have_entries(source):
    assert keys(source) <= set(ENTRIES)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_citations_of_docstrings_have_entries(module):
    for text in prose(module.read_text()):
        assert set(CITATION.findall(text)) <= set(TEXTS)
        # A year that stands elsewhere would be a citation in a form that the line above does not see.
        assert not YEAR.search(CITATION.sub("", text)), text


def test_every_entry_is_cited_by_a_page_or_a_docstring():
    on_pages = set().union(*map(keys, [*PAGES, *QUIZZES]))
    in_docstrings = {
        citation for module in MODULES for text in prose(module.read_text()) for citation in CITATION.findall(text)
    }
    assert [key for key, entry in ENTRIES.items() if key not in on_pages and as_text(entry) not in in_docstrings] == []


def test_citations_are_found_in_the_forms_in_which_they_are_written():
    assert CITATION.findall("Björck and Golub (1973); van den Oord et al. (2017), eq. 3; Sønderby et al. (2016)") == [
        "Björck and Golub (1973)",
        "Oord et al. (2017)",
        "Sønderby et al. (2016)",
    ]

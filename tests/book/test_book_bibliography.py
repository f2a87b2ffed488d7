"""Every citation has an entry and every entry is complete."""

import re

import pytest
from book_pages import PAGES, ROOT, page_id
from pybtex.database import parse_file

ENTRIES = parse_file(str(ROOT / "book/references.bib")).entries
FIELDS = {
    "article": {"title", "journal", "volume", "pages", "year"},
    "book": {"title", "publisher", "year"},
    "incollection": {"title", "booktitle", "publisher", "pages", "year"},
    "inproceedings": {"title", "booktitle", "year"},
    "misc": {"title", "year", "eprint", "archiveprefix"},
}


@pytest.mark.parametrize("key", ENTRIES)
def test_entry_is_complete(key):
    entry = ENTRIES[key]
    assert {field.lower() for field in entry.fields} >= FIELDS[entry.type]
    assert entry.persons["author"]
    assert re.fullmatch(r"[a-z]+\d{4}", key)
    assert key.endswith(entry.fields["year"])
    if "doi" in entry.fields:
        assert re.fullmatch(r"10\.\d{4,}/\S+", entry.fields["doi"])
    if "eprint" in entry.fields:
        assert re.fullmatch(r"\d{4}\.\d{4,5}", entry.fields["eprint"])


def test_no_work_is_listed_twice():
    titles = [re.sub(r"\W", "", entry.fields["title"].lower()) for entry in ENTRIES.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_citations_have_entries(page):
    cited = {
        key.strip() for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", page.read_text()) for key in keys.split(",")
    }
    assert cited <= set(ENTRIES)

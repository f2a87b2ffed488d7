"""The built site, and the scripts that make the book, for the tests that look at them."""

import importlib

import pytest
from book_pages import ROOT, SITE
from bs4 import BeautifulSoup


@pytest.fixture(scope="session")
def site():
    """The built pages: path below the site -> parsed page."""
    if not (SITE / "book" / "index.html").exists():
        pytest.skip("the book is not built; `make test` builds it first, `make book` builds it alone")
    return {
        path.relative_to(SITE): BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for path in SITE.rglob("*.html")
        if "_static" not in path.parts
    }


@pytest.fixture(scope="module")
def script():
    """Import what lies in ``book/_ext`` by name, as its modules import each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "book" / "_ext"))
        yield importlib.import_module

"""The built site, for the tests that look at it."""

import pytest
from book_pages import SITE
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

"""The built site, and the scripts that make the book, for the tests that look at them."""

import importlib
import threading

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


DESKTOP = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def script():
    """Import what lies in ``book/_ext`` by name, as its modules import each other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "book" / "_ext"))
        yield importlib.import_module


@pytest.fixture(scope="module")
def served(site, script):
    """The address of a server with the built site."""
    with script("serve").server(SITE) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def contexts(chromium):
    """What a reader has on a desktop and on a phone."""
    return {"desktop": chromium.new_context(**DESKTOP), "phone": chromium.new_context(**PHONE)}

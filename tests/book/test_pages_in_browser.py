"""Every page of the built site in a real browser: on a desktop in the light, and on a phone in the dark."""

import io
import os
import re
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from book_pages import SITE, TOC
from pypdf import PdfReader

EVERY_PAGE = sorted({*TOC, "genindex", "search"})
# One of each kind is judged by axe-core, which takes ten seconds for a page; the night judges all of them.
TYPICAL = ("book/index", "book/02_variants/08_vae", "book/03_applications/05_few_labels", "exercises/04_sparse/sparse")
TYPICAL += ("book/reference/where", "book/reference/bibliography", "book/instructor/guide", "genindex", "search")
JUDGED = EVERY_PAGE if "NIGHTLY" in os.environ else TYPICAL
# The inside of formulas is MathJax's matter; axe would read each of their glyphs.
LEFT_OUT = {"exclude": [["mjx-math"], ["mjx-assistive-mml"]]}
AXE = {"preload": False, "resultTypes": ["violations"]}

MOST_BYTES = 1_500_000
SENT = """() => performance.getEntries().filter(entry => entry.name.startsWith("http"))
    .reduce((bytes, entry) => bytes + (entry.encodedBodySize ?? 0), 0)"""
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Opened:
    """A page that was opened, with what it asked for and what went wrong."""

    def __init__(self, context, address):
        self.page, self.errors, self.asked = context.new_page(), [], []
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)
        self.page.wait_for_function("() => !window.MathJax || window.MathJax.startup?.promise")
        self.page.evaluate("async () => { await window.MathJax?.startup?.promise }")
        self.page.wait_for_load_state("networkidle")

    def violations(self, rules=()):
        """What axe-core finds, a line each."""
        only = {"runOnly": {"type": "rule", "values": list(rules)}} if rules else {}
        found = Axe().run(self.page, context=LEFT_OUT, options=AXE | only).response["violations"]
        return [
            f"{rule['id']}: {node['html'][:200]}"
            for rule in found
            for node in rule["nodes"]
            # axe-core takes no name from a formula; browsers do.
            if not (rule["id"] == "summary-name" and "mjx-container" in self.page.inner_html(node["target"][0]))
        ]

    def weight(self):
        """The bytes of what was loaded, texts compressed as web hosts send them, and what the cache had counted as well."""
        return self.page.evaluate(SENT)

    def hosts(self):
        return {urlsplit(url).netloc for url in self.asked if urlsplit(url).scheme not in ("data", "blob", "file")}


@pytest.fixture
def opened(served, contexts):
    """Open a page of the site: its name, and on what."""
    pages = []

    def open_page(name, on="desktop", address=served):
        pages.append(Opened(contexts[on], f"{address}/{name}.html"))
        return pages[-1]

    yield open_page
    for opened in pages:
        opened.page.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY_PAGE)
def test_a_page_has_no_errors_asks_no_other_host_is_light_and_fits_a_phone(name, opened, served):
    page = opened(name)
    assert page.errors == []
    assert page.hosts() == {urlsplit(served).netloc}
    assert page.weight() <= MOST_BYTES
    page.page.set_viewport_size({"width": 390, "height": 844})
    assert page.page.evaluate(TOO_WIDE) <= 0


@pytest.mark.slow
@pytest.mark.parametrize("name", JUDGED)
def test_everybody_can_use_a_page(name, opened):
    assert opened(name).violations() == []


@pytest.mark.slow
@pytest.mark.parametrize("name", JUDGED)
def test_a_page_on_a_phone_in_the_dark_can_be_read(name, opened):
    page = opened(name, "phone")
    assert page.errors == []
    assert page.page.evaluate(TOO_WIDE) <= 0
    assert page.violations(["color-contrast", "scrollable-region-focusable", "link-in-text-block"]) == []


@pytest.mark.slow
def test_the_site_works_from_a_folder(opened):
    """As unpacked from an archive, without a server."""
    page = opened("book/02_variants/08_vae", address=SITE.as_uri())
    assert page.errors == []
    assert page.hosts() == set()
    assert page.page.locator("mjx-container").count() > 50
    image = page.page.locator(".bd-article img[loading=lazy]").first
    image.scroll_into_view_if_needed()
    page.page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())


@pytest.mark.slow
def test_a_page_prints_with_its_pictures_and_what_is_folded(opened):
    page = opened("book/02_variants/08_vae").page
    # As a browser does before it prints; then it waits for what is being loaded.
    page.emulate_media(media="print")
    page.evaluate("() => window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function("() => [...document.querySelectorAll('.bd-article img')].every(image => image.complete)")
    sheets = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    assert sum(len(sheet.images) for sheet in sheets) == page.locator(".bd-article img:visible").count()
    text = " ".join(sheet.extract_text() for sheet in sheets)
    assert "Solution to Exercise 14.1" in text
    assert "generator.manual_seed(0)" in text
    assert "Show the code" not in text
    assert "Click to" not in text
    assert "Drag the point" not in text


@pytest.mark.slow
def test_the_keyboard_alone_leads_past_the_menus_and_opens_the_search(opened):
    page = opened("book/02_variants/08_vae").page
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent.trim()") == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.closest('main') !== null")
    page.keyboard.press("Control+k")
    assert page.evaluate("() => document.activeElement.type") == "search"


@pytest.mark.slow
@pytest.mark.parametrize("words", ["posterior collapse", "Eckart", "straight-through"])
def test_the_search_finds_terms(words, served, contexts):
    page = contexts["desktop"].new_page()
    page.goto(f"{served}/search.html?q={words}")
    page.wait_for_function("() => /found \\d+ page/.test(document.querySelector('#search-results')?.innerText ?? '')")
    found = page.locator("#search-results").inner_text()
    assert int(re.search(r"found (\d+) page", found)[1]) >= 1
    page.close()


@pytest.mark.slow
def test_dark_and_light_can_be_chosen_and_stay(served, contexts):
    page = contexts["desktop"].new_page()
    page.goto(f"{served}/book/index.html")
    background = "() => getComputedStyle(document.body).backgroundColor"
    seen = set()
    for _ in range(3):
        page.locator("button.theme-switch-button:visible").first.click()
        seen.add(page.evaluate(background))
    assert len(seen) == 2
    chosen = page.evaluate("() => document.documentElement.dataset.mode")
    page.reload()
    assert page.evaluate("() => document.documentElement.dataset.mode") == chosen
    page.close()

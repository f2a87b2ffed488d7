"""The built site, page by page. A browser's view of it is tested elsewhere."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from book_pages import SITE, TOC


def is_internal(url):
    parts = urlsplit(url)
    return not parts.scheme and not parts.netloc


def targets(page, soup):
    """Every internal link of a page: what it says, the file it leads to and the anchor in it."""
    for tag, attribute in (("a", "href"), ("link", "href"), ("img", "src"), ("script", "src")):
        for element in soup.find_all(tag, attrs={attribute: True}):
            url = element[attribute]
            if is_internal(url) and url != "#":
                parts = urlsplit(url)
                path = SITE / page.parent / unquote(parts.path) if parts.path else SITE / page
                yield url, path.resolve(), unquote(parts.fragment)


def test_every_page_of_the_toc_is_built(site):
    assert {f"{file}.html" for file in TOC} <= {page.as_posix() for page in site}


def test_internal_links_and_anchors_lead_somewhere(site):
    ids = {
        (SITE / page).resolve(): {element["id"] for element in soup.find_all(id=True)} for page, soup in site.items()
    }
    broken = [
        f"{page}: {url}"
        for page, soup in site.items()
        for url, path, fragment in targets(page, soup)
        if not path.is_file() or (fragment and fragment not in ids.get(path, {fragment}))
    ]
    assert sum(1 for page, soup in site.items() for _ in targets(page, soup)) > 100
    assert broken == []


def test_no_page_shows_an_error(site):
    for page, soup in site.items():
        assert "Traceback (most recent call last)" not in soup.text, page
        assert not soup.select(".output.traceback, .output.stderr, .system-message"), page


def test_no_page_shows_an_object_that_a_cell_happened_to_end_with(site):
    for page, soup in site.items():
        for output in soup.select(".cell_output .text_plain"):
            assert not re.match(r"<|\w+\(\w+=", output.text.strip()), f"{page}: {output.text[:80]}"


def test_every_image_has_alt_text_of_its_own(site):
    for page, soup in site.items():
        for image in soup.find_all("img"):
            alt = image.get("alt", "").strip()
            assert alt, f"{page}: {image}"
            assert not PurePosixPath(alt).suffix, (
                f"{page}: {image}"
            )  # a file's name is what Sphinx puts where there is none


def test_every_figure_of_a_page_has_a_caption(site):
    for page, soup in site.items():
        if page.parts[0] == "book":
            # What moves, or is moved, is described by the text below it.
            for image in soup.select(".cell_output :not(picture.animation, .explorer) > img"):
                caption = image.find_parent("figure")
                assert caption is not None, f"{page}: {image}"
                assert caption.find("figcaption").text.strip()


def test_a_formula_keeps_the_comma_that_follows_it(site):
    formulas = [formula for soup in site.values() for formula in soup.select("span.math")]
    kept = [formula for formula in formulas if formula.find_parent(class_="unbroken")]
    assert kept
    for formula in formulas:
        if formula not in kept and formula.next_sibling is not None:
            assert not formula.next_sibling.get_text().startswith((",", ".", ";", ":", ")", "?")), formula.parent


def test_pages_load_nothing_from_another_host(site):
    for page, soup in site.items():
        loaded = [element["src"] for element in soup.select("script[src], img[src], iframe[src]")]
        loaded += [
            element["href"] for element in soup.select("link[rel~=stylesheet], link[rel~=preload], link[rel~=icon]")
        ]
        assert [url for url in loaded if not (is_internal(url) or url.startswith("data:"))] == [], page


def test_quiz_options_open_to_their_verdict(site):
    options = [option for soup in site.values() for option in soup.select("details.quiz-option")]
    assert options
    for option in options:
        verdict = option.select_one(".quiz-feedback strong").text
        assert verdict == ("Correct." if "quiz-right" in option["class"] else "Not quite.")
        assert option.find("summary").text.strip()


def test_exercise_pages_are_not_executed_and_can_be_downloaded(site):
    pages = {page: soup for page, soup in site.items() if page.parts[0] == "exercises"}
    assert pages
    for page, soup in pages.items():
        assert not soup.select(".cell_output")
        links = [link["href"] for link in soup.find_all("a", href=True)]
        assert any(link.endswith(f"_sources/{page.with_suffix('.ipynb')}") for link in links)
        assert any("colab" in link and link.endswith(page.with_suffix(".ipynb").as_posix()) for link in links)

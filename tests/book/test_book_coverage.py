"""Every topic of the course has a page, and "Where everything is" says so."""

import re
from pathlib import Path

import pytest
import yaml
from book_pages import CHAPTERS, PAGES, ROOT, TOC, page_id

TOPICS = yaml.safe_load((ROOT / "book/reference/coverage.yml").read_text(encoding="utf-8"))
IDS = [topic for group in TOPICS.values() for topic in group]
CLAIMS = {
    page.relative_to(ROOT).with_suffix("").as_posix(): line.split()
    for page in PAGES
    for line in re.findall(r"^% covers:(.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
}


def test_topics_are_numbered_without_gaps():
    for letter in {topic[0] for topic in IDS}:
        numbers = [int(topic[1:]) for topic in IDS if topic[0] == letter]
        assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=page_id)
def test_a_chapter_says_below_its_title_what_it_covers(chapter):
    # Above the title it would stand between the title and its label.
    assert re.search(r"^\([\w-]+\)=\n# .+\n\n% covers: \S", chapter.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_topic_has_a_page_of_the_book():
    in_book = {topic for page, topics in CLAIMS.items() if page in TOC for topic in topics}
    assert in_book == set(IDS)


def test_no_page_claims_a_topic_twice():
    assert all(len(topics) == len(set(topics)) for topics in CLAIMS.values())


def test_the_page_links_every_claim(site):
    page = site[Path("book/reference/where.html")]
    rows = {row.td.get_text(): row for row in page.select("article tbody tr")}
    assert list(rows) == IDS
    for topic, row in rows.items():
        linked = {link["href"].partition("#")[0] for link in row.select("td:nth-of-type(3) a")}
        claimed = {name for name, topics in CLAIMS.items() if topic in topics and name in TOC}
        assert linked == {f"../{name.removeprefix('book/')}.html" for name in claimed}

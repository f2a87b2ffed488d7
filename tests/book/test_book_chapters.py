"""Every chapter follows the template of CONTRIBUTING.md."""

import re

import pytest
from book_pages import CHAPTERS, code_cells, page_id

SECTIONS = ["Intuition", "Mathematics", "Code", "Experiment", "Pitfalls", "Exercises", "Quiz", "Summary", "References"]
# No lessons: a way to choose, collections of failures, problems. Their sections are their own, and they end like all others.
OWN_SECTIONS = {"which_autoencoder", "failure_gallery", "failure_gallery_two", "practice_problems"}

pytestmark = pytest.mark.parametrize("chapter", CHAPTERS, ids=page_id)


def test_sections_are_those_of_the_template_in_order(chapter):
    headings = re.findall(r"^## (.+)$", chapter.read_text(), re.M)
    found = [section for heading in headings for section in SECTIONS if section.lower() in heading.lower()]
    if chapter.stem.partition("_")[2] in OWN_SECTIONS:
        assert "Quiz" in found
        assert found[-2:] == SECTIONS[-2:]
    else:
        assert found == SECTIONS


def test_opening_says_what_is_needed_what_is_learned_and_how_long_it_takes(chapter):
    opening = chapter.read_text().split("\n## ")[0].lower()
    for phrase in ("you need", "you will be able to", "minutes"):
        assert phrase in opening


def test_figures_have_a_name_alt_text_and_a_caption_that_says_something(chapter):
    figures = [cell.metadata["mystnb"] for cell in code_cells(chapter) if "figure" in cell.metadata.get("mystnb", {})]
    assert figures
    for figure in figures:
        assert figure["figure"]["name"].startswith("fig-")
        assert len(figure["figure"]["caption"].split()) >= 8
        assert len(figure["image"]["alt"].split()) >= 8


def test_claims_are_asserted_and_numbers_glued(chapter):
    source = "\n".join(cell.source for cell in code_cells(chapter))
    assert re.search(r"^\s*(assert |np\.testing\.assert|torch\.testing\.assert)", source, re.M)
    glued = set(re.findall(r"\b(?:glue|show)\(\s*\"([\w-]+)\"", source))
    used = set(re.findall(r"\{glue:\w+\}`([\w-]+)", chapter.read_text()))
    assert used
    assert glued <= used


def test_quiz_prediction_pitfall_and_a_folded_solution(chapter):
    text = chapter.read_text()
    for directive in (
        r"\{quiz\}",
        ":class: predict",
        ":class: pitfall",
        r"\{exercise\}|\{exercise-start\}",
        r"\{solution\}|\{solution-start\}",
    ):
        assert re.search(directive, text), directive

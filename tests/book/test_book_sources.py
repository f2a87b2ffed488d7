"""The sources of the book fit together: table of contents, pages, labels, API."""

import pkgutil
import re

import pytest
import yaml
from book_pages import CHAPTERS, PAGES, ROOT, TOC, code_cells, page_id

FORBIDDEN = re.compile(r"[!%]\s*(pip|conda|wget|curl)\b|\b(requests|urllib|urlopen|urlretrieve)\b|https?://")
EXERCISES = sorted((ROOT / "exercises").glob("*/*.ipynb"))


@pytest.mark.parametrize("file", TOC)
def test_what_the_toc_names_exists(file):
    found = [path for path in (ROOT / f"{file}.md", ROOT / f"{file}.ipynb") if path.exists()]
    assert len(found) == 1


@pytest.mark.parametrize("page", [*PAGES, *EXERCISES], ids=page_id)
def test_page_is_in_the_toc(page):
    assert page.relative_to(ROOT).with_suffix("").as_posix() in TOC


def test_config_fails_on_errors_and_leaves_student_notebooks_alone():
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    assert config["only_build_toc_files"] is True
    assert config["sphinx"]["config"]["nb_execution_raise_on_error"] is True
    assert config["execute"]["execute_notebooks"] == "cache"
    assert config["execute"]["timeout"] <= 60
    # Sphinx matches the pattern against each path: a double star would match no notebook.
    patterns = config["execute"]["exclude_patterns"]
    assert EXERCISES
    assert all(any(path.relative_to(ROOT).match(pattern) for pattern in patterns) for path in EXERCISES)


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_page_neither_installs_nor_downloads(page):
    for cell in code_cells(page):
        assert not FORBIDDEN.search(cell.source), cell.source


@pytest.mark.parametrize("page", PAGES, ids=page_id)
def test_no_line_of_text_is_lost_as_a_comment(page):
    """A line that begins with a percent sign is a comment, also where it was meant to say "12" on the line above it."""
    text = re.sub(r"^```\{code-cell\}.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    comments = re.findall(r"^[ \t]*%.*$", text, re.MULTILINE)
    assert [comment for comment in comments if not comment.startswith("% covers: ")] == []


def test_labels_are_unique():
    labels = [
        label
        for page in PAGES
        for label in re.findall(r"^\(([\w-]+)\)=$|^:(?:label|name): (\S+)$", page.read_text(), re.M)
    ]
    names = [a or b for a, b in labels]
    assert sorted(names) == sorted(set(names))


def test_every_erratum_has_its_place_in_order():
    text = (ROOT / "book/reference/errata.md").read_text()
    assert re.findall(r"^\(errata-e(\d+)\)=\n## E(\d+)\. ", text, re.M) == [(str(i), str(i)) for i in range(1, 14)]


def test_glossary_is_in_alphabetical_order():
    text = (ROOT / "book/reference/glossary.md").read_text()
    terms = re.findall(r"^(\S.*)\n  \S", text.split("```{glossary}")[1], re.M)
    assert len(terms) >= 25
    assert [term.lower() for term in terms] == sorted({term.lower() for term in terms})


def test_api_page_has_every_public_module():
    modules = [f"aelib.{module.name}" for module in pkgutil.iter_modules([str(ROOT / "aelib")])]
    modules += [f"aelib.models.{module.name}" for module in pkgutil.iter_modules([str(ROOT / "aelib/models")])]
    documented = re.findall(r"automodule:: (\S+)", (ROOT / "book/reference/api.md").read_text())
    # A package is shown through the names that it exports; modules whose tables belong on the page may be shown besides.
    besides = [name for name in documented if name.startswith("aelib.metrics.")]
    assert sorted(documented) == sorted(modules + besides)


def test_there_is_a_chapter():
    assert CHAPTERS

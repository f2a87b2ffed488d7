"""What the pages of the book refer to: each other, things with a number, and the literature; and how a notebook says it."""

import json
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from contents import ROOT, pages
from plain_markdown import Page
from pybtex.backends.plaintext import Backend
from pybtex.database import Entry, parse_file
from pybtex.richtext import Text

HEADING = re.compile(r"^# (.*)$", re.MULTILINE)
TITLED = re.compile(r"(?:(?P<title>.*\S) *<)?(?P<target>[^<>]+)>?")
CITED = re.compile(r"\{cite(?::[pt])?\}`([^`]+)`")
QUIZ = re.compile(r"^```\{quiz\} (\S+)$", re.MULTILINE)
LABELED = re.compile(
    r"^\((?P<section>[\w-]+)\)=\n+#+ (?P<title>.+)$"
    r"|^ *\$\$ \((?P<equation>[\w-]+)\)$"
    r"|^ *[`:]{3,}\{(?:prf:)?(?P<kind>exercise|lemma|theorem)\}.*\n(?: *:.*\n)*? *:label: (?P<label>\S+)$"
    r"|^  figure:\n    name: (?P<figure>\S+)$",
    re.MULTILINE,
)


def names(text: str) -> dict[str, str]:
    """What has a label on a page, and what it is called. Numbers count from 1 on each page."""
    found, count = {}, Counter[str]()
    for match in LABELED.finditer(text):
        if match["section"]:
            found[match["section"]] = match["title"]
            continue
        kind = "Figure" if match["figure"] else "" if match["equation"] else match["kind"].capitalize()
        count[kind] += 1
        label = match["figure"] or match["equation"] or match["label"]
        found[label] = f"{kind} {count[kind]}" if kind else f"({count[kind]})"
    return found


@dataclass(frozen=True)
class Book:
    """What a page may refer to.

    Attributes:
        texts: page of the table of contents, without suffix -> its source.
        titles: page -> its title.
        names: page -> label -> what has it there.
        works: key -> what can be cited.
    """

    texts: Mapping[str, str]
    titles: Mapping[str, str]
    names: Mapping[str, Mapping[str, str]]
    works: Mapping[str, Entry]

    def has_code(self, page: str) -> bool:
        """Whether a page is a notebook."""
        return "{code-cell}" in self.texts[page] or (ROOT / f"{page}.ipynb").exists()

    def path(self, start: str, target: str) -> str | None:
        """The path from the notebook of one page to that of another; None if that has no code."""
        return f"{os.path.relpath(target, Path(start).parent)}.ipynb" if self.has_code(target) else None

    def find(self, start: str, path: str) -> str:
        """The page that a path on another page leads to."""
        found = path[1:] if path.startswith("/") else os.path.normpath(Path(start).parent / path)
        if found not in self.texts:
            raise KeyError(path)
        return found


def read_book() -> Book:
    """Read what the table of contents names."""
    texts = {}
    for page in pages():
        notebook = ROOT / f"{page}.ipynb"
        cells = nbformat.read(notebook, as_version=4).cells if notebook.exists() else []
        texts[page] = "\n".join(cell.source for cell in cells) or (ROOT / f"{page}.md").read_text(encoding="utf-8")
    titles = {page: HEADING.search(text)[1] for page, text in texts.items()}
    works = parse_file(str(ROOT / "book" / "references.bib")).entries
    return Book(texts, titles, {page: names(text) for page, text in texts.items()}, works)


def who(work: Entry) -> str:
    """The authors as a text names them."""
    surnames = [
        " ".join(str(name) for name in [*person.rich_prelast_names, *person.rich_last_names])
        for person in work.persons["author"]
    ]
    return f"{surnames[0]} et al." if len(surnames) > 2 else " and ".join(surnames)


def read_quiz(name: str) -> list[dict]:
    """The questions of a quiz."""
    path = ROOT / "book" / "_quizzes" / f"{name}.json"
    if not path.exists():
        raise KeyError(name)
    return json.loads(path.read_text(encoding="utf-8"))


def page_of(book: Book, name: str, glued: Mapping[str, str]) -> Page:
    """What the text of a page may refer to."""
    where = {label: page for page, labels in book.names.items() for label in labels}

    def titled(content: str) -> tuple[str, str]:
        match = TITLED.fullmatch(content)
        return match["title"] or "", match["target"]

    def refer(content: str) -> str:
        """Something with a label. On another page it is said which, as numbers begin anew there."""
        title, label = titled(content)
        page = where[label]
        called, path = book.names[page][label], "" if page == name else book.path(name, page)
        elsewhere = page != name and called != book.titles[page]
        text = title or (f"{called} of {book.titles[page]}" if elsewhere else called)
        place = path if called.startswith("(") else f"{path}#{label}"  # an equation is no place that can be led to
        return text if path is None or not place else f"[{text}]({place})"

    def doc(content: str) -> str:
        title, target = titled(content)
        page = book.find(name, target)
        text, path = title or book.titles[page], book.path(name, page)
        return f"[{text}]({path})" if path else text

    def link(target: str) -> str:
        path = book.path(name, book.find(name, target))
        if path is None:
            raise KeyError(f"{target} has no code; {{doc}} would show its title")
        return path

    def cite(content: str, form: str, separator: str) -> str:
        works = [book.works[key.strip()] for key in content.split(",")]
        return separator.join(form.format(who(work), work.fields["year"]) for work in works)

    def parenthetical(content: str) -> str:
        return f"({cite(content, '{}, {}', '; ')})"

    roles = {
        **dict.fromkeys(("eq", "numref", "prf:ref", "ref"), refer),
        **dict.fromkeys(("cite", "cite:p"), parenthetical),
        "cite:t": lambda content: cite(content, "{} ({})", ", "),
        "doc": doc,
        "glue:text": glued.__getitem__,
        "term": lambda content: titled(content)[0] or content,
    }
    return Page(f"{name}.md", book.names[name], roles, link, read_quiz)


def references(book: Book, name: str) -> str:
    """The list of the works that a page cites, and its quizzes."""
    text = book.texts[name]
    text += "".join(json.dumps(read_quiz(quiz)) for quiz in QUIZ.findall(text))
    keys = {key.strip() for cited in CITED.findall(text) for key in cited.split(",")}
    lines = []
    for work in (book.works[key] for key in keys):
        title = Text.from_latex(work.fields["title"]).render(Backend())
        place = f"https://doi.org/{work.fields['doi']}" if "doi" in work.fields else work.fields["url"]
        lines.append(f"- {who(work)} ({work.fields['year']}). *{title}*. <{place}>")
    return "\n".join(["### Works cited", "", *sorted(lines)]) if lines else ""

"""The ``{quiz}`` directive: multiple-choice questions with feedback for every option, from ``book/_quizzes/NAME.json``.

Each option is an HTML ``<details>``: choosing it opens its feedback. It works by mouse, touch and keyboard and without
JavaScript, executes no Python when a page is read or run, and prints with every answer open. ``book/_static/quiz.js`` adds
what a reader chose before, kept in the browser. The file has jupyterquiz's format: a list of ``{"question", "type":
"multiple_choice", "answers": [{"answer", "correct", "feedback"}, ...]}``, whose texts are MyST and may hold mathematics,
links and citations.
"""

import hashlib
import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html import HTMLTranslator


class QuizOption(nodes.General, nodes.Element):
    """One answer with its feedback."""


class QuizAnswer(nodes.General, nodes.Element):
    """What is seen of an option before it is chosen."""


def visit_option(self: HTMLTranslator, node: QuizOption) -> None:
    """Open the element."""
    self.body.append(self.starttag(node, "details"))


def depart_option(self: HTMLTranslator, node: QuizOption) -> None:
    """Close it."""
    self.body.append("</details>\n")


def visit_answer(self: HTMLTranslator, node: QuizAnswer) -> None:
    """Open the part that is always seen."""
    self.body.append("<summary>")


def depart_answer(self: HTMLTranslator, node: QuizAnswer) -> None:
    """Close it."""
    self.body.append("</summary>\n")


def pass_through(self: object, node: nodes.Element) -> None:
    """In print an option is its two paragraphs."""


class Quiz(SphinxDirective):
    """``{quiz} NAME`` shows every question of ``book/_quizzes/NAME.json``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Build one container a question, with an option for each answer."""
        path = Path(self.env.srcdir) / "book" / "_quizzes" / f"{self.arguments[0]}.json"
        self.env.note_dependency(str(path))
        try:
            questions = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self.error(f"quiz {self.arguments[0]!r}: {error}") from error
        return [self.question(number, len(questions), question) for number, question in enumerate(questions, start=1)]

    def question(self, number: int, total: int, question: dict) -> nodes.Element:
        """A question with its options."""
        # A changed question gets another id, under which nobody has answered yet.
        mark = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()[:8]
        box = nodes.container(classes=["quiz"], ids=[f"quiz-{number}-{mark}"])
        box += nodes.paragraph("", f"Question {number} of {total}", classes=["quiz-number"])
        box += self.parsed(question["question"], nodes.container(classes=["quiz-question"]))
        for choice in question["answers"]:
            verdict = "Correct." if choice["correct"] else "Not quite."
            details = QuizOption(classes=["quiz-option", "quiz-right" if choice["correct"] else "quiz-wrong"])
            details += self.parsed(choice["answer"], QuizAnswer())
            details += self.parsed(f"**{verdict}** {choice['feedback']}", nodes.container(classes=["quiz-feedback"]))
            box += details
        return box

    def parsed(self, text: str, into: nodes.Element) -> nodes.Element:
        """Parse ``text`` as MyST into ``into``."""
        self.state.nested_parse(text.splitlines(), self.content_offset, into)
        return into


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    for node, visit, depart in ((QuizOption, visit_option, depart_option), (QuizAnswer, visit_answer, depart_answer)):
        printed = (pass_through, pass_through)
        app.add_node(node, html=(visit, depart), latex=printed, text=printed)
    app.add_directive("quiz", Quiz)
    app.add_js_file("quiz.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

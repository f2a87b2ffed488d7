"""The MyST text of a page as Markdown that reads well in Jupyter, without any extension.

What is not known is an error that names the page and the line: MyST syntax must not reach a reader by accident. A new
directive is one function and one line in ``DIRECTIVES``; a new role is one line where a ``Page`` is made.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from textwrap import indent

import at_scale_box

FENCE = re.compile(r"(?P<indent> *)(?P<marks>`{3,}|:{3,})(?:\{(?P<name>[^}]*)\})?(?P<title>[^`]*)$")
OPTIONS = re.compile(r"(?::[\w-]+:.*(?:\n|$))*")
OPTION = re.compile(r"^:([\w-]+): *(.*)$", re.MULTILINE)
LABEL = re.compile(r"^\(([\w-]+)\)=$", re.MULTILINE)
DEFINITION = re.compile(r"^(\S.*)\n: +", re.MULTILINE)
LOST = re.compile(r"^(?!%|\([\w-]+\)=$) *\S.*\n(?=%)", re.MULTILINE)
EQUATION = re.compile(r"^( *)\$\$ \(([\w-]+)\)$", re.MULTILINE)
MATH = re.compile(r"\$\$.+?\$\$|\$(?:[^$\n]|\n(?!\s*\n))+\$", re.DOTALL)
# Code, a role with its content, or a link to a file. Code is looked for too, so that nothing is replaced in it.
SPAN = re.compile(
    r"(?:\{(?P<role>[\w:.-]+)\})?(?<!`)(?P<ticks>`+)(?!`)(?P<content>(?:(?!\n\s*\n).)+?)(?<!`)(?P=ticks)(?!`)"
    r"|\]\((?!https?://|#)(?P<path>[^)\s]+)\)",
    re.DOTALL,
)


class MystError(ValueError):
    """A page says something that has no plain form."""


@dataclass(frozen=True)
class Page:
    """What the text of a page may refer to. A KeyError of any of these says that there is no such thing.

    Attributes:
        name: the file, for errors.
        names: label -> what has it on this page, such as ``Exercise 2`` or, for an equation, ``(2)``.
        roles: role -> a function from its content to Markdown.
        link: from the path of a link, as the page has it, to the path in the notebook.
        quiz: from a name to the questions.
    """

    name: str
    names: Mapping[str, str]
    roles: Mapping[str, Callable[[str], str]]
    link: Callable[[str], str]
    quiz: Callable[[str], list[dict]]

    def error(self, line: int, message: str) -> MystError:
        """An error at a line of this page."""
        return MystError(f"{self.name}:{line}: {message}")


@dataclass(frozen=True)
class Block:
    """A directive: its parts, the page it is on, and the line on which its body begins."""

    name: str
    title: str
    options: Mapping[str, str]
    body: str
    page: Page
    line: int

    def plain(self, text: str | None = None) -> str:
        """The plain form of a text of this block, or else of its body."""
        return to_markdown(self.body if text is None else text, self.page, self.line)


def anchor(label: str) -> str:
    """A place that a link can lead to."""
    return f'<a id="{label}"></a>'


def to_markdown(text: str, page: Page, line: int = 1) -> str:
    """The plain form of a text that begins on a line of the page."""
    lines, done, start, at = text.splitlines(), [], 0, 0
    while at < len(lines):
        if not (opening := FENCE.match(lines[at])):
            at += 1
            continue
        margin, closing = opening["indent"], re.compile(rf" *{opening['marks']}{opening['marks'][0]}* *$")
        end = next((number for number in range(at + 1, len(lines)) if closing.match(lines[number])), 0)
        if not end:
            raise page.error(line + at, f"{lines[at].strip()} is never closed")
        done.append(prose("\n".join(lines[start:at]), page, line + start))
        if opening["name"] is None:
            done.append("\n".join(lines[at : end + 1]))
        else:
            body = "\n".join(inner.removeprefix(margin) for inner in lines[at + 1 : end])
            done.append(indent(directive(opening["name"], opening["title"].strip(), body, page, line + at), margin))
        start = at = end + 1
    done.append(prose("\n".join(lines[start:]), page, line + start))
    return "\n\n".join(part for part in done if part)


def prose(text: str, page: Page, line: int) -> str:
    """Text outside of fences: roles and links replaced, comments dropped, labels made anchors, equations numbered."""

    def span(match: re.Match[str]) -> str:
        role, path, where = match["role"], match["path"], line + text.count("\n", 0, match.start())
        if not role and not path:
            return match[0]
        if role and role not in page.roles:
            raise page.error(where, f"the role {{{role}}} is not known")
        try:
            return page.roles[role](" ".join(match["content"].split())) if role else f"]({page.link(path)})"
        except KeyError as error:
            raise page.error(where, f"{match[0]} leads nowhere: {error}") from error

    if within := LOST.search(text):
        raise page.error(line + text.count("\n", 0, within.end()), "a line that begins with % is a comment and is lost")
    plain = re.sub(r"^%.*$", "", SPAN.sub(span, text), flags=re.MULTILINE)
    plain = LABEL.sub(lambda match: f"\n{anchor(match[1])}\n", plain)
    plain = DEFINITION.sub(r"- **\1.** ", plain)
    plain = EQUATION.sub(lambda match: f"{match[1]}\\tag{{{page.names[match[2]][1:-1]}}}\n{match[1]}$$", plain)
    return re.sub(r"\n{3,}", "\n\n", plain).strip("\n")


def directive(name: str, title: str, body: str, page: Page, line: int) -> str:
    """The plain form of a directive that is opened on a line."""
    if name not in DIRECTIVES:
        raise page.error(line, f"the directive {{{name}}} is not known")
    head = OPTIONS.match(body)[0]
    block = Block(name, title, dict(OPTION.findall(head)), body[len(head) :], page, line + 1 + head.count("\n"))
    try:
        return DIRECTIVES[name](block)
    except KeyError as error:
        raise page.error(line, f"{{{name}}} {title}: there is no {error}") from error


def quoted(text: str) -> str:
    """A block quote. Jupyter takes mathematics out before it looks for quotes, so a formula must stay on one line."""
    text = MATH.sub(lambda match: " ".join(match[0].split()), text)
    return indent(text, "> ", lambda line: True).replace("> \n", ">\n")


def folded(summary: str, text: str) -> str:
    """Something that is opened with a click."""
    return f"<details>\n<summary>{summary}</summary>\n\n{text}\n\n</details>"


def box(block: Block) -> str:
    """An admonition."""
    return quoted(f"**{block.plain(block.title or block.name.capitalize())}**\n\n{block.plain()}")


def at_scale(block: Block) -> str:
    """What a chapter's question gives on data of full size."""
    text = at_scale_box.text(block.title, block.plain(), block.options.get("columns", ""))
    return quoted(f"**{at_scale_box.title(block.title)}**\n\n{text}")


def numbered(block: Block) -> str:
    """An exercise, under a heading, or a theorem, set off from the text around it. Its label says its number."""
    label, text = block.options["label"], block.plain()
    name = block.page.names[label] + (f" ({block.plain(block.title)})" if block.title else "")
    exercise = f"### {anchor(label)}{name}\n\n{text}"
    return exercise if block.name == "exercise" else quoted(f"{anchor(label)}**{name}.**\n\n{text}")


def table(block: Block) -> str:
    """A list of lists. A Markdown table has a head; it is empty where there is none."""
    rows: list[list[str]] = []
    for entry in re.split(r"^(?=[* ] - )", block.body, flags=re.MULTILINE):
        if entry.startswith("*"):
            rows.append([])
        if entry.strip():
            rows[-1].append(cell(block.plain(entry[4:])))
    if "stub-columns" in block.options:
        rows = [[f"**{first}**", *others] for first, *others in rows]
    if "header-rows" not in block.options:
        rows.insert(0, [""] * len(rows[0]))
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def cell(text: str) -> str:
    """A text on one line, without the bars that would end a cell."""
    text = MATH.sub(lambda match: match[0].replace(r"\|", r"\Vert ").replace("|", r"\vert "), " ".join(text.split()))
    return text.replace("|", r"\|")


def quiz(block: Block) -> str:
    """Questions with their options, and below them what choosing each one leads to."""
    questions, done = block.page.quiz(block.title), []
    for number, question in enumerate(questions, start=1):
        done.append(f"### Question {number} of {len(questions)}\n\n{block.plain(question['question'])}")
        options = list(zip("abcdefgh", question["answers"]))
        done.append("\n".join(f"- ({letter}) {block.plain(option['answer'])}" for letter, option in options))
        for letter, option in options:
            verdict = "Correct." if option["correct"] else "Not quite."
            done.append(folded(f"({letter})", f"**{verdict}** {block.plain(option['feedback'])}"))
    return "\n\n".join(done)


DIRECTIVES: Mapping[str, Callable[[Block], str]] = {
    **dict.fromkeys(("admonition", "note"), box),
    "at-scale": at_scale,
    **dict.fromkeys(("exercise", "prf:theorem", "prf:lemma"), numbered),
    "prf:proof": lambda block: f"**Proof.**\n\n{block.plain()}",
    "solution": lambda block: folded(f"Solution of {block.page.names[block.title]}", block.plain()),
    "dropdown": lambda block: folded(block.title, block.plain()),
    "list-table": table,
    "quiz": quiz,
}

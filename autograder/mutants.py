"""How many slips the hidden tests notice: every mutant of every solution must lose marks, or be listed as equivalent.

``solutions/NN_topic/equivalent.toml`` lists those that are right answers too, by the line in which they differ:

    [[mutant]]
    cell = "choose_k"
    line = "below = torch.cumsum(ratio, dim=-1) < share"
    reason = "A vector has one dim, which is both the first and the last."
"""

import signal
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from types import FrameType
from typing import Any

from nbformat import NotebookNode

from autograder import bank, probes, source, trial
from autograder.mutate import mutants
from autograder.verdicts import judge

EQUIVALENT = "equivalent.toml"
SECONDS = 60  # a mutant that loops for ever is noticed
LEAST = 0.95


@dataclass(frozen=True)
class Mutant:
    """A solution with one slip.

    Attributes:
        cell: the name of the solution's cell.
        line: the first line that differs, as the mutant has it, without indentation; "" if the mutant lacks the rest.
        code: all of it.
    """

    cell: str
    line: str
    code: str


@dataclass(frozen=True)
class Score:
    """What came of the mutants of an assignment.

    Attributes:
        name: of the assignment.
        total: mutants that are not listed as equivalent.
        alive: those of them that keep all marks.
        problems: entries of the list that fit no mutant, or one that loses marks.
    """

    name: str
    total: int
    alive: tuple[Mutant, ...]
    problems: tuple[str, ...]

    @property
    def killed(self) -> float:
        """The share of mutants that lose marks."""
        return 1 - len(self.alive) / self.total if self.total else 1.0

    def text(self) -> str:
        """The share, and one line for each mutant that keeps all marks and for each problem."""
        lines = [f"{self.name}: {100 * self.killed:.1f} % of {self.total} mutants lose marks"]
        lines += [f"  {mutant.cell}: {mutant.line}" for mutant in self.alive]
        return "\n".join([*lines, *(f"PROBLEM: {problem}" for problem in self.problems)])


def score(path: Path, key: bytes = trial.SECRET) -> Score:
    """Run every mutant of an assignment's solutions against the hidden tests of its task.

    Args:
        path: of the percent notebook.
        key: the secret that inputs are drawn from.
    """
    notebook = source.load(path)
    tests = probes.read(notebook)
    small = _definitions(notebook)
    right = trial.run(small, tests, key).values
    listed = _listed(path.with_name(EQUIVALENT))
    unused, alive, total = dict(listed), [], 0
    for mutant in of_notebook(notebook):
        mine = {name: test for name, test in tests.items() if source.task_of(name) == source.task_of(mutant.cell)}
        found = _run(bank.fill_in(small, {mutant.cell: mutant.code}), mine, key)
        lives = all(judge(test, right[name], found[name]).passed for name, test in mine.items())
        place = mutant.cell, mutant.line
        total += place not in listed
        if lives and place in listed:
            unused.pop(place, None)
        elif lives:
            alive.append(mutant)
    problems = [f"{cell}: no mutant that keeps all marks reads {line!r}" for cell, line in unused]
    problems += [f"{cell}: {line!r} has no reason" for (cell, line), reason in listed.items() if not reason]
    return Score(f"{path.parent.name}/{path.stem}", total, tuple(alive), tuple(problems))


def of_notebook(notebook: NotebookNode) -> Iterator[Mutant]:
    """The mutants of all solutions of a source notebook."""
    for cell, code in bank.model_answers(notebook).items():
        if source.kind_of(next(one for one in notebook.cells if one.id == cell)) != "solution":
            continue
        for mutant in mutants(code):
            pairs = zip_longest(code.splitlines(), mutant.splitlines(), fillvalue="")
            yield Mutant(cell, next(new.strip() for old, new in pairs if old != new), mutant)


def main(given: list[Path]) -> int:
    """Print the score of each assignment, and give the exit status: 0 if all notice enough."""
    enough = True
    for path in given:
        found = score(path)
        print(found.text(), flush=True)
        enough = enough and found.killed >= LEAST and not found.problems
    return 0 if enough else 1


def _definitions(notebook: NotebookNode) -> NotebookNode:
    """The notebook without what no hidden test needs: the text, the visible tests, and the cells behind the last of them."""
    small = source.graded_part(notebook)
    for cell in small.cells:
        if cell.cell_type != "code" or source.kind_of(cell) == "tests":
            cell.source = ""
    return small


def _run(notebook: NotebookNode, tests: Mapping[str, probes.HiddenTest], key: bytes) -> Mapping[str, Any]:
    """What the hidden tests hand out; what does not end is interrupted, as by an error."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, SECONDS, 1)
    try:
        return trial.run(notebook, tests, key).values
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _listed(path: Path) -> dict[tuple[str, str], str]:
    """(cell, line) -> reason, of the mutants that are listed as equivalent."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["mutant"] if path.exists() else []
    return {(entry["cell"], entry["line"].strip()): entry.get("reason", "") for entry in entries}

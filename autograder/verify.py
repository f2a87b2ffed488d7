"""Does grading an assignment find what it should? The matrix of wrong solutions against hidden tests, and what is wrong with it.

Everything is run in this process, with inputs that are drawn from one secret.
"""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from autograder import allowed, bank, notebooks, paths, probes, release, source, trial
from autograder.answers import Answers, Mistake, of_task
from autograder.verdicts import judge

SOLUTION, BLANK, RIGHT = "the solution", "blank", "right"
# An error of this kind is a slip in the bank, not a student's mistake.
SLIPS = {"NameError", "SyntaxError", "IndentationError", "ImportError", "ModuleNotFoundError"}


@dataclass(frozen=True)
class Report:
    """What was found out about one assignment.

    Attributes:
        name: of the assignment and its notebook.
        tasks: task -> its tests, both in the order of the notebook.
        passed: what was run -> test -> whether it passes. The solution, the blank notebook, "right/NAME" for the other right
            solutions, and "TASK/NAME" for the wrong ones.
        problems: what is wrong, one sentence each; none if the assignment is ready for a class.
    """

    name: str
    tasks: Mapping[str, list[str]]
    passed: Mapping[str, Mapping[str, bool]]
    problems: tuple[str, ...]

    def text(self) -> str:
        """The matrix, "." for a test that passes and "x" for one that does not, and below it the problems."""
        width = max(map(len, self.passed))
        numbers = (f"{number:<{len(tests)}}" for number, tests in enumerate(self.tasks.values(), start=1))
        lines = [self.name, " ".join([" " * width, *numbers]).rstrip()]
        for name, passed in self.passed.items():
            marks = ("".join(".x"[not passed[test]] for test in tests) for tests in self.tasks.values())
            lines.append(" ".join([name.ljust(width), *marks]).rstrip())
        lines += [f"{number:>3} {', '.join(tests)}" for number, tests in enumerate(self.tasks.values(), start=1)]
        fine = "Right solutions keep all marks; each wrong one loses marks in its own task alone, and is told from all others."
        found = [f"PROBLEM: {problem}" for problem in self.problems] or [fine]
        return "\n".join([*lines, "", *found])


def verify(path: Path, key: bytes = trial.SECRET) -> Report:
    """Run the solution, a blank notebook, all other right solutions and all wrong ones of an assignment.

    Args:
        path: of the percent notebook.
        key: the secret that inputs are drawn from.

    Raises:
        SourceError, LeakError: if it cannot even be released.
    """
    notebook = source.load(path)
    tests = probes.read(notebook)
    blank = notebooks.from_bytes(release.release(path).encode())
    right, wrong = (_read(path.with_name(name)) for name in (paths.RIGHT, paths.BANK))

    graded = source.graded_part(notebook)

    def filled_in(answers: Iterable[bank.Answer]) -> NotebookNode:
        return bank.fill_in(graded, {answer.cell: answer.code for answer in answers})

    filled = {SOLUTION: notebook, BLANK: source.graded_part(blank)}
    for name in dict.fromkeys(answer.name for answer in right):
        filled[f"{RIGHT}/{name}"] = filled_in(answer for answer in right if answer.name == name)
    filled |= {_label(answer): filled_in([answer]) for answer in wrong}
    runs = {label: trial.run(one, tests, key) for label, one in filled.items()}
    best = runs[SOLUTION].values
    passed = {
        label: {name: judge(test, best[name], run.values[name]).passed for name, test in tests.items()}
        for label, run in runs.items()
    }
    mistakes = []
    for answer in wrong:
        task = source.task_of(answer.cell)
        found = of_task(tests, task, runs[_label(answer)].values)
        mistakes.append(Mistake(task, answer.name, answer.message, found))
    problems = [problem for label, run in runs.items() for problem in _problems(label, run, passed[label])]
    # A wrong solution that uses what is not allowed would be told so, and never shown the message of the bank.
    problems += [f"{label}: {said}" for label, one in filled.items() for said in allowed.broken(notebook, one).values()]
    if not any(best[name]["error"] or not best[name]["values"] for name in tests):
        problems += _diagnoses(Answers(tests, best, tuple(mistakes)))
    tested = {task: [name for name in names if name in tests] for task, names in source.tasks(notebook).items()}
    return Report(
        f"{path.parent.name}/{path.stem}",
        {task: names for task, names in tested.items() if names},
        passed,
        tuple(problems),
    )


def main(given: Iterable[Path]) -> int:
    """Print the report of each assignment, and give the exit status: 0 if all are ready for a class."""
    ready = True
    for path in given:
        report = verify(path)
        print(report.text())
        ready = ready and not report.problems
    return 0 if ready else 1


def _read(path: Path) -> list[bank.Answer]:
    return bank.read(path) if path.exists() else []


def _label(answer: bank.Answer) -> str:
    return f"{answer.cell}/{answer.name}"


def _problems(label: str, run: trial.Trial, passed: Mapping[str, bool]) -> list[str]:
    """What is wrong with one run by itself."""
    lost = [name for name in passed if not passed[name]]
    if label == BLANK:
        return [f"{label}: passes {name}" for name in passed if passed[name]]
    if label == SOLUTION or label.startswith(f"{RIGHT}/"):
        found = [f"{label}: cell {name} ends in {error}" for name, error in run.errors.items() if error]
        found += [f"{label}: {name} hands out nothing" for name in passed if not run.values[name]["values"]]
        return found + [f"{label}: fails {name}" for name in lost]
    cell = label.partition("/")[0]
    found = [] if lost else [f"{label}: loses no mark"]
    found += [f"{label}: fails {name}, a test of another task" for name in lost if not _same_task(name, cell)]
    errors = {name: entry["error"] for name, entry in run.values.items() if entry["error"] in SLIPS}
    if run.errors[cell] or errors:
        found.append(f"{label}: a slip in the bank and no student's mistake: {run.errors[cell] or errors}")
    return found


def _diagnoses(answers: Answers) -> list[str]:
    """Which wrong solutions would not be told from others by what the tests hand out."""
    found = [
        f"{one.task}/{one.name}: no test hands out a wrong value for it, so it explains no submission"
        for one in answers.mistakes
        if not answers.shows(one.values)
    ]
    for one, other in itertools.combinations(answers.mistakes, 2):
        if one.task == other.task and answers.agree(one.values, other.values):
            found.append(f"{one.task}/{one.name} and {other.name}: the tests hand out the same for both")
    return found


def _same_task(one: str, other: str) -> bool:
    return source.task_of(one) == source.task_of(other)

"""What every assignment in solutions/ must fulfil. Notebooks run cell by cell in this process, hidden tests included."""

import functools
import re
import time

import pytest

from autograder import bank, notebooks, paths, probes, release, source, trial, verify

MINUTES = range(60, 91)
MAX_SECONDS = 60
MAX_COLUMNS = 96
ENOUGH_RIGHT, ENOUGH_WRONG = 3, 5
SOURCES = {path.parent.name: path for path in paths.sources(paths.SOLUTIONS)}
ASSIGNMENTS = sorted(SOURCES)


@functools.cache
def notebook(name):
    return source.load(SOURCES[name])


@functools.cache
def stubs(name):
    """Every answer as the student finds it."""
    cells = notebooks.from_bytes(release.release(SOURCES[name]).encode()).cells
    return {cell.id: cell.source for cell in cells if source.kind_of(cell) == "solution"}


def answers(name, file):
    return bank.read(SOURCES[name].with_name(file))


def solution_cells(name):
    return [cell.id for cell in notebook(name).cells if source.kind_of(cell) == "solution"]


def graded_cells(name):
    return [cell.id for cell in notebook(name).cells if source.kind_of(cell) == "tests"]


@functools.cache
def hidden(name):
    return probes.read(notebook(name))


@functools.cache
def graded_part(name):
    return source.graded_part(notebook(name))


def run(name, replaced):
    return trial.run(bank.fill_in(graded_part(name), replaced), hidden(name))


@functools.cache
def right(name):
    """What came of the solution."""
    return run(name, {})


def lost(name, outcome):
    """The tests in which a run has lost points."""
    worth, marks = source.points(notebook(name)), trial.scores(notebook(name), hidden(name), outcome, right(name))
    return {cell for cell in graded_cells(name) if marks[cell] < worth[cell]}


def every(file):
    found = [(name, answer) for name in ASSIGNMENTS for answer in answers(name, file)]
    return [pytest.param(*pair, id=f"{pair[0]}-{pair[1].cell}-{pair[1].name}") for pair in found]


def task(name):
    return name.split("-")[0]


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_the_solution_passes_every_test_in_time(name):
    start = time.perf_counter()
    outcome = trial.run(notebook(name), hidden(name))
    assert time.perf_counter() - start < MAX_SECONDS
    assert [error for error in outcome.errors.values() if error] == []
    assert [cell for cell, entry in outcome.values.items() if entry["error"] or not entry["values"]] == []
    assert lost(name, outcome) == set()


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_a_blank_notebook_passes_no_test(name):
    outcome = run(name, stubs(name))
    assert [cell for cell in graded_cells(name) if outcome.errors[cell] is None] == []
    assert lost(name, outcome) == set(graded_cells(name))


@pytest.mark.parametrize(
    ("name", "done"), [(name, done) for name in ASSIGNMENTS for done in sorted({task(c) for c in solution_cells(name)})]
)
def test_each_task_can_be_solved_without_the_others(name, done):
    outcome = run(name, {cell: text for cell, text in stubs(name).items() if task(cell) != done})
    mine = {cell for cell in graded_cells(name) if task(cell) == done}
    assert {cell for cell in graded_cells(name) if outcome.errors[cell] is None} == mine
    assert lost(name, outcome) == set(graded_cells(name)) - mine


@functools.cache
def report(name):
    return verify.verify(SOURCES[name])


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_right_solutions_keep_all_marks_and_wrong_ones_can_be_told(name):
    assert report(name).problems == ()


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_each_wrong_solution_loses_marks_in_its_own_task_and_only_there(name):
    """Read from the matrix, and not from what verify says about it."""
    for wrong in answers(name, paths.BANK):
        passed = report(name).passed[f"{wrong.cell}/{wrong.name}"]
        assert {task(cell) for cell in graded_cells(name) if not passed[cell]} == {task(wrong.cell)}, wrong.name


@pytest.mark.parametrize(("name", "wrong"), every(paths.BANK))
def test_each_wrong_solution_has_a_message_that_helps(name, wrong):
    assert len(wrong.message.split()) >= 5
    assert wrong.message[0].isupper() or wrong.message.startswith("torch.")
    assert wrong.message.endswith(".")


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_graded_function_has_enough_wrong_solutions(name):
    cells = [answer.cell for answer in answers(name, paths.BANK)]
    assert {cell: cells.count(cell) for cell in solution_cells(name) if cells.count(cell) < ENOUGH_WRONG} == {}


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_there_are_enough_right_solutions_written_in_another_way(name):
    variants = {}
    for answer in answers(name, paths.RIGHT):
        variants.setdefault(answer.name, set()).add(answer.cell)
    assert len(variants) >= ENOUGH_RIGHT
    assert set().union(*variants.values()) == set(solution_cells(name))
    assert {f"right/{variant}" for variant in variants} <= set(report(name).passed)


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_points_minutes_and_difficulty_are_stated_and_add_up(name):
    text = {cell.id: cell.source for cell in notebook(name).cells}
    stated = re.search(r"\*(\d+) points, about (\d+) minutes\.\*", text["intro"])
    effort = [
        re.fullmatch(r"## .+\n\n\*([\d.]+) points?, about (\d+) minutes, difficulty [1-5] of 5\*\n.*", cell, re.DOTALL)
        for cell_id, cell in text.items()
        if cell_id.endswith("-task")
    ]
    assert all(effort)
    assert (
        sum(float(match[1]) for match in effort)
        == float(stated[1])
        == sum(source.points(notebook(name)).values())
        == 20
    )
    assert sum(int(match[2]) for match in effort) == int(stated[2])
    assert int(stated[2]) in MINUTES


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_every_task_has_a_hint_a_shape_test_and_a_hidden_test(name):
    by_task = {}
    for cell in notebook(name).cells:
        if source.kind_of(cell) == "tests":
            by_task.setdefault(task(cell.id), []).append(cell)
    assert set(by_task) == {task(cell) for cell in solution_cells(name)}
    for done, cells in by_task.items():
        assert [cell.id for cell in cells if cell.id == f"{done}-shape"], f"{done}: no shape test"
        assert set(hidden(name)) >= {cell.id for cell in cells}
        described = next(cell.source for cell in notebook(name).cells if cell.id == f"{done}-task")
        assert "<details><summary>Hint</summary>\n\n" in described, f"{done}: no folded hint"


@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_students_need_not_scroll_sideways_to_read_code(name):
    cells = notebooks.from_bytes(release.release(SOURCES[name]).encode()).cells
    code = [line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines()]
    assert [line for line in code if len(line) > MAX_COLUMNS] == []

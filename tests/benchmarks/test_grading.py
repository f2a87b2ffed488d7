"""The benchmark of grading runs, its two sides grade the same, and it writes what its page reads. Times are not tested."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat import NotebookNode

from autograder import bank, notebooks, paths, probes, source, trial
from autograder.sandbox import bubblewrap
from autograder.verdicts import judge

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
COMMITTED = BENCHMARKS / "results" / "grading.json"
TO_FOUR_DIGITS = 2e-3
STEPS = ["intake", "start", "execution", "verdict", "record"]


@pytest.fixture
def module(monkeypatch):
    """Import a benchmark, as its own folder sees it."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def check(result):
    plain, ours = result["plain"], result["ours"]
    assert "torch" in result["machine"]
    for side in (plain, ours):
        assert side["submissions"] > 0
        assert side["seconds per submission"] > 0
        assert side["core seconds per submission"] > 0
    expected = plain["seconds per submission"] / ours["seconds per submission"]
    assert result["times the throughput"] == pytest.approx(expected, rel=TO_FOUR_DIGITS)
    total = sum(plain["seconds of each block"]) / plain["submissions"]
    assert plain["seconds per submission"] == pytest.approx(total, rel=TO_FOUR_DIGITS)
    assert result["submissions with the same marks"] == plain["submissions"] <= ours["submissions"]
    assert result["marks that a warning cost in plain nbgrader"] >= 0
    assert 0 < ours["once, seconds"] < max(ours["seconds of each run"])
    assert list(ours["steps"]) == STEPS
    assert all(step["median"] > 0 and step["mean"] > 0 for step in ours["steps"].values())
    check_memory(ours["memory"])
    if result["a large class"] is not None:
        check_memory(result["a large class"])


def check_memory(memory):
    assert memory["MiB"]
    for sample in memory["MiB"]:
        assert set(sample) == {"graded", "main process", "workers", "fork servers"}
        assert min(sample.values()) > 0
    assert set(memory.get("KiB for one more", {})) <= {"main process", "workers", "fork servers"}


@pytest.mark.skipif(not os.environ.get("NIGHTLY"), reason="takes minutes: NIGHTLY=1, or make nightly")
@pytest.mark.slow
def test_a_quick_run_grades_alike_and_writes_what_the_page_reads(tmp_path):
    try:
        bubblewrap.program()
    except bubblewrap.SandboxError as error:
        pytest.skip(str(error))
    out = tmp_path / "result.json"
    command = [sys.executable, BENCHMARKS / "grading.py", "--quick", "--out", out]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(out.read_text())
    assert json.loads(ran.stdout) == result
    assert result["quick"]
    check(result)


def test_the_result_in_the_repository_is_of_a_whole_run():
    result = json.loads(COMMITTED.read_text())
    check(result)
    assert not result["quick"]
    assert result["ours"]["submissions"] == 200
    assert {"from", "KiB for one more"} <= set(result["a large class"])


@pytest.mark.slow
def test_plain_nbgraders_asserts_judge_the_solution_and_every_known_mistake_as_we_do(module):
    grading_class = module("grading_class")
    master = source.load(grading_class.SOURCE)
    tests = probes.read(master)
    right = trial.run(master, tests)
    plain = grading_class.plain_source(master, probes.requests(tests, trial.SECRET, "trial"), right.values)
    hidden = {cell.id: "\n".join(source.split(cell.source, "HIDDEN TESTS")[1]) for cell in plain.cells}
    mistakes = {}
    for answer in bank.read(grading_class.SOURCE.with_name(paths.BANK)):
        mistakes.setdefault(answer.cell, []).append(answer.code)
    most = max(map(len, mistakes.values()))
    rounds = [{cell: codes[i % len(codes)] for cell, codes in mistakes.items()} for i in range(most)]
    for number, answers in enumerate([{}, *rounds]):
        filled = bank.fill_in(master, answers)
        ours = trial.run(filled, tests)
        asserting = [
            notebooks.new_cell(cell.cell_type, hidden[cell.id] if cell.id in tests else cell.source, cell.id)
            for cell in filled.cells
        ]
        theirs = trial.run(notebooks.new(asserting, {}), {}).errors
        passed = {name: judge(test, right.values[name], ours.values[name]).passed for name, test in tests.items()}
        assert {name: theirs[name] is None for name in tests} == passed
        failed = {source.task_of(name) for name in tests if not passed[name]}
        assert failed == ({source.task_of(cell) for cell in mistakes} if number else set())


def test_an_assert_that_plain_nbgrader_is_not_given_is_refused(module):
    test = probes.parse("norm", ["probe(norm=1.0)", "### CHECK norm: at_most(bound=1.0)"])
    with pytest.raises(ValueError, match="norm: norm: plain nbgrader is given no assert for at_most"):
        module("grading_class")._assert(test, "norm", 1.0)


def test_a_class_is_always_the_same_and_has_answers_of_all_kinds(module):
    grading_class = module("grading_class")
    model = bank.model_answers(source.load(grading_class.SOURCE))
    released = paths.EXERCISES / grading_class.NAME / f"{grading_class.NOTEBOOK}.ipynb"
    first, again = (list(grading_class.submissions(notebooks.from_bytes(released.read_bytes()), 30)) for _ in range(2))
    assert first == again
    kinds = dict.fromkeys(("none", "right", "wrong"), 0)
    for text in first:
        for cell in notebooks.from_bytes(text.encode()).cells:
            if source.kind_of(cell) == "solution":
                stub = "raise NotImplementedError" in cell.source
                kinds["none" if stub else "right" if cell.source == model[cell.id] else "wrong"] += 1
    assert sum(kinds.values()) == 300
    assert 10 < kinds["none"] < 60
    assert 10 < kinds["wrong"] < 60


def test_a_straight_rise_of_memory_is_found_and_what_is_before_is_left_out(module):
    samples = [
        {"graded": n, "main process": 100 + max(0, 100 - n) + n / 8, "workers": 200.0, "fork servers": 300.0}
        for n in range(5, 1001, 5)
    ]
    found = module("grading").memory(samples)
    assert [sample["graded"] for sample in found["MiB"]] == [50, 100, 200, 500, 1000]
    assert found["KiB for one more"] == {"main process": 128, "workers": 0, "fork servers": 0}


WARNING = {"output_type": "stream", "name": "stderr", "text": "careful"}
ERROR = {"output_type": "error", "ename": "AssertionError", "evalue": "", "traceback": []}


@pytest.mark.parametrize(
    ("ours", "outputs", "lost"),
    [
        (1.0, [], None),
        (1.0, [WARNING], 1),
        (1.0, [WARNING, ERROR], None),
        (0.0, [WARNING], 0),
        (0.0, [ERROR], 0),
    ],
)
def test_other_marks_stop_the_benchmark_unless_a_warning_costs_them(module, monkeypatch, tmp_path, ours, outputs, lost):
    grading = module("grading")
    name, notebook = module("grading_class").NAME, module("grading_class").NOTEBOOK
    cell = notebooks.new_cell("code", "", "test")
    cell.outputs = [NotebookNode(output) for output in outputs]
    graded = tmp_path / "plain" / "autograded" / "a" / name / f"{notebook}.ipynb"
    paths.write(graded, notebooks.to_text(notebooks.new([cell], {})))
    given = {"plain": {"a": {"test": 0.0}}, "course": {"a": {"test": ours}, "b": {"test": 1.0}}}
    monkeypatch.setattr(grading, "marks", lambda folder: given[folder.name])
    if lost is None:
        with pytest.raises(AssertionError, match=r"a: test: 0\.0 there, 1\.0 here"):
            grading.check(tmp_path / "plain", tmp_path / "course", 2)
    else:
        assert grading.check(tmp_path / "plain", tmp_path / "course", 2) == lost
    with pytest.raises(AssertionError, match="graded 2 of 3"):
        grading.check(tmp_path / "plain", tmp_path / "course", 3)

"""What tables of several seeds share: lanes of processes, files that go on, and spreads."""

import importlib
import queue
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def runs(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("seeded_runs")


def done(name, seed):
    return {"name": name, "seed": seed, "error": None}


def failed(name, seed, error):
    return {"name": name, "seed": seed, "error": error}


def test_a_process_that_dies_costs_its_own_run_only(runs, monkeypatch):
    class Dying:
        started = 0

        def __init__(self):
            Dying.started += 1

        def submit(self, function, name, seed):
            future = Future()
            if name == "a":
                future.set_exception(BrokenProcessPool("it is gone"))
            else:
                future.set_result(function(name, seed))
            return future

        def shutdown(self):
            pass

    monkeypatch.setattr(runs, "new_process", Dying)
    tasks, finished = queue.SimpleQueue(), queue.SimpleQueue()
    for task in (("a", 0), ("b", 1)):
        tasks.put(task)
    lane = runs.Lane(tasks, done, failed, finished)
    lane.start()
    lane.join(timeout=10)
    assert finished.get_nowait() == failed("a", 0, "BrokenProcessPool: it is gone")
    assert finished.get_nowait() == done("b", 1)
    assert Dying.started == 2


def test_one_value_has_no_spread_and_none_has_no_mean(runs):
    assert runs.spread([2.0]) == {"mean": 2.0, "std": None, "seeds": 1}
    assert runs.spread([1.0, 2.0, 3.0]) == {"mean": 2.0, "std": 1.0, "seeds": 3}
    assert runs.spread([]) is None

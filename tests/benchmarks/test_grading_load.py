"""The load test runs, and would see what it is there to see. `make nightly` runs it at its full size."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.sandbox import bubblewrap

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("grading_load")


@pytest.mark.skipif(not os.environ.get("NIGHTLY"), reason="takes minutes: NIGHTLY=1, or make nightly")
@pytest.mark.slow
def test_a_small_class_with_faults_is_graded_and_reported(tmp_path):
    try:
        bubblewrap.program()
    except bubblewrap.SandboxError as error:
        pytest.skip(str(error))
    out = tmp_path / "load.json"
    command = [sys.executable, str(BENCHMARKS / "grading_load.py"), "--quick", "--out", str(out)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert result["submissions"] == sum(result["kinds"].values()) == 12
    assert result["killed"].count("the grader") == 2
    assert {"worker", "fork server"} <= set(result["killed"])
    assert result["memory"]["MiB"]["at the end"] > 0


def test_the_memory_that_each_submission_leaves_is_found(load):
    samples = [[graded, 200 + graded / 1024 * 3] for graded in range(10, 510, 10)]
    found = load.memory(samples)
    assert found["KiB for one more"] == pytest.approx(3)
    assert found["MiB"] == {"after 100": 200, "after 500": 201, "at the end": 201}
    assert found["graded by that process"] == 500


def test_a_process_of_another_kind_is_none(load):
    assert load.kind_of(load.psutil.Process()) == ""

"""Run a notebook and its hidden tests in this process: fast, for code that we wrote ourselves.

It knows no kernel, no sandbox and no time limit. Submissions are run by ``autograder.sandbox``.
"""

import contextlib
import importlib.util
import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from nbformat import NotebookNode

from autograder import probes, source
from autograder.sandbox.bubblewrap import INSIDE
from autograder.verdicts import judge

SECRET = b"a trial is no secret"


@dataclass(frozen=True)
class Trial:
    """What came of a run.

    Attributes:
        errors: the name of each code cell -> its error, or None if it ran.
        values: the name of each test -> what its hidden test handed out.
    """

    errors: Mapping[str, str | None]
    values: Mapping[str, Any]


def run(notebook: NotebookNode, tests: Mapping[str, probes.HiddenTest], key: bytes = SECRET) -> Trial:
    """Execute the code cells in order in one fresh namespace; a cell that fails does not stop the next. Then the hidden tests.

    Args:
        notebook: a source notebook, or one that was released and filled in.
        tests: the hidden tests, from the source notebook (``probes.read``).
        key: the secret that their inputs are drawn from.
    """
    namespace: dict[str, Any] = {"__name__": "__main__"}
    errors: dict[str, str | None] = {}
    values = {}
    asked = probes.requests(tests, key, "trial")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a warning never costs a mark
        snapshots = {}
        for cell in notebook.cells:
            if cell.cell_type != "code":
                continue
            errors[cell.id] = None
            visible = "\n".join(source.split(cell.source, "HIDDEN TESTS")[0])
            try:
                exec(compile(visible, f"<cell {cell.id}>", "exec"), namespace)
            except (Exception, SystemExit) as error:
                errors[cell.id] = f"{type(error).__name__}: {error}"
            snapshots[cell.id] = dict(namespace)
        for name, probe in asked.items():
            values[name] = _probing().hand_out(probe.code, snapshots[name], probe.seed)
    return Trial(errors, values)


def scores(
    notebook: NotebookNode, tests: Mapping[str, probes.HiddenTest], trial: Trial, right: Trial
) -> dict[str, float]:
    """The name of each test cell -> the points that a trial earns there, where ``right`` is that of the solution."""
    worth = source.points(notebook)
    passed = {name: judge(test, right.values[name], trial.values[name]).passed for name, test in tests.items()}
    return {name: worth[name] if passed[name] else 0.0 for name in tests}


@cache
def _probing() -> Any:
    """The module that hands out values in the sandbox. It imports torch, which nothing else here does."""
    spec = importlib.util.spec_from_file_location("probing", INSIDE / "probing.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

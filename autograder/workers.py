"""What a worker does: it takes a submission as bytes, runs it, and gives back bytes, so that workers need no shared disk."""

import atexit
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from nbformat import NotebookNode

from autograder import notebooks
from autograder.sandbox.execution import Probe, execute
from autograder.sandbox.forkserver import ForkServer, Kernels
from autograder.sandbox.limits import Limits
from autograder.sandbox.unprotected import UnprotectedKernels


def request(notebook: NotebookNode, probes: Mapping[str, Probe], limits: Limits, *, sandboxed: bool) -> bytes:
    """Everything that decides what comes of a submission, and nothing else, always as the same bytes."""
    order = {
        "cells": [[cell.id, cell.source] for cell in notebook.cells if cell.cell_type == "code"],
        "probes": {name: vars(probe) for name, probe in probes.items()},
        "limits": vars(limits),
        "sandboxed": sandboxed,
    }
    return json.dumps(order, sort_keys=True).encode()


def run(request: bytes) -> bytes:
    """Run the submission of a ``request``; the result is ``Execution.to_bytes()``.

    Raises:
        SandboxError: if there can be no sandbox.
    """
    order = json.loads(request)
    probes = {name: Probe(**probe) for name, probe in order["probes"].items()}
    return execute(kernels(order["sandboxed"]), notebook_of(order), probes, Limits(**order["limits"])).to_bytes()


def notebook_of(order: Mapping[str, Any]) -> NotebookNode:
    """The notebook that is to be run."""
    return notebooks.new([notebooks.new_cell("code", text, name) for name, text in order["cells"]], {})


@cache
def kernels(sandboxed: bool) -> Kernels:
    """Where this process gets its kernels from: made at the first submission, and warm for all that follow."""
    made: Kernels = ForkServer() if sandboxed else UnprotectedKernels()
    atexit.register(made.close)
    return made

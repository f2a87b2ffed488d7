"""What a worker does: it takes a submission as bytes, runs it, and gives back bytes, so that workers need no shared disk."""

import atexit
import contextlib
import fcntl
import json
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TextIO

from nbformat import NotebookNode

from autograder import notebooks
from autograder.sandbox.bubblewrap import SandboxError
from autograder.sandbox.execution import Probe, execute
from autograder.sandbox.forkserver import ForkServer, Kernels
from autograder.sandbox.limits import Limits
from autograder.sandbox.unprotected import UnprotectedKernels

LOCK = "in-use"
"""The file in a worker's folder that says by its lock whether the worker is there still."""


class LostError(RuntimeError):
    """The sandbox of a submission was ended from outside, and then that of the second attempt as well."""


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
        LostError: if the sandbox was ended, as the system does when memory runs out.
    """
    order = json.loads(request)
    probes = {name: Probe(**probe) for name, probe in order["probes"].items()}
    for last in (False, True):
        try:
            server = kernels(order["sandboxed"])
            return execute(server, notebook_of(order), probes, Limits(**order["limits"])).to_bytes()
        except SandboxError:  # it was ended while it started, or there can be none
            if last:
                raise
        except BrokenPipeError:
            atexit.unregister(server.close)
            server.close()
        kernels.cache_clear()
    raise LostError("the sandbox ended twice while a submission ran")


def notebook_of(order: Mapping[str, Any]) -> NotebookNode:
    """The notebook that is to be run."""
    return notebooks.new([notebooks.new_cell("code", text, name) for name, text in order["cells"]], {})


@cache
def kernels(sandboxed: bool) -> Kernels:
    """Where this process gets its kernels from: made at the first submission, and warm for all that follow."""
    delete_leftovers()
    made: Kernels = MarkedForkServer() if sandboxed else UnprotectedKernels()
    atexit.register(made.close)
    return made


class MarkedForkServer(ForkServer):
    """A fork server whose folder says that it is in use, and is gone if the server does not start."""

    _mark: TextIO | None = None

    def _open(self) -> None:
        # Held until this process ends in whatever way, and by no process that it starts.
        if self._mark is None:
            self._mark = (self._folder / LOCK).open("w")
            fcntl.flock(self._mark, fcntl.LOCK_EX)
        try:
            super()._open()
        except SandboxError:
            self.close()
            raise

    def close(self) -> None:
        """End the server, with everything in its sandbox."""
        super().close()
        if self._mark is not None:
            self._mark.close()


def delete_leftovers() -> None:
    """Delete the folders of workers that were killed, and could not do it themselves."""
    for lock in Path(tempfile.gettempdir()).glob(f"autograder-*/{LOCK}"):
        with contextlib.suppress(OSError), lock.open("r+") as file:  # one of somebody else's is an OSError too
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent)

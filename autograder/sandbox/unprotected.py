"""Kernels without a sandbox, for --no-sandbox: a process of the instructor's own, which can do all that the instructor can."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from autograder.sandbox.bubblewrap import INSIDE
from autograder.sandbox.forkserver import as_seen_from_outside, new_connection
from autograder.sandbox.limits import Limits


class UnprotectedKernels:
    """Each kernel is a new process. Of the limits only those on time and on output hold."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="autograder-"))
        self.connection_file = self._folder / "connection.json"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, limits: Limits) -> dict[str, Any]:
        """Start a kernel, and return how to connect to it."""
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        connection = new_connection()
        self._process = subprocess.Popen(
            [sys.executable, str(INSIDE / "unprotected.py")], stdin=subprocess.PIPE, start_new_session=True
        )
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"connection": connection, "folder": str(folder)}).encode() + b"\n")
        self._process.stdin.close()
        return as_seen_from_outside(connection, folder)

    def ended(self, seconds: float) -> dict[str, Any] | None:
        """Why the kernel ended, if it did within so many seconds."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
                return {"why": "ended", "memory": 0}
        return None

    def stop(self) -> dict[str, Any]:
        """Stop the kernel and what belongs to its session."""
        answer = self.ended(0) or {"why": "stopped", "memory": 0}
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
        return answer

    def close(self) -> None:
        """Stop, and delete the folder of the sockets."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

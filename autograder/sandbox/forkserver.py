"""A warm fork server in a sandbox, seen from outside."""

import json
import secrets
import select
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Protocol

from autograder.sandbox import bubblewrap
from autograder.sandbox.limits import Limits

PRELOAD = (
    *("torch", "torch._dynamo", "numpy", "matplotlib.pyplot", "matplotlib_inline.backend_inline"),
    *("aelib", "aelib.data", "aelib.viz", "sklearn.datasets"),
)
"""What notebooks import; imported once, before the first submission comes."""

START_SECONDS = 120
STOP_SECONDS = 20


class Kernels(Protocol):
    """Where kernels come from, one at a time."""

    connection_file: Path

    def start(self, limits: Limits) -> dict[str, Any]:
        """Start a kernel, and return how to connect to it."""

    def ended(self, seconds: float) -> dict[str, Any] | None:
        """Why the kernel ended ("why") and its largest use of memory ("memory"); None if it still runs after so long."""

    def stop(self) -> dict[str, Any]:
        """Stop the kernel and everything that it started; the result is that of ``ended``."""

    def close(self) -> None:
        """Leave nothing behind."""


def new_connection() -> dict[str, Any]:
    """A new key, and the numbers of a kernel's sockets."""
    channels = ("shell", "iopub", "stdin", "control", "hb")
    ports = {f"{channel}_port": number for number, channel in enumerate(channels, start=1)}
    return {"key": secrets.token_hex(32), **ports}


def as_seen_from_outside(connection: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The connection to a kernel that makes its sockets in ``folder``, in the form that Jupyter's client takes."""
    where = {"transport": "ipc", "ip": str(folder / "k"), "signature_scheme": "hmac-sha256"}
    return {**connection, **where, "key": connection["key"].encode()}


class ForkServer:
    """The server runs until ``close``, or until this process ends in whatever way. It serves one kernel at a time."""

    def __init__(self) -> None:
        bubblewrap.program()  # without it nothing is made that would have to be deleted
        self._folder = Path(tempfile.mkdtemp(prefix="autograder-"))
        self._sockets = self._folder / "sockets"
        self._sockets.mkdir()
        self.connection_file = (
            self._folder / "connection.json"
        )  # Jupyter's client writes it; it is outside of the sandbox
        self._open()

    def _open(self) -> None:
        self.running = False
        self._process = subprocess.Popen(
            bubblewrap.command(self._sockets), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        kept = [str(place) for place in bubblewrap.places() if place.is_relative_to("/tmp")]
        self._say(preload=PRELOAD, kept=kept)
        if self._hear(START_SECONDS) is None:
            self._process.kill()
            raise bubblewrap.SandboxError(
                f"the sandbox did not start: {self._process.communicate()[1].decode()[-2000:]}"
            )

    @property
    def pid(self) -> int:
        """The process that all others of the sandbox descend from."""
        return self._process.pid

    def start(self, limits: Limits) -> dict[str, Any]:
        """Fork a kernel, and return how to connect to it. Its sockets appear in the folder of ``ip`` as it comes up."""
        folder = self._sockets / secrets.token_hex(8)
        folder.mkdir()
        connection = new_connection()
        self._say(name=folder.name, connection=connection, limits=limits.order())
        self.running = True
        return as_seen_from_outside(connection, folder)

    def ended(self, seconds: float) -> dict[str, Any] | None:
        """Why the kernel ended, and its largest use of memory in bytes; None if it still runs after so many seconds."""
        answer = self._hear(seconds) if self.running else None
        if answer is not None:
            self._forget()
        return answer

    def stop(self) -> dict[str, Any]:
        """Stop the kernel and everything that it started, and delete its sockets."""
        answer = self.ended(0)
        if answer is None:
            self._say(stop=True)
            answer = self._hear(STOP_SECONDS)
        if answer is None:  # it has too much to clean up: end it, and everything in it with it
            self._end()
            self._open()
            answer = {"why": "stopped", "memory": 0}
        self._forget()
        return answer

    def _forget(self) -> None:
        self.running = False
        for folder in self._sockets.iterdir():
            shutil.rmtree(folder, ignore_errors=True)

    def close(self) -> None:
        """End the server, with everything in its sandbox."""
        self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _say(self, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def _hear(self, seconds: float) -> dict[str, Any] | None:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            return None
        line = self._process.stdout.readline()
        return dict(json.loads(line)) if line else None

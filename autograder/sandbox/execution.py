"""Run a submission in a sandbox: first its cells, of which the student sees the outputs, and then the hidden tests."""

import asyncio
import contextlib
import copy
import json
import logging
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from autograder import notebooks
from autograder.sandbox.forkserver import Kernels
from autograder.sandbox.limits import MEBI, Limits
from autograder.sandbox.provisioner import Manager

MIME = "application/vnd.autograder.values+json"
START_SECONDS = 60
IOPUB_SECONDS = 4
INTERRUPT_SECONDS = 5


@dataclass(frozen=True)
class Probe:
    """A hidden test as it is sent to the student's process.

    Attributes:
        code: its statements, which call ``probe(name=value)``.
        seed: of ``draw``, the generator that it takes its inputs from.
    """

    code: str
    seed: int


@dataclass
class Execution:
    """What came of a submission.

    Attributes:
        outputs: id of a code cell -> its outputs, as the student's process gave them: not to be trusted.
        values: id of a test cell -> what its hidden test handed out, {"values": [[name, value], ...], "error": a name or
            None}: not to be trusted, nor its form.
        limits: id of a cell -> the limit that was hit there, a name in ``limits.REASONS``. Later cells were not run, unless it
            is "cell" and the kernel took the interrupt.
        seconds: "start" and "execution".
        memory: the most that was used, in bytes.
    """

    outputs: dict[str, list[Any]] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    memory: int = 0

    def to_bytes(self) -> bytes:
        """As it travels between machines."""
        return json.dumps(vars(self)).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Execution":
        """What ``to_bytes`` gave."""
        return cls(**json.loads(content))


def execute(server: Kernels, notebook: NotebookNode, probes: Mapping[str, Probe], limits: Limits) -> Execution:
    """Run a notebook on a kernel of its own, and then its hidden tests.

    Args:
        server: where the kernel comes from.
        notebook: a submission after intake; it is not changed.
        probes: id of a test cell -> its hidden test.
        limits: what it may use.

    Raises:
        SandboxError: if the sandbox itself failed; nothing that a submission does can raise here.
    """
    # In a thread: formgrader calls this from the event loop of Jupyter's server, and a thread can have only one.
    with ThreadPoolExecutor(1) as thread:
        running = _execute(server, copy.deepcopy(notebook), probes, limits)
        return thread.submit(asyncio.run, running).result()


async def _execute(server: Kernels, notebook: NotebookNode, probes: Mapping[str, Probe], limits: Limits) -> Execution:
    done = Execution()
    start = time.perf_counter()
    manager = Manager(server, limits)
    client = _Client(notebook, limits, manager)
    try:
        await client.async_start_new_kernel()
        await client.async_start_new_kernel_client()
        done.seconds["start"] = time.perf_counter() - start
        await _run_all(client, probes, done)
    finally:
        try:
            done.memory = (manager.sandboxed.ending or server.stop())["memory"]
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            manager.context.destroy(linger=0)
            manager.cleanup_connection_file()  # a manager that is collected later would delete the next one's
        done.seconds["execution"] = time.perf_counter() - start - done.seconds.get("start", 0)
    return done


async def _run_all(client: "_Client", probes: Mapping[str, Probe], done: Execution) -> None:
    after: dict[str, int] = {}
    going = True
    cells = [cell for cell in client.nb.cells if cell.cell_type == "code" and cell.source.strip()]
    for count, cell in enumerate(cells, start=1):
        after[cell.id] = count
        going = await client.run(cell, done)
        if not going:
            break
    # From here on nothing that the student's process says reaches the outputs that are shown.
    done.outputs = {cell.id: json.loads(json.dumps(cell.outputs)) for cell in cells}
    for name, probe in probes.items() if going else ():
        call = f"__import__('probing').run({probe.code!r}, {after.get(name, 0)}, {probe.seed})"
        cell = notebooks.new_cell("code", call, name)
        client.nb.cells.append(cell)
        going = await client.run(cell, done)
        shown = [output.get("data") for output in cell.outputs]
        found = [data[MIME] for data in shown if isinstance(data, dict) and MIME in data]
        if found:
            done.values[name] = found[-1]
        if not going:
            break


class _Client(NotebookClient):
    """nbclient, with limits on time and on output. An error in a cell does not stop the next."""

    def __init__(self, notebook: NotebookNode, limits: Limits, manager: Manager) -> None:
        self._limits = limits
        self._manager = manager
        self._deadline = time.monotonic() + limits.total_seconds
        self._room = limits.output * MEBI
        super().__init__(
            notebook,
            km=manager,
            allow_errors=True,
            skip_cells_with_tag="",
            store_widget_state=False,
            startup_timeout=START_SECONDS,
            iopub_timeout=IOPUB_SECONDS,
            timeout_func=lambda cell: min(limits.cell_seconds, self._deadline - time.monotonic()),
            error_on_timeout={"ename": "TimeLimit", "evalue": "", "traceback": []},
            interrupt_on_timeout=True,
        )
        self.log = logging.getLogger("autograder.sandbox")
        self.log.setLevel(logging.CRITICAL)

    async def run(self, cell: NotebookNode, done: Execution) -> bool:
        """Run one cell; False if nothing can be run after it, and then the reason is noted."""
        seconds = min(self._limits.cell_seconds, self._deadline - time.monotonic())
        start = time.monotonic()
        garbled = False
        try:
            await self.async_execute_cell(cell, self.nb.cells.index(cell))
        except (DeadKernelError, CellTimeoutError, RuntimeError):
            pass
        except Exception:  # nbclient and Jupyter's client raise whatever comes when a message has not the form of one
            garbled = True
        ending = self._manager.sandboxed.ending
        if self._room < 0:
            done.limits[cell.id] = "output"
        elif time.monotonic() - start >= seconds:
            done.limits[cell.id] = "cell" if seconds == self._limits.cell_seconds else "total"
            return seconds == self._limits.cell_seconds and await self._took_interrupt()
        elif ending is not None:
            done.limits[cell.id] = ending["why"] if ending["why"] in ("memory", "processes") else "died"
        elif garbled:
            done.limits[cell.id] = "garbled"
        return cell.id not in done.limits

    async def _took_interrupt(self) -> bool:
        """Whether the kernel has stopped what it did, and can do something else."""
        assert self.kc is not None
        request = self.kc.kernel_info()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(INTERRUPT_SECONDS):
                while (await self.kc.shell_channel.get_msg())["parent_header"].get("msg_id") != request:
                    pass
            return True
        return False

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> Any:
        """Count what comes in; what is too much ends the kernel."""
        if msg["msg_type"] != "status":
            self._room -= len(json.dumps(msg["content"]))
        if self._room < 0:
            cell.outputs = []
            raise DeadKernelError("too much output")
        return super().process_message(msg, cell, cell_index)

"""Kernels from the fork server, as Jupyter's client takes them."""

import asyncio
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase

from autograder.sandbox.forkserver import Kernels
from autograder.sandbox.limits import MEBI, Limits


class Sandboxed(KernelProvisionerBase):
    """One kernel of a fork server. It is interrupted by a message and ended by the server; nothing else reaches it."""

    def use(self, server: Kernels, limits: Limits) -> None:
        """Say which server is to fork the kernel, and its limits."""
        self._server, self._limits = server, limits
        self.ending: dict[str, Any] | None = None

    @property
    def has_process(self) -> bool:
        """Whether there is a kernel."""
        return self.ending is None

    async def poll(self) -> int | None:
        """None while the kernel runs."""
        if self.ending is None:
            self.ending = self._server.ended(0)
        return None if self.ending is None else 1

    async def wait(self) -> int | None:
        """Wait until it has ended."""
        while await self.poll() is None:
            await asyncio.sleep(0.02)
        return 1

    async def send_signal(self, signum: int) -> None:
        """A kernel in a namespace of its own gets no signals from outside."""

    async def kill(self, restart: bool = False) -> None:
        """End it, and all that it started."""
        if self.ending is None:
            self.ending = self._server.stop()

    async def terminate(self, restart: bool = False) -> None:
        """The same: there is nothing that a kernel should do before."""
        await self.kill()

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Have it forked, and say how to connect to it."""
        return self._server.start(self._limits)

    async def cleanup(self, restart: bool = False) -> None:
        """Leave nothing of it."""
        await self.kill()

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """There is no command to be prepared."""
        return {**await super().pre_launch(**kwargs), "cmd": []}


class Manager(AsyncKernelManager):
    """A manager whose kernel a fork server forks. A message that is larger than all output may be ends the connection."""

    def __init__(self, server: Kernels, limits: Limits) -> None:
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, 2 * limits.output * MEBI)
        super().__init__(context=context, transport="ipc", connection_file=str(server.connection_file))
        self._kernel_spec = KernelSpec(display_name="Python 3", language="python", interrupt_mode="message")
        self.sandboxed = Sandboxed(kernel_id="submission", kernel_spec=self._kernel_spec, parent=self)
        self.sandboxed.use(server, limits)
        self.provisioner = self.sandboxed

"""The kernel of a submission: ipykernel on unix sockets."""

import os
import sys

import probing
from ipykernel.kernelapp import IPKernelApp
from traitlets.config import Config

MOST_CALLS = 10


def run(connection, sockets, seal):
    """Serve one submission until it is told to stop.

    Args:
        connection: the key and the numbers of the sockets.
        sockets: the folder that they are made in.
        seal: called when they are made and before any code of a student runs.
    """
    config = Config()
    config.Session.key = connection["key"].encode()
    config.HistoryManager.enabled = False
    config.IPKernelApp.log_level = "CRITICAL"
    ports = {name: number for name, number in connection.items() if name.endswith("_port")}
    app = IPKernelApp.instance(config=config, transport="ipc", ip=f"{sockets}/k", **ports)
    app.initialize([])
    app.shell.events.register("post_run_cell", probing.keep)
    app.shell.set_custom_exc((RecursionError,), shorten)
    seal()
    app.start()


def shorten(shell, kind, error, trace, tb_offset=None):
    """Show an error from a recursion without end by its first calls; to look up all of them takes IPython 10 seconds."""
    last = trace
    for _ in range(MOST_CALLS):
        last = last.tb_next or last
    last.tb_next = None
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def silence():
    """Close all that was inherited, so that nothing leads back to the server."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.closerange(3, 1024)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115

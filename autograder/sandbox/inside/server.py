"""The fork server: it holds the packages that notebooks import, and forks a jailed kernel for each submission.

Orders come on standard input and answers go to standard output, one JSON object a line. One kernel runs at a time.
"""

import contextlib
import importlib
import json
import os
import select
import signal
import sys
import traceback
from pathlib import Path

import jail
import kernel

PAGE = os.sysconf("SC_PAGESIZE")
EVERY = 0.03  # seconds between two looks at what a submission uses


def main():
    """Import, and then serve one order after the other."""
    if Path(__file__).parent != Path("/opt/sandbox") or os.getppid() != 1:
        sys.exit("this kills every process that it sees; it is for the inside of a sandbox only")
    settings = receive()
    for name in settings["preload"]:
        importlib.import_module(name)
    answer(ready=True)
    while True:
        order = receive()
        if "connection" in order:
            answer(**supervise(fork({**order, "kept": settings["kept"]}), order["limits"]))


def fork(order):
    """Fork the keeper of the new namespaces, which forks their first process, which forks the kernel."""
    keeper = os.fork()
    if keeper == 0:
        try:
            kernel.silence()
            jail.unshare()
            inside(in_namespaces, order)
        finally:
            os._exit(1)
    return keeper


def in_namespaces(order):
    """The first process of the new namespaces: it makes the file system, and the kernel runs beside it."""
    jail.build(order["name"], order["limits"]["disk_bytes"], order["kept"])
    inside(in_jail, order, before=jail.guard)


def in_jail(order):
    """The kernel itself."""
    kernel.run(order["connection"], jail.KERNEL, lambda: jail.seal(**order["limits"]["own"]))


def inside(function, *arguments, before=None):
    """Run a function in a fork, and end this process as the fork ends. The first process of a namespace reaps all others."""
    child = os.fork()
    if child == 0:
        try:
            function(*arguments)
        except BaseException:
            report = traceback.format_exc()
            Path(jail.KERNEL, "failed").write_text(report) if os.access(jail.KERNEL, os.W_OK) else None
            os._exit(3)
        finally:
            os._exit(0)
    if before:
        before()
    while True:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def supervise(keeper, limits):
    """Watch a submission until it ends, is to be stopped, or takes too much; then nothing of it is left."""
    why, most = None, 0
    while why is None:
        if os.waitpid(keeper, os.WNOHANG) != (0, 0):
            why = "ended"
        elif select.select([0], [], [], EVERY)[0]:
            receive()
            why = "stopped"
        elif len(pids := others()) > limits["processes"]:
            why = "processes"
        else:
            memory, threads = usage(pids)
            most = max(most, memory)
            why = "memory" if memory > limits["memory_bytes"] else "processes" if threads > limits["threads"] else None
    kill_all(keeper)
    return {"why": why, "memory": most}


def others():
    """The processes that are neither this one nor bubblewrap's: all that a submission has, and the two that keep it."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) not in (1, os.getpid())]


def usage(pids):
    """The bytes of memory that processes use beside what they inherited from this one, and their threads.

    More precise figures take a lock of each process; processes that multiply would make this one wait, and win the race.
    """
    inherited = own_memory(os.getpid())
    memory = threads = 0
    for pid in pids:
        try:
            memory += max(0, own_memory(pid) - inherited)
            threads += len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            continue  # it has ended meanwhile
    return memory, threads


def own_memory(pid):
    """The bytes of memory of a process that come from no file."""
    resident, shared = Path(f"/proc/{pid}/statm").read_text().split()[1:3]
    return PAGE * (int(resident) - int(shared))


def kill_all(keeper):
    """The first process of the namespaces dies with its keeper, and all others in them with the first, however many there are."""
    kill(keeper)
    while pids := others():
        for pid in pids:
            kill(pid)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def kill(pid):
    """Kill a process, if it is still there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


_rest = b""


def receive():
    """The next order. When there will be no more, this process ends."""
    global _rest
    while b"\n" not in _rest:
        more = os.read(0, 1 << 16)
        if not more:
            os._exit(0)  # and bubblewrap ends all others
        _rest += more
    line, _, _rest = _rest.partition(b"\n")
    return json.loads(line)


def answer(**values):
    """Write one answer."""
    os.write(1, json.dumps(values).encode() + b"\n")


if __name__ == "__main__":
    main()

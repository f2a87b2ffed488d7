"""Attempts to use up what there is, to hang, and to die in a way that takes others along. All are bounded by the sandbox' limits."""
# ruff: noqa: E501  # code of attacks, as a student would paste it

import os
from pathlib import Path
from typing import Any

from .assignment import WRONG, Material
from .case import Case, as_bytes, attack, cell, filled, forged

# Each hits the limit that is named.
LIMITS = {
    "an endless loop": ("cell", "while True: pass"),
    "a loop that takes no interrupt": (
        "cell",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ),
    "a hang in a regular expression": ("cell", "import re; re.match('(a+)+$', 'a' * 40 + 'b')"),
    "a process that stops itself": ("cell", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)"),
    "cells that each take their time": ("cell", "import time\ntime.sleep(99)"),
    "waiting for a thread that does not end": (
        "cell",
        "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()",
    ),
    "closed streams": ("cell", "import sys; sys.stdout.close(); sys.stderr.close(); sys.stdout = sys.stderr = None"),
    "no messages any more": ("cell", "import zmq\nget_ipython().kernel.iopub_thread.stop()"),
    "a process that ends": ("died", "import os; os._exit(0)"),
    "a process that kills itself": ("died", "import os; os.kill(os.getpid(), 9)"),
    "a segmentation fault": ("died", "import ctypes; ctypes.string_at(0)"),
    "an abort": ("died", "import os; os.abort()"),
    "deep recursion without a limit": (
        "died",
        "import sys; sys.setrecursionlimit(10**9)\nclass R:\n    def __repr__(self): return repr([self])\nrepr(R())",
    ),
    "closing every descriptor": ("died", "import os; os.closerange(0, 1024)"),
    "a loop of prints": ("output", "while True: print('x' * 1000)"),
    "one enormous print": ("output", "print('x' * 10_000_000)"),
    "an enormous picture": (
        "output",
        "from IPython.display import display\ndisplay({'image/png': 'A' * 30_000_000}, raw=True)",
    ),
    "prints from a thread": (
        "output",
        "import threading\ndef talk():\n    while True: print('x' * 1000)\nthreading.Thread(target=talk, daemon=True).start()\nimport time\ntime.sleep(9)",
    ),
    "memory in other processes": (
        "memory",
        "import os, time\nfor _ in range(5):\n    if not os.fork(): x = bytearray(b'1') * (250 << 20); time.sleep(9)\ntime.sleep(9)",
    ),
    "forks of forks": ("processes", "import os\nwhile True: os.fork()"),
    "threads without end": (
        "processes",
        "import threading, time\nfor _ in range(500): threading.Thread(target=time.sleep, args=(9,)).start()",
    ),
}

# Each fails in the student's own cell or test, and the rest goes on.
REFUSED = {
    "all memory at once": "x = bytearray(b'1') * (8 << 30)",
    "a tensor of all memory": "x = torch.ones(8 << 27)",
    "one file that fills the disk": "with open('big', 'wb') as file:\n    while True: file.write(bytes(1 << 20))",
    "files that fill the disk": "for i in range(99):\n    with open(f'/tmp/{i}', 'wb') as file: file.write(bytes(4 << 20))",
    "files that fill shared memory": "for i in range(99):\n    with open(f'/dev/shm/{i}', 'wb') as file: file.write(bytes(4 << 20))",
    "more files than there can be": "import os\nfor i in range(40_000): os.mkdir(f'/tmp/{i}')",
    "every descriptor": "import os\nkept = []\nwhile True: kept.append(open('/dev/null'))",
    "recursion without end": "def f(): return f()\nf()",
    "leaving": "import sys; sys.exit(0)",
    "asking for input": "input('password? ')",
    "what happens at the end": "import atexit, time\natexit.register(lambda: time.sleep(4321))\nclass D:\n    def __del__(self): time.sleep(4321)\nd = D()",
    "threads that go on": "import threading, time\nfor _ in range(9): threading.Thread(target=time.sleep, args=(4321,)).start()",
    "signals that are not heard": "import signal\nfor n in (1, 2, 3, 13, 14, 15): signal.signal(n, signal.SIG_IGN)\nsignal.alarm(1)",
}

IN_TESTS = {
    "hanging in hidden tests": ("cell", "import time; time.sleep(4321)"),
    "leaving in hidden tests": ("", "raise SystemExit"),
    "dying in hidden tests": ("died", "import os; os._exit(0)"),
    "interrupting hidden tests": ("", "raise KeyboardInterrupt"),
}
UNSEEN = """
def only_unseen(x, *rest):
    import sys
    if "hidden" in sys._getframe(1).f_code.co_filename:
        {}
    return x
center = gaussian_kl = direction = only_unseen
"""


def _grow(notebook: dict[str, Any], cells: int = 0, characters: int = 0) -> None:
    notebook["cells"] += [cell("x = 1" + " " * characters) for _ in range(cells)]


def _name_a_kernel(notebook: dict[str, Any]) -> None:
    notebook["metadata"] = {"kernelspec": {"name": "../../../bin/sh", "language": "sh", "display_name": "\u202eevil"}}


def _attach(notebook: dict[str, Any]) -> None:
    data = {"text/html": "<script>alert(1)</script>", "image/svg+xml": "<svg onload='alert(1)'/>", "image/png": "bm8="}
    notebook["cells"].append({**cell("", "markdown"), "attachments": {"../../gradebook.db": data, "a.png": data}})


def _use_no_text(notebook: dict[str, Any]) -> None:
    notebook["cells"].append(cell("x = '\ud800\0'"))


def _link(target: str) -> Any:
    def place(path: Path, content: bytes) -> None:
        course = path.parents[3]
        path.symlink_to(course / target if target else path)

    return place


def _linked_folder(path: Path, content: bytes) -> None:
    elsewhere = path.parents[3] / "submitted" / "someone-else" / path.parent.name
    path.parent.rmdir()
    path.parent.symlink_to(elsewhere)


def _deep(material: Material) -> bytes:
    return b'{"nbformat": 4, "cells": ' + b"[" * 2_000_000


def _deep_outputs(material: Material) -> bytes:
    text = as_bytes(filled(material, WRONG))
    return text.replace(b'"outputs": []', b'"outputs": [' + b"[" * 900 + b"]" * 900 + b"]", 1)


FILES = [
    forged("thousands of cells", lambda n: _grow(n, cells=5000), problem="cells; it may have"),
    forged("an enormous cell", lambda n: _grow(n, cells=1, characters=3_000_000), problem="characters"),
    forged("a kernel of its own", _name_a_kernel, note="another language"),
    forged("attachments that are no pictures", _attach, note="Attachments"),
    forged("characters that are no text", _use_no_text, note="Characters"),
    Case("an enormous file", "hostile", lambda m: b" " * (21 << 20), problem="larger than 20 MiB"),
    Case("brackets without end", "hostile", _deep, problem="RecursionError"),
    Case("brackets almost without end", "hostile", _deep_outputs),
    Case("a number without end", "hostile", lambda m: b'{"nbformat": ' + b"4" * 4_000_000 + b"}", problem="format"),
    Case("a link to the source", "hostile", place=_link("source/corpus/torch.ipynb"), problem="link"),
    Case(
        "a link to another student's",
        "hostile",
        place=_link("submitted/someone-else/corpus/torch.ipynb"),
        problem="link",
    ),
    Case("a link to the gradebook", "hostile", place=_link("gradebook.db"), problem="link"),
    Case("a link to itself", "hostile", place=_link(""), problem="link"),
    Case("a folder that is a link", "hostile", place=_linked_folder, problem="folder"),
    Case("a folder in its place", "hostile", place=lambda path, content: path.mkdir(), problem="not a file"),
    Case("a pipe in its place", "hostile", place=lambda path, content: os.mkfifo(path), problem="not a file"),
]

CASES: list[Case] = [
    *FILES,
    *(attack(name, code, limit=limit) for name, (limit, code) in LIMITS.items()),
    *(attack(name, code) for name, code in REFUSED.items()),
    *(attack(name, UNSEEN.format(do), after="direction", limit=limit) for name, (limit, do) in IN_TESTS.items()),
]

"""A notebook in the sandbox: outputs, values of hidden tests, and what happens at each limit."""

import base64

import numpy as np
import psutil
import pytest

from autograder import notebooks
from autograder.sandbox.execution import Execution, Probe, execute
from autograder.sandbox.limits import Limits
from autograder.sandbox.unprotected import UnprotectedKernels

FOUR_TIMES_200_MIB = """
import os, time
for _ in range(4):
    if not os.fork():
        x = bytearray(b"1") * (200 << 20)
        time.sleep(9)
time.sleep(9)
"""
TIGHT = Limits(memory=500, disk=16, file=8, processes=10, threads=60, output=1, cell_seconds=6, total_seconds=20)


@pytest.fixture(scope="module", params=["sandbox", "no sandbox"])
def kernels(request):
    if request.param == "sandbox":
        yield request.getfixturevalue("server")
    else:
        made = UnprotectedKernels()
        yield made
        made.close()


def notebook(*cells):
    return notebooks.new([notebooks.new_cell("code", text, f"c{number}") for number, text in enumerate(cells)], {})


def run(kernels, *cells, limits=TIGHT, **probes):
    hidden = {name: Probe(code, 7) for name, code in probes.items()}
    return execute(kernels, notebook(*cells), hidden, limits)


def numbers(entry):
    return {
        name: np.frombuffer(base64.b64decode(value["data"]), value["array"]).reshape(value["shape"]).tolist()
        for name, value in entry["values"]
    }


@pytest.mark.slow
def test_outputs_and_values(kernels):
    done = run(kernels, "print('hello')", "1 / 0", "x = 3", c2="probe(x=x, draws=draw.normal(size=2))", c1="nothing")
    assert [output["text"] for output in done.outputs["c0"]] == ["hello\n"]
    assert [output["ename"] for output in done.outputs["c1"]] == ["ZeroDivisionError"]
    assert numbers(done.values["c2"]) == {"x": 3, "draws": np.random.default_rng(7).normal(size=2).tolist()}
    assert done.values["c1"] == {"values": [], "error": "NameError"}
    assert done.limits == {}
    assert Execution.from_bytes(done.to_bytes()) == done


@pytest.mark.slow
def test_a_hidden_test_sees_the_names_of_its_own_cell(kernels):
    """What a later cell does to a name changes nothing; what a hidden test does is not seen by the next."""
    done = run(kernels, "f = lambda: 1", "f = lambda: 2", c0="f = f(); probe(f=f)", c1="probe(f=f())")
    assert numbers(done.values["c0"]) == {"f": 1}
    assert numbers(done.values["c1"]) == {"f": 2}


@pytest.mark.slow
def test_outputs_of_hidden_tests_are_not_shown(kernels):
    late = "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.5), print('late'))).start()"
    show = "from IPython.display import display\nshown = display('first', display_id=True)"
    done = run(kernels, late, show, c1="import time; print('secret'); shown.update('secret'); time.sleep(1)")
    assert "secret" not in str(done.outputs)
    assert "late" not in str(done.outputs)
    assert "first" in str(done.outputs["c1"])


@pytest.mark.slow
def test_the_next_submission_starts_afresh(kernels):
    run(kernels, "import torch, os; torch.ones = None; x = 1; open('left', 'w').close(); os.environ['LEFT'] = '1'")
    done = run(kernels, "import torch, os; print(torch.ones(1).item(), 'x' in dir(), os.environ.get('LEFT'))")
    assert done.outputs["c0"][0]["text"] == "1.0 False None\n"


@pytest.mark.slow
def test_a_loop_without_end_costs_its_own_cell_alone(kernels):
    done = run(kernels, "while True: pass", "print(1)", c1="probe(x=1)")
    assert done.limits == {"c0": "cell"}
    assert done.outputs["c1"][0]["text"] == "1\n"
    assert numbers(done.values["c1"]) == {"x": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("import re; re.match('(a+)+$', 'a' * 40 + 'b')", "cell"),  # does not listen to interrupts
        ("import os; os._exit(0)", "died"),
        ("import ctypes; ctypes.string_at(0)", "died"),
        ("print('x' * 10_000_000)", "output"),
        ("while True: print('x' * 1000)", "output"),
    ],
)
def test_limits_that_hold_everywhere(kernels, code, limit):
    done = run(kernels, code, "print(1)", c1="probe(x=1)")
    assert done.limits == {"c0": limit}
    assert done.values == {}
    assert TIGHT.message(limit)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "limit"),
    [
        ("import os\nwhile True: os.fork()", "processes"),
        (
            "import threading, time\nfor _ in range(99): threading.Thread(target=time.sleep, args=(9,)).start()",
            "processes",
        ),
        (FOUR_TIMES_200_MIB, "memory"),
    ],
)
def test_limits_of_the_sandbox(server, code, limit):
    # On a busy machine the time may be up before anything else is.
    assert run(server, code).limits in ({"c0": limit}, {"c0": "cell"})
    assert run(server, "print(1)").outputs["c0"][0]["text"] == "1\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("x = bytearray(b'1') * (3 << 30)", "MemoryError"),
        ("import torch; x = torch.ones(3 << 28)", "RuntimeError"),
        ("open('big', 'wb').write(bytes(9 << 20))", "OSError"),
        ("for i in range(4): open(f'big{i}', 'wb').write(bytes(7 << 20))", "OSError"),
        ("import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)", "OSError"),
        ("open('/usr/x', 'w')", "OSError"),
        ("open('/run/kernel/x', 'w')", "OSError"),
        ("import os; os.chroot('/tmp')", "PermissionError"),
        ("input('name?')", "StdinNotImplementedError"),
    ],
)
def test_what_the_sandbox_refuses(server, code, error):
    done = run(server, code, "print(1)")
    assert error in [output.get("ename") for output in done.outputs["c0"]]
    assert done.outputs["c1"][0]["text"] == "1\n"


@pytest.mark.slow
def test_what_can_be_seen(server):
    """Python, the packages, aelib; no other process, no home, no course, no environment of ours."""
    seen = "os.listdir('/proc'), os.listdir('/run/sockets'), os.listdir('.'), os.getuid()"
    code = f"import os, aelib, torch; print(sorted(os.environ), {seen})"
    (output,) = run(server, code).outputs["c0"]
    assert "HOME" in output["text"]
    for hidden in ("OLDPWD", "VIRTUAL_ENV", "PYTEST", "'1'", "'self'"):
        assert hidden not in output["text"]
    assert output["text"].endswith("[] ['.local', '.ipython'] 1000\n")


@pytest.mark.slow
def test_nothing_survives(server):
    code = (
        "import os, time\nif not os.fork():\n    os.setsid()\n    if not os.fork(): time.sleep(1234)\n    os._exit(0)"
    )
    before = {process.pid for process in psutil.process_iter()}
    done = run(server, code)
    assert done.limits == {}
    after = {process.pid: process for process in psutil.process_iter()}
    mine = [p for pid, p in after.items() if pid not in before and server.pid in {a.pid for a in p.parents()}]
    assert mine == []

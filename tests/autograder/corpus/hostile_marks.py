"""Wrong answers that try to look like right ones."""
# ruff: noqa: E501  # code of attacks, as a student would paste it

from typing import Any

from .case import Case, at, attack, cell, forged


def _tag_tests(notebook: dict[str, Any]) -> None:
    for one in notebook["cells"]:
        if one["metadata"]["nbgrader"]["grade"]:
            one["metadata"]["tags"] = ["skip-execution", "raises-exception", "nbval-skip"]


def _weaken_tests(notebook: dict[str, Any]) -> None:
    for one in notebook["cells"]:
        if one["metadata"]["nbgrader"]["grade"]:
            one["source"] = "1000.0"  # nbgrader takes the value of the last line for a mark


def _raise_points(notebook: dict[str, Any]) -> None:
    for one in notebook["cells"]:
        if one["metadata"]["nbgrader"]["grade"]:
            one["metadata"]["nbgrader"]["points"] = 100


def _make_solution_graded(notebook: dict[str, Any]) -> None:
    one = notebook["cells"][at(notebook, "center")]
    one["metadata"]["nbgrader"] |= {"grade": True, "points": 50}


def _add_graded_cell(notebook: dict[str, Any]) -> None:
    label = {"grade": True, "solution": False, "locked": True, "task": False, "points": 50, "schema_version": 3}
    notebook["cells"].append(cell("50.0", nbgrader={**label, "grade_id": "bonus"}))


def _double_tests(notebook: dict[str, Any]) -> None:
    for name in ("center-values", "kl-values"):
        one = notebook["cells"][at(notebook, name)]
        notebook["cells"].insert(0, {**one, "id": f"copy-{name}", "source": "passed = True"})


def _almost_the_same_names(notebook: dict[str, Any]) -> None:
    for one in notebook["cells"]:
        label = one["metadata"]["nbgrader"]
        label["grade_id"] = (
            label["grade_id"].replace("e", "\u0435") + "\u200b"
        )  # a Cyrillic letter, and a blank of no width


def _fake_outputs(notebook: dict[str, Any]) -> None:
    passed = {"data": {"text/plain": "1000.0"}, "metadata": {}, "output_type": "execute_result", "execution_count": 1}
    for one in notebook["cells"]:
        if one["cell_type"] == "code":
            one["outputs"] = [passed]


def _forge_the_graders_notes(notebook: dict[str, Any]) -> None:
    notebook["metadata"]["autograder"] = {"notes": [], "problem": "", "seconds": 0, "score": 1000}


FORGED = [
    forged("tags that skip the tests", _tag_tests, note="The tag skip-execution"),
    forged("tests that give a thousand points", _weaken_tests, note="not as they were released"),
    forged("labels with more points", _raise_points, note="labels"),
    forged("a solution that is labeled as graded", _make_solution_graded, note="labels"),
    forged("one more graded cell", _add_graded_cell, note="a label that the assignment does not have"),
    forged("copies of tests before the tests", _double_tests, note="more than once"),
    forged("grade ids that only look the same", _almost_the_same_names, note="labels of these cells were lost"),
    forged("outputs of tests that passed", _fake_outputs),
    forged("forged notes of the grader", _forge_the_graders_notes),
]

# What a hidden test hands out must be right, so each of these hands out something else, for every test.
VALUES = {
    "NaN": "torch.full_like(x, float('nan'))",
    "infinities": "torch.full_like(x, float('inf'))",
    "numbers near the largest": "torch.full_like(x, 1e308)",
    "complex numbers": "x * 1j",
    "truth": "True",
    "no numbers": "torch.zeros(0)",
    "an axis of enormous length": "torch.zeros(2**40, 0)",
    "twenty axes": "torch.zeros([1] * 20)",
    "a sparse tensor": "torch.sparse_coo_tensor([[0]], [1.0], (2**40,))",
    "a tensor without numbers": "torch.zeros(3, device='meta')",
    "text": "'1.0'",
    "nothing": "None",
    "deep nesting": "__import__('functools').reduce(lambda a, b: [a], range(900), 0)",
    "a list that holds itself": "(lambda a: a.append(a) or a)([])",
    "objects": "np.array([object()] * 3, dtype=object)",
    "a type named as a secret": "type('x' * 39, (), {})()",
}
SAME = "center = gaussian_kl = direction = lambda x, *rest: {}"
RETURNED = [
    attack(f"functions that return {name}", SAME.format(code), after="direction") for name, code in VALUES.items()
]

AGREEABLE = """
class Same({base}):
    def __eq__(self, other): return True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: 0
    __le__ = __lt__ = __ge__ = __gt__ = __eq__
    __array__ = lambda self, *a, **k: self
    __float__ = lambda self: 0.0
    __bool__ = lambda self: True
    isclose = allclose = all = __call__ = __getitem__ = lambda self, *a, **k: self
    reshape = detach = cpu = numpy = resolve_conj = resolve_neg = __sub__ = __abs__ = __call__
    {more}
def center(x): return {make}
gaussian_kl = direction = lambda x, *rest: center(x)
"""
AGREEING = [
    attack(
        f"a {name} that is equal to everything", AGREEABLE.format(base=base, more=more, make=make), after="direction"
    )
    for name, base, more, make in (
        ("object", "object", "__class__ = torch.Tensor", "Same()"),
        ("tensor", "torch.Tensor", "", "torch.zeros(5, 3).as_subclass(Same)"),
        ("number", "float", "", "Same(0.0)"),
        ("text", "str", "isidentifier = __call__ = lambda self: True", "Same('x')"),
        ("list", "list", "", "Same([1])"),
        ("dict", "dict", "items = lambda self: [(Same(), Same())]", "Same()"),
    )
]

PATCHES = {
    "no asserts, by a transformer of trees": """
import ast
class NoAsserts(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.Pass()
get_ipython().ast_transformers.append(NoAsserts())
""",
    "no asserts, by a transformer of text": """
get_ipython().input_transformers_post.append(lambda lines: [l.replace("assert", "pass;") for l in lines])
get_ipython().input_transformers_cleanup.append(lambda lines: ["pass\\n"] if "probing" in str(lines) else lines)
""",
    "a shell that runs no cells": """
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult
async def run(self, code, *rest, **more): return ExecutionResult(ExecutionInfo(code, False, True, True, None))
type(get_ipython()).run_cell_async = run
type(get_ipython()).run_cell = lambda self, code, *rest, **more: ExecutionResult(ExecutionInfo(code, False, True, True, None))
""",
    "a display hook that shows a result": """
import sys
sys.displayhook = get_ipython().display_formatter.format = lambda *a, **k: ({"text/plain": "1000.0"}, {})
get_ipython().displayhook.write_format_data({"text/plain": "1000.0"})
""",
    "comparisons that are always true": """
import operator, math, numpy.testing, builtins
for place, names in ((torch, "allclose equal isclose eq"), (torch.testing, "assert_close"), (math, "isclose"), (operator, "eq le ge"),
                     (np, "allclose isclose array_equal all"), (numpy.testing, "assert_allclose assert_array_equal"), (builtins, "abs all any")):
    for name in names.split(): setattr(place, name, lambda *a, **k: True)
torch.Tensor.__eq__ = torch.Tensor.allclose = lambda *a, **k: True
""",
    "a probe that hands out zeros": """
import probing
encode = probing.encode
probing.encode = lambda value, depth=6: encode(torch.zeros_like(value) if isinstance(value, torch.Tensor) else value)
""",
    "a hidden test that is not run": """
import probing
from IPython.display import display
zero = probing.encode(0.0)
names = [["x_c", "x_c"], ["kl", "kl"], ["kl", "kl"], ["w", "w"]]
probing.run = lambda *a: display({probing.MIME: {"values": [[n, zero] for n in names.pop(0)], "error": None}}, raw=True)
""",
    "values of a hidden test that cannot be read": """
import probing
from IPython.display import display
probing.run = lambda *a: display({probing.MIME: {"values": {"passed": True}, "error": [{}], "score": 1000}}, raw=True)
""",
    "hidden values without an end": """
import probing
from IPython.display import display
deep = 0
for _ in range(5000): deep = [deep]
probing.run = lambda *a: display({probing.MIME: {"values": deep}}, raw=True)
""",
    "base64 and JSON that lie": """
import base64, json
base64.b64encode = lambda data: b"AAAA"
json.dumps = lambda *a, **k: '{"passed": true}'
""",
    "exec that runs something else": """
import builtins
builtins.exec = lambda code, names: names["probe"](x_c=0, kl=0, w=0)
builtins.compile = lambda *a, **k: None
""",
    "draws that are all the same": """
class Zeros:
    normal = random = uniform = integers = lambda self, *a, size=(), **k: np.zeros(size)
np.random.default_rng = lambda seed=None: Zeros()
""",
    "tensors that are all zero": """
tensor = torch.tensor
torch.tensor = lambda data, **k: tensor(np.zeros(np.shape(data)))
""",
    "values published before the tests": """
from IPython.display import display
value = {"array": "<f8", "shape": [], "data": "AAAAAAAAAAA="}
display({"application/vnd.autograder.values+json": {"values": [["x_c", value], ["x_c", value]], "error": None}}, raw=True)
""",
    "values published all the time": """
import threading, time, probing
kernel = get_ipython().kernel
def publish():
    value = probing.encode(0.0)
    while True:
        data = {probing.MIME: {"values": [["x_c", value]] * 2, "error": None}}
        for parent in (kernel.get_parent("shell"), {}):
            kernel.session.send(kernel.iopub_socket, "display_data", {"data": data, "metadata": {}}, parent=parent)
        time.sleep(0.05)
threading.Thread(target=publish, daemon=True).start()
""",
    "replies before the cell is run": """
kernel = get_ipython().kernel
for stream in (kernel.shell_stream, kernel.control_stream):
    for parent in (kernel.get_parent("shell"), kernel.get_parent("control"), {}):
        for kind in ("execute_reply", "shutdown_reply", "kernel_info_reply", "comm_open", "input_request", "interrupt_reply"):
            kernel.session.send(stream, kind, {"status": "ok", "execution_count": 1, "payload": [{}]}, parent=parent)
""",
    "messages without form": """
kernel = get_ipython().kernel
parent = kernel.get_parent("shell")
for content in ({}, [], None, 1, {"data": 1}, {"name": {}}, {"execution_state": []}, {"data": {"a": [1]}, "transient": {"display_id": []}}):
    for kind in ("stream", "display_data", "update_display_data", "error", "clear_output", "execute_input", "comm_open", "nonsense"):
        kernel.session.send(kernel.iopub_socket, kind, content, parent=parent)
""",
    "bytes that are no message": """
kernel = get_ipython().kernel
import threading
socket = getattr(kernel.iopub_socket, "socket", None) or kernel.iopub_thread.socket
for parts in ([b"x"], [b"", b"<IDS|MSG>"], [b"<IDS|MSG>", b"bad", b"{", b"{", b"{", b"{"], [bytes(1000)] * 9):
    getattr(kernel.iopub_thread, "send_multipart", socket.send_multipart)(parts)
""",
}
GARBLED = ("base64 and JSON that lie", "messages without form", "bytes that are no message")
PATCHED = [attack(name, code, limit="garbled" if name in GARBLED else "") for name, code in PATCHES.items()]

CASES: list[Case] = FORGED + RETURNED + AGREEING + PATCHED

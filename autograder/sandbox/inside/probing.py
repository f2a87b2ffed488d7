"""The hidden tests' side in the student's process: it runs their code and hands out the values; it knows no right ones."""

import base64
import random

import numpy
import torch
from IPython import get_ipython
from IPython.display import display

MIME = "application/vnd.autograder.values+json"
MOST_BYTES, DEPTH = 8 << 20, 6

snapshots = {}


def keep(result):
    """After each cell: remember what the names stand for, so that what is done to them later changes no test."""
    # Some magics run cells within a cell; the message that asked for it all is one.
    snapshots[get_ipython().kernel.get_parent("shell")["header"]["msg_id"]] = dict(get_ipython().user_ns)


def run(code, after, seed):
    """Run one hidden test with the names as they stood after the cell of that number, and show its values."""
    names = get_ipython().user_ns  # in place, because functions look up their names there too
    kept = list(snapshots.values())[:after]
    if kept:
        names.clear()
        names.update(kept[-1])
    display({MIME: hand_out(code, names, seed)}, raw=True)


def hand_out(code, names, seed):
    """What the code of a hidden test hands out: its values as JSON, with their names, and the type of the error that ended it."""
    values, error = [], None

    def probe(**named):
        values.extend([name, encode(value)] for name, value in named.items())

    names.update(probe=probe, draw=numpy.random.default_rng(seed))
    for seeding in (random.seed, numpy.random.seed, torch.manual_seed):
        seeding(seed % 2**32)
    try:
        exec(compile(code, "<hidden test>", "exec"), names)
    except BaseException as caught:
        error = type(caught).__name__
    return {"values": values, "error": error}


def encode(value, depth=DEPTH):
    """A value as JSON, or the name of its type if it is none that tests know."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = (value.float() if value.dtype is torch.bfloat16 else value).resolve_conj().resolve_neg().numpy()
    if isinstance(value, (bool, int, float, complex, numpy.ndarray, numpy.generic)):
        array = numpy.asarray(value)
        if array.dtype.kind in "biufc" and array.nbytes <= MOST_BYTES:
            data = base64.b64encode(numpy.ascontiguousarray(array).tobytes()).decode()
            return {"array": array.dtype.newbyteorder("<").str, "shape": list(array.shape), "data": data}
    if value is None or isinstance(value, str):
        return {"text": value}
    if depth and isinstance(value, (tuple, list)):
        return {"items": [encode(item, depth - 1) for item in value]}
    if depth and isinstance(value, dict):
        return {"entries": [[str(name), encode(item, depth - 1)] for name, item in value.items()]}
    return {"other": type(value).__name__}

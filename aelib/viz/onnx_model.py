"""A function of tensors as an ONNX model, which other programs run without Python."""

import contextlib
import importlib.util
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


class _Function(nn.Module):
    """The exporter takes modules. The parameters that the function uses become constants."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, values: Tensor) -> Tensor:
        return self.function(values)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The exporter warns of its own insides, and of packages that it could use as well."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


FLOAT, HALF = 1, 10  # ONNX's numbers for types
FEW = 1000


def _store_halves(graph: Any) -> None:
    """Store large tensors with 16 bits for each number. They become 32 bits again before they are used."""
    for tensor in graph.initializer:
        if tensor.data_type == FLOAT and math.prod(tensor.dims) >= FEW:
            numbers = np.frombuffer(tensor.raw_data, dtype="<f4").astype("<f2")
            cast = type(graph.node[0])(op_type="Cast", input=[f"{tensor.name}_half"], output=[tensor.name])
            cast.attribute.add(name="to", type=2, i=FLOAT)  # type 2: a whole number
            graph.node.insert(0, cast)
            tensor.name, tensor.data_type, tensor.raw_data = cast.input[0], HALF, numbers.tobytes()


def onnx_model(function: Callable[[Tensor], Tensor], size: int) -> bytes:
    """The ONNX model of a function, with the input ``values`` of shape (1, size) and one output, ``result``.

    What the function does must not depend on what the values are, except through tensors: the exporter follows it once.
    The same function gives the same bytes. They are to be few: large tensors are rounded to 16 bits a number, which changes the
    result by about a thousandth.

    Raises:
        ImportError: if the packages that export a model are not installed.
    """
    missing = [package for package in ("onnx", "onnxscript") if importlib.util.find_spec(package) is None]
    if missing:
        raise ImportError(f"exporting a model needs {' and '.join(missing)}; install with: pip install onnx onnxscript")
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            _Function(function),
            (torch.zeros(1, size),),
            dynamo=True,
            verbose=False,
            input_names=["values"],
            output_names=["result"],
        )
    assert program is not None
    model = program.model_proto
    # The exporter notes where each operation comes from: files of this machine, and longer than the operation.
    graph = model.graph
    graph.ClearField("value_info")
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    _store_halves(graph)
    content: bytes = model.SerializeToString(deterministic=True)
    return content

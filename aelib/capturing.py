"""Steps that a GPU records once and then launches whole, so that it does not wait for Python between small operations."""

import logging
from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from aelib.stepping import Losses, Steps

WARM_UP = 3
"""Steps of one size that are taken as they are before the next is recorded; libraries choose their kernels in these."""

_log = logging.getLogger(__name__)


@runtime_checkable
class Recorder(Protocol):
    """What runs operations aside, and records them."""

    def aside(self, step: Callable[[], Any]) -> Any:
        """Run ``step`` where recordings are made, and give what it gives."""

    def record(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Record ``step`` without running it. Each call of the result runs it, and gives the same tensor with new values."""


class CudaGraphs:
    """Recordings as CUDA graphs. The default generator of the GPU is part of them, so noise is drawn anew at each replay."""

    def __init__(self) -> None:
        self._stream = torch.cuda.Stream()

    def aside(self, step: Callable[[], Any]) -> Any:
        """Run ``step`` on the stream that recordings are made on."""
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            result = step()
        torch.cuda.current_stream().wait_stream(self._stream)
        return result

    def record(self, step: Callable[[], Tensor]) -> Callable[[], Tensor]:
        """Record ``step`` as a graph."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self._stream):
            result = step()

        def replay() -> Tensor:
            graph.replay()
            return result

        return replay


class CapturedSteps:
    """The same steps as :class:`~aelib.stepping.Steps` takes, recorded for each size of batch and then replayed.

    A recording repeats the same operations on the same memory, whatever Python would decide now. So it is given up where a step
    changes numbers that the model keeps in Python, puts a tensor in the place of another, or has to wait for the device; steps
    are then taken as they are. It is made anew where such numbers have changed between two epochs, by ``on_epoch`` say.

    Args:
        steps: what a step does, in one process.
        model: what they train.
        recorder: what records them.
    """

    def __init__(self, steps: Steps, model: nn.Module, recorder: Recorder) -> None:
        self._steps = steps
        self._model = model
        self._recorder = recorder
        self._taken: dict[Any, int] = {}
        self._recordings: dict[Any, Callable[[Tensor, dict[str, Tensor]], Losses]] = {}
        self._fixed: dict[str, Any] | None = None
        self.why_not = ""  # why steps are taken as they are, if they are

    def new_epoch(self) -> None:
        """Forget the recordings if the model is not what it was when they were made."""
        fixed = fixed_state(self._model)
        if self._fixed != fixed:
            self._recordings, self._taken, self._fixed = {}, {}, fixed

    def __call__(self, x: Tensor, given: dict[str, Tensor], share: float) -> Losses:
        """Update the model once; arguments and result as in :class:`~aelib.stepping.Steps`."""
        if self.why_not:
            return self._steps(x, given, share)
        size = (x.shape, *((name, value.shape) for name, value in given.items()))
        if size not in self._recordings:
            self._taken[size] = self._taken.get(size, 0) + 1
            if self._taken[size] <= WARM_UP:
                losses: Losses = self._recorder.aside(lambda: self._steps(x, given, share))
                if fixed_state(self._model) != self._fixed:
                    self._give_up("a step changes what the model keeps in Python")
                return losses
            try:
                self._recordings[size] = self._record(x, given)
            except RuntimeError as error:
                self._give_up(str(error))
                return self._steps(x, given, share)
        return self._recordings[size](x, given)

    def _give_up(self, reason: str) -> None:
        self.why_not = reason
        self._recordings = {}
        _log.info("steps are not recorded as a graph: %s", reason)

    def _record(self, x: Tensor, given: dict[str, Tensor]) -> Callable[[Tensor, dict[str, Tensor]], Losses]:
        inputs = x.clone(), {name: value.clone() for name, value in given.items()}
        names: list[list[str]] = []

        def step() -> Tensor:
            losses = self._steps(*inputs, 1.0)
            names[:] = [list(terms) for _, terms in losses]
            # One tensor is read back with one copy.
            return torch.stack([value for total, terms in losses for value in (total, *terms.values())])

        recording = self._recorder.record(step)

        def replay(x: Tensor, given: dict[str, Tensor]) -> Losses:
            inputs[0].copy_(x)
            for name, value in given.items():
                inputs[1][name].copy_(value)
            values = iter(recording().clone())
            return [(next(values), {name: next(values) for name in phase}) for phase in names]

        return replay


def fixed_state(model: nn.Module) -> dict[str, Any]:
    """What a recording takes as given: where the model's tensors lie, and all else that its modules keep, as it prints."""
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {name: (value.data_ptr(), value.requires_grad) for name, value in tensors.items()} | {
        f"{name}.{key}": repr(value)
        for name, module in model.named_modules()
        for key, value in vars(module).items()
        if not key.startswith("_") and not isinstance(value, Tensor)
    }

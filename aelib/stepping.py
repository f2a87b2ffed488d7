"""One training step: for each phase a forward pass, gradients, and an update."""

import contextlib
from collections.abc import Callable
from typing import Any

import torch
import torch._dynamo
from torch import Tensor

from aelib.core import Autoencoder
from aelib.distributed import Group
from aelib.history import TrainConfig
from aelib.updates import AdamUpdates

Losses = list[tuple[Tensor, dict[str, Tensor]]]
"""The (total, terms) of each phase of a step, detached."""

Gradients = tuple[Tensor, dict[str, Tensor], tuple[Tensor, ...]]


class Steps:
    """The steps of a training run, with one Adam for each phase of the model.

    Args:
        model: what is trained.
        config: Adam's settings.
        group: the processes that share each batch.
        compile: whether to compile forward pass, loss and gradients into one graph with ``torch.compile``. The steps are then to
            be taken in the context that :meth:`tracing` gives.
    """

    def __init__(self, model: Autoencoder[Any], config: TrainConfig, group: Group, *, compile: bool) -> None:
        self.group = group
        self._buffers = list(model.buffers())
        self.updates = {
            phase: AdamUpdates(
                [parameter for parameter in params if parameter.requires_grad],
                lr=config.lr,
                weight_decay=config.weight_decay,
            )
            for phase, params in model.phases().items()
        }
        self._compile = compile
        self._gradients = {
            phase: _gradients(model, phase, update.params, compile=compile) for phase, update in self.updates.items()
        }

    def __call__(self, x: Tensor, given: dict[str, Tensor], share: float) -> Losses:
        """Update the model once.

        Args:
            x: this process's examples of the batch; may be none.
            given: what they come with.
            share: their part of the whole batch, 1 where there is one process.

        Returns:
            The losses; none where there are no examples.
        """
        losses = []
        for phase, update in self.updates.items():
            if len(x):
                total, terms, gradients = self._gradients[phase](x, given)
                losses.append((total, terms))
            else:
                gradients = tuple(torch.zeros_like(parameter) for parameter in update.params)
            if self.group.size > 1:
                # A mean over the whole batch is the sum of the shares' means, each weighted by its size.
                gradients = tuple(gradient * share for gradient in gradients)
                self.group.sum_(gradients)
            update(gradients)
        # What a model learns without gradients, such as a codebook, comes from the first process's share.
        self.group.same_(self._buffers)
        return losses

    def tracing(self) -> contextlib.AbstractContextManager[Any]:
        """Let the compiler take the gradients into its graph. A torch that cannot yet compiles around them."""
        if self._compile and hasattr(torch._dynamo.config, "trace_autograd_ops"):
            context: contextlib.AbstractContextManager[Any] = torch._dynamo.config.patch(trace_autograd_ops=True)
            return context
        return contextlib.nullcontext()

    def state(self) -> dict[str, Tensor]:
        """What the next step depends on beside the model, by name."""
        return {
            f"{phase}/{name}": value for phase, update in self.updates.items() for name, value in update.state().items()
        }

    def load(self, state: dict[str, Tensor]) -> None:
        """Take over what :meth:`state` gave."""
        for phase, update in self.updates.items():
            update.load({name: state[f"{phase}/{name}"] for name in update.state()})


def _gradients(
    model: Autoencoder[Any], phase: str, params: list[Tensor], *, compile: bool
) -> Callable[[Tensor, dict[str, Tensor]], Gradients]:
    def compute(x: Tensor, given: dict[str, Tensor]) -> Gradients:
        loss = model.loss(x, model(x, **given), phase)
        gradients = torch.autograd.grad(loss.total, params, materialize_grads=True)
        return loss.total.detach(), loss.terms, gradients

    # Each size of batch gets a graph of its own: the last one of an epoch may be smaller, and that is all.
    return torch.compile(compute, dynamic=False) if compile else compute

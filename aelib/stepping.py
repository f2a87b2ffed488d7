"""One training step: for each phase a forward pass, gradients, and an update."""

import contextlib
from collections.abc import Callable
from typing import Any

import torch
import torch._dynamo
from torch import Tensor, nn
from torch.optim import Adam

from aelib.core import Autoencoder
from aelib.distributed import Group
from aelib.history import TrainConfig

Gradients = tuple[Tensor, dict[str, Tensor], tuple[Tensor, ...]]


class Steps:
    """The steps of a training run, with one Adam for each phase of the model.

    Args:
        model: what is trained.
        config: Adam's settings.
        group: the processes that share each batch.
        compile: whether to compile forward pass, loss and gradients into one graph with ``torch.compile``.
    """

    def __init__(self, model: Autoencoder[Any], config: TrainConfig, group: Group, *, compile: bool) -> None:
        self.group = group
        self.params = {
            phase: [parameter for parameter in params if parameter.requires_grad]
            for phase, params in model.phases().items()
        }
        # The fused update is one call for all parameters, a fifth of a step cheaper on a small network.
        self.optimizers = {
            phase: Adam(params, lr=config.lr, weight_decay=config.weight_decay, fused=True)
            for phase, params in self.params.items()
        }
        self._compile = compile
        self._gradients = {
            phase: _gradients(model, phase, params, compile=compile) for phase, params in self.params.items()
        }

    def __call__(self, x: Tensor, given: dict[str, Tensor], share: float) -> list[tuple[Tensor, dict[str, Tensor]]]:
        """Update the model once.

        Args:
            x: this process's examples of the batch; may be none.
            given: what they come with.
            share: their part of the whole batch, 1 where there is one process.

        Returns:
            The (total, terms) of each phase; none where there are no examples.
        """
        losses = []
        for phase, params in self.params.items():
            if len(x):
                with _tracing_gradients() if self._compile else contextlib.nullcontext():
                    total, terms, gradients = self._gradients[phase](x, given)
                losses.append((total, terms))
            else:
                gradients = tuple(torch.zeros_like(parameter) for parameter in params)
            if self.group.size > 1:
                # A mean over the whole batch is the sum of the shares' means, each weighted by its size.
                gradients = tuple(gradient * share for gradient in gradients)
                self.group.sum_(gradients)
            for parameter, gradient in zip(params, gradients, strict=True):
                parameter.grad = gradient
            self.optimizers[phase].step()
        return losses


def _gradients(
    model: Autoencoder[Any], phase: str, params: list[nn.Parameter], *, compile: bool
) -> Callable[[Tensor, dict[str, Tensor]], Gradients]:
    def compute(x: Tensor, given: dict[str, Tensor]) -> Gradients:
        loss = model.loss(x, model(x, **given), phase)
        gradients = torch.autograd.grad(loss.total, params, materialize_grads=True)
        return loss.total.detach(), loss.terms, gradients

    # Each size of batch gets a graph of its own: the last one of an epoch may be smaller, and that is all.
    return torch.compile(compute, dynamic=False) if compile else compute


def _tracing_gradients() -> contextlib.AbstractContextManager[Any]:
    """Let the compiler take the gradients into its graph. A torch that cannot yet compiles around them."""
    if hasattr(torch._dynamo.config, "trace_autograd_ops"):
        context: contextlib.AbstractContextManager[Any] = torch._dynamo.config.patch(trace_autograd_ops=True)
        return context
    return contextlib.nullcontext()

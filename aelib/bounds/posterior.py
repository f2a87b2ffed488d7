"""What is asked of a model with a Gaussian posterior, and how its posteriors are taken in batches."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from aelib import checks
from aelib.likelihoods import Likelihood
from aelib.sequences import given_steps, without_padding


@runtime_checkable
class HasPosterior(Protocol):
    """A model with q(z | x) = N(mu, diag(exp(logvar))) and p(z) = N(0, I)."""

    @property
    def encoder(self) -> nn.Module:
        """Made for (B, *event_shape); its device is where the work is done."""

    @property
    def likelihood(self) -> Likelihood:
        """p(x | z)."""

    @property
    def training(self) -> bool:
        """Whether the model is in training mode."""

    def train(self, mode: bool = True) -> object:
        """Turn training mode on or off."""

    def posterior(self, x: Tensor, **given: Tensor) -> tuple[Tensor, Tensor]:
        """mu and logvar, each of shape (B, latent_dim)."""

    def decoded(self, z: Tensor, **given: Tensor) -> tuple[Tensor, Tensor]:
        """x_hat, and the parameters of p(x | z)."""


def posteriors(
    model: HasPosterior, x: Tensor, given: Mapping[str, Tensor] | None, batch_size: int
) -> tuple[Tensor, Tensor]:
    """mu and logvar of all examples, on the model's device."""
    checks.batch("x", x)
    checks.at_least("the number of examples in x", len(x), 1)
    checks.at_least("batch_size", batch_size, 1)
    mask = given_steps(x, given or {})
    model.likelihood.check(x if mask is None else without_padding(x, mask))
    like = next(model.encoder.parameters())
    with evaluating(model):
        parts = [
            model.posterior(to_like(x[index], like), **rows_of(given, index, like))
            for index in torch.arange(len(x)).split(batch_size)
        ]
    mu, logvar = (torch.cat(values) for values in zip(*parts))
    return mu, logvar


def rows_of(given: Mapping[str, Tensor] | None, index: Tensor, like: Tensor) -> dict[str, Tensor]:
    """The rows ``index`` of what examples come with, where ``like`` is."""
    return {name: to_like(value[index], like) for name, value in (given or {}).items()}


def to_like(x: Tensor, like: Tensor) -> Tensor:
    """``x`` on the device of ``like`` and, if it holds real values, of its dtype."""
    return x.to(like.device, like.dtype) if x.is_floating_point() else x.to(like.device)


@contextmanager
def evaluating(model: HasPosterior) -> Iterator[None]:
    """The model in evaluation mode for the time of a ``with`` block."""
    was_training = model.training
    model.train(False)
    try:
        yield
    finally:
        model.train(was_training)

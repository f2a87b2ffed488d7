"""What a model with a Gaussian posterior knows: its likelihood by importance sampling, and how much its codes tell about x.

All numbers are in nats. p(z) is N(0, I) and q(z | x) is N(mu, diag(exp(logvar))), as ``model.posterior(x)`` returns them.
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from aelib import checks
from aelib.likelihoods import Likelihood
from aelib.losses import gaussian_log_density


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


@torch.no_grad()
def log_likelihood(
    model: HasPosterior,
    x: Shaped[Tensor, "N *event"],
    *,
    num_samples: int = 200,
    given: Mapping[str, Tensor] | None = None,
    batch_size: int = 1024,
    seed: int = 0,
) -> Float[Tensor, " N"]:
    """log (1/K) sum_k p(x | z_k) p(z_k) / q(z_k | x) with z_k ~ q(z | x), for each example, in nats and float64 on the CPU.

    In expectation it is below log p(x), and approaches it as K grows: a number without its K says little.
    Source: Burda, Grosse and Salakhutdinov (2016), equation 8.

    Args:
        model: is in evaluation mode for the time of the call.
        x: the examples.
        num_samples: K.
        given: what the examples come with, by name, N rows each.
        batch_size: the number of codes that are decoded at once, which bounds the memory. It also decides which random numbers an
            example gets, so that another one gives slightly other results.
        seed: the seed of the draws.

    Raises:
        TypeError: if ``x`` is not a tensor.
        ValueError: if ``x`` does not fit the model's likelihood or is empty, or a size is below one.
    """
    checks.at_least("num_samples", num_samples, 1)
    mu, logvar = _posterior(model, x, given, batch_size)
    generator = torch.Generator(mu.device).manual_seed(seed)
    examples, draws = max(1, batch_size // num_samples), min(num_samples, batch_size)
    totals = []
    with _evaluating(model):
        for index in torch.arange(len(x)).split(examples):
            total = mu.new_full((len(index),), -math.inf, dtype=torch.float64)
            for first in range(0, num_samples, draws):
                count = min(draws, num_samples - first)
                m, v = (values[index.to(mu.device)].repeat_interleave(count, dim=0) for values in (mu, logvar))
                z = m + torch.exp(0.5 * v) * torch.randn(m.shape, generator=generator, device=m.device, dtype=m.dtype)
                repeated = {
                    name: value.repeat_interleave(count, dim=0) for name, value in _rows(given, index, mu).items()
                }
                x_rows = _like(x[index], mu).repeat_interleave(count, dim=0)
                nll = model.likelihood.nll(model.decoded(z, **repeated)[1], x_rows)
                zero = torch.zeros_like(z)
                log_w = gaussian_log_density(z, zero, zero) - gaussian_log_density(z, m, v) - nll
                total = torch.logaddexp(total, log_w.double().reshape(-1, count).logsumexp(1))
            totals.append(total.cpu() - math.log(num_samples))
    return torch.cat(totals)


@torch.no_grad()
def active_units(
    model: HasPosterior,
    x: Shaped[Tensor, "N *event"],
    *,
    threshold: float = 0.01,
    given: Mapping[str, Tensor] | None = None,
    batch_size: int = 1024,
) -> Bool[Tensor, " latent_dim"]:
    """Which values of the code depend on the data: those with Var_x(E_q[z_j]) > ``threshold``. Their number is the sum.

    The variance is over the examples, and divides by N.
    Source: Burda, Grosse and Salakhutdinov (2016), section 5.2.

    Raises:
        TypeError: if ``x`` is not a tensor.
        ValueError: if ``x`` does not fit the model's likelihood or is empty.
    """
    mu, _ = _posterior(model, x, given, batch_size)
    return (mu.double().var(0, correction=0) > threshold).cpu()


@dataclass(frozen=True)
class CollapseReport:
    """How much the posterior tells about x, in nats.

    The mean KL(q(z | x) || p(z)) is the sum of two parts: the information that a code carries about its example, and the distance
    of the codes of all examples together from the prior. Only the first is wanted.

    Attributes:
        kl: the mean over the examples of KL(q(z_j | x) || p(z_j)) for each j, shape (latent_dim,).
        num_collapsed: how many of these are below the threshold.
        mutual_information: an estimate of I(n; z) for an example n chosen at random; at most log N, whatever the model.
        marginal_kl: KL(q(z) || p(z)) of the aggregated posterior q(z) = (1/N) sum_n q(z | x_n): the rest of the sum of ``kl``.
    """

    kl: Float[Tensor, " latent_dim"]
    num_collapsed: int
    mutual_information: float
    marginal_kl: float


@torch.no_grad()
def collapse_report(
    model: HasPosterior,
    x: Shaped[Tensor, "N *event"],
    *,
    threshold: float = 0.01,
    given: Mapping[str, Tensor] | None = None,
    batch_size: int = 1024,
    seed: int = 0,
) -> CollapseReport:
    """Where the posterior has fallen back onto the prior, and what the rest of it is worth.

    I(n; z) = (1/N) sum_n E[log q(z | x_n) - log (1/N) sum_m q(z | x_m)] with z ~ q(z | x_n), estimated by one draw for each n.
    Source: Hoffman and Johnson (2016), ELBO surgery.

    Args:
        model: is in evaluation mode for the time of the call.
        x: the examples; the time grows with the square of their number.
        threshold: a value of the code with a smaller mean KL, in nats, counts as collapsed.
        given: what the examples come with, by name, N rows each.
        batch_size: the number of examples that are encoded at once.
        seed: the seed of the draws.

    Raises:
        TypeError: if ``x`` is not a tensor.
        ValueError: if ``x`` does not fit the model's likelihood or is empty.
    """
    mu, logvar = (values.double() for values in _posterior(model, x, given, batch_size))
    kl = 0.5 * (logvar.exp() + mu.square() - 1 - logvar).mean(0)
    generator = torch.Generator(mu.device).manual_seed(seed)
    eps = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
    z = mu + torch.exp(0.5 * logvar) * eps
    # All pairs of a draw and a posterior, in slices of at most about a million.
    slices = z.split(max(1, 2**20 // len(z)))
    log_q = torch.cat([gaussian_log_density(part[:, None], mu, logvar).logsumexp(1) for part in slices]) - math.log(
        len(z)
    )
    information = (gaussian_log_density(z, mu, logvar) - log_q).mean().item()
    return CollapseReport(kl.cpu(), int((kl < threshold).sum()), information, kl.sum().item() - information)


def _posterior(
    model: HasPosterior, x: Tensor, given: Mapping[str, Tensor] | None, batch_size: int
) -> tuple[Tensor, Tensor]:
    """mu and logvar of all examples, on the model's device."""
    checks.batch("x", x)
    checks.at_least("the number of examples in x", len(x), 1)
    checks.at_least("batch_size", batch_size, 1)
    model.likelihood.check(x)
    like = next(model.encoder.parameters())
    with _evaluating(model):
        parts = [
            model.posterior(_like(x[index], like), **_rows(given, index, like))
            for index in torch.arange(len(x)).split(batch_size)
        ]
    mu, logvar = (torch.cat(values) for values in zip(*parts))
    return mu, logvar


def _rows(given: Mapping[str, Tensor] | None, index: Tensor, like: Tensor) -> dict[str, Tensor]:
    return {name: _like(value[index], like) for name, value in (given or {}).items()}


def _like(x: Tensor, like: Tensor) -> Tensor:
    return x.to(like.device, like.dtype) if x.is_floating_point() else x.to(like.device)


@contextmanager
def _evaluating(model: HasPosterior) -> Iterator[None]:
    was_training = model.training
    model.train(False)
    try:
        yield
    finally:
        model.train(was_training)

"""How much the codes of a model with a posterior tell about the data, and where the posterior has collapsed onto the prior."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from aelib.bounds.posterior import HasPosterior, posteriors
from aelib.losses import gaussian_log_density


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
    Source: Burda et al. (2016), section 5.2.

    Raises:
        TypeError: if ``x`` is not a tensor.
        ValueError: if ``x`` does not fit the model's likelihood or is empty.
    """
    mu, _ = posteriors(model, x, given, batch_size)
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
    Source: Hoffman and Johnson (2016).

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
    mu, logvar = (values.double() for values in posteriors(model, x, given, batch_size))
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

"""Loss terms as pure functions that return one value per example, in nats unless stated."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from aelib import checks


def gaussian_kl(mu: Float[Tensor, "B latent_dim"], logvar: Float[Tensor, "B latent_dim"]) -> Float[Tensor, " B"]:
    """KL(N(mu, diag(exp(logvar))) || N(0, I)) = 1/2 sum(exp(logvar) + mu^2 - 1 - logvar), in nats.

    It is zero where mu = 0 and logvar = 0, and positive everywhere else.
    Source: Kingma and Welling (2013), appendix B.
    """
    return 0.5 * (logvar.exp() + mu.square() - 1 - logvar).sum(1)


def l1_norm(z: Float[Tensor, "B latent_dim"]) -> Float[Tensor, " B"]:
    """The sum of the absolute values of a code, in units of the code."""
    return z.abs().sum(1)


def rate_kl(z: Float[Tensor, "B latent_dim"], rho: float) -> Float[Tensor, ""]:
    """sum_j KL(Bernoulli(rho) || Bernoulli(rho_hat_j)) in nats, where rho_hat_j is the mean of z_j in (0, 1) over the batch.

    It is one value for the batch, not one per example, because a rate is a property of many examples; the smaller the batch,
    the more the rates scatter about those of the data, which adds to the mean of this term.
    Source: Ng (2011).

    Raises:
        ValueError: if ``z`` has no rows, or ``rho`` is not in (0, 1).
    """
    checks.at_least("the number of rows of z", len(z), 1)
    if not 0 < rho < 1:
        raise ValueError(f"rho: got {rho!r}; expected a rate in (0, 1)")
    # A unit that is 0 or 1 for the whole batch has an infinite divergence; it is held just inside.
    eps = torch.finfo(z.dtype).eps
    rates = z.mean(0).clamp(eps, 1 - eps)
    divergences = rho * (math.log(rho) - rates.log()) + (1 - rho) * (math.log(1 - rho) - torch.log1p(-rates))
    return divergences.sum()


def sigmoid_jacobian_norm(
    h: Float[Tensor, "B latent_dim"], weight: Float[Tensor, "latent_dim d"]
) -> Float[Tensor, " B"]:
    """||J||_F^2 = sum_j (h_j (1 - h_j))^2 ||W_j||^2 for the layer h = sigmoid(W x + b), where W_j is row j of ``weight``.

    Source: Rifai et al. (2011).
    """
    return (h * (1 - h)).square() @ weight.square().sum(1)


def free_bits_kl(
    mu: Float[Tensor, "B latent_dim"], logvar: Float[Tensor, "B latent_dim"], minimum: float
) -> Float[Tensor, ""]:
    """sum_j max(minimum, KL_j), where KL_j is the mean over the batch of KL(N(mu_j, exp(logvar_j)) || N(0, 1)), in nats.

    A dimension that costs less than ``minimum`` nats on average has no gradient, so that it is not pushed to the prior. It is one
    value for the batch, because the mean is taken before the maximum.
    Source: Kingma et al. (2016), equation 15 in appendix C.8, with one dimension in each group.

    Raises:
        ValueError: if ``mu`` has no rows, which have no mean.
    """
    checks.at_least("the number of rows of mu", len(mu), 1)
    values = 0.5 * (logvar.exp() + mu.square() - 1 - logvar)
    return values.mean(0).clamp(min=minimum).sum()


def gaussian_log_density(
    z: Float[Tensor, "... latent_dim"], mu: Float[Tensor, "... latent_dim"], logvar: Float[Tensor, "... latent_dim"]
) -> Float[Tensor, "..."]:
    """log N(z; mu, diag(exp(logvar))) in nats, summed over the last axis; the axes before it are broadcast."""
    scaled = (z - mu) * torch.exp(-0.5 * logvar)
    return -0.5 * (scaled.square() + logvar + math.log(2 * math.pi)).sum(-1)


def rbf_kernel(squared_distances: Float[Tensor, "..."], scale: float) -> Float[Tensor, "..."]:
    """exp(-||a - b||^2 / (2 scale^2)), from the squared distances; ``scale`` is in units of a and b."""
    return torch.exp(squared_distances / (-2 * scale**2))


def inverse_multiquadratic(squared_distances: Float[Tensor, "..."], scale: float) -> Float[Tensor, "..."]:
    """scale^2 / (scale^2 + ||a - b||^2), from the squared distances; its tails are heavier than those of the Gaussian kernel.

    Source: Tolstikhin et al. (2018), section 4, where scale^2 is called C.
    """
    return scale**2 / (scale**2 + squared_distances)


def mmd(
    a: Float[Tensor, "N latent_dim"], b: Float[Tensor, "M latent_dim"], kernel: Callable[[Tensor], Tensor]
) -> Float[Tensor, ""]:
    """The squared maximum mean discrepancy of two samples: mean k(a, a') + mean k(b, b') - 2 mean k(a, b).

    The first two means run over the pairs of *different* rows, which makes the estimate unbiased. It is therefore sometimes below
    zero where the distributions are the same, and changes if rows are repeated. It has no unit.
    Source: Gretton et al. (2012), the unbiased statistic.

    Args:
        a: the first sample, at least two rows.
        b: the second sample, at least two rows.
        kernel: from squared distances to the values of a positive definite kernel, such as ``partial(rbf_kernel, scale=1.0)``.

    Raises:
        ValueError: if a sample has fewer than two rows.
    """
    checks.at_least("the number of rows of a", len(a), 2)
    checks.at_least("the number of rows of b", len(b), 2)
    return _mean_of_pairs(a, kernel) + _mean_of_pairs(b, kernel) - 2 * kernel(torch.cdist(a, b).square()).mean()


def _mean_of_pairs(a: Float[Tensor, "N latent_dim"], kernel: Callable[[Tensor], Tensor]) -> Float[Tensor, ""]:
    values = kernel(torch.cdist(a, a).square())
    return (values.sum() - values.diagonal().sum()) / (len(a) * (len(a) - 1))

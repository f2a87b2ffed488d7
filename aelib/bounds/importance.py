"""The likelihood of a model with a posterior, by importance sampling."""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from aelib import checks
from aelib.bounds.posterior import HasPosterior, evaluating, posteriors, rows_of, to_like
from aelib.losses import gaussian_log_density
from aelib.sequences import given_steps


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
    Source: Burda et al. (2016), equation 8.

    Args:
        model: is in evaluation mode for the time of the call.
        x: the examples.
        num_samples: K.
        given: what the examples come with, by name, N rows each. With ``lengths``, padding counts nothing.
        batch_size: the number of codes that are decoded at once, which bounds the memory. It also decides which random numbers an
            example gets, so that another one gives slightly other results.
        seed: the seed of the draws.

    Raises:
        TypeError: if ``x`` is not a tensor.
        ValueError: if ``x`` does not fit the model's likelihood or is empty, or a size is below one.
    """
    checks.at_least("num_samples", num_samples, 1)
    mu, logvar = posteriors(model, x, given, batch_size)
    generator = torch.Generator(mu.device).manual_seed(seed)
    examples, draws = max(1, batch_size // num_samples), min(num_samples, batch_size)
    totals = []
    with evaluating(model):
        for index in torch.arange(len(x)).split(examples):
            total = mu.new_full((len(index),), -math.inf, dtype=torch.float64)
            for first in range(0, num_samples, draws):
                count = min(draws, num_samples - first)
                m, v = (values[index.to(mu.device)].repeat_interleave(count, dim=0) for values in (mu, logvar))
                z = m + torch.exp(0.5 * v) * torch.randn(m.shape, generator=generator, device=m.device, dtype=m.dtype)
                rows = rows_of(given, index, mu)
                repeated = {name: value.repeat_interleave(count, dim=0) for name, value in rows.items()}
                x_rows = to_like(x[index], mu).repeat_interleave(count, dim=0)
                nll = model.likelihood.nll(model.decoded(z, **repeated)[1], x_rows, given_steps(x_rows, repeated))
                zero = torch.zeros_like(z)
                log_w = gaussian_log_density(z, zero, zero) - gaussian_log_density(z, m, v) - nll
                total = torch.logaddexp(total, log_w.double().reshape(-1, count).logsumexp(1))
            totals.append(total.cpu() - math.log(num_samples))
    return torch.cat(totals)

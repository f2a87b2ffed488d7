"""The importance-weighted autoencoder, a variational one with a tighter bound (variant V11)."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Shaped
from torch import Generator, Tensor, nn

from aelib import checks
from aelib.core import Loss
from aelib.gaussian_posterior import GaussianPosteriorAutoencoder, VAEOutput
from aelib.likelihoods import Likelihood
from aelib.losses import gaussian_kl, gaussian_log_density
from aelib.sequences import given_steps


@dataclass(frozen=True)
class IWAEOutput(VAEOutput):
    """A :class:`~aelib.gaussian_posterior.VAEOutput` with all K draws from the posterior.

    ``z``, ``x_hat`` and ``params`` belong to the first of them.

    Attributes:
        draws: the codes, shape (B, K, latent_dim).
        draws_params: what the decoder returned for each of them, shape (B, K, ...).
    """

    draws: Tensor
    draws_params: Tensor


@final
class IWAE(GaussianPosteriorAutoencoder[IWAEOutput]):
    """A VAE trained on the importance-weighted bound log (1/K) sum_k w_k, with w_k = p(x | z_k) p(z_k) / q(z_k | x) and z_k ~ q.

    In expectation the bound is the evidence lower bound at K = 1, it never falls with K, and it tends to log p(x).
    Source: Burda et al. (2016), equation 8 and theorem 1.

    Args:
        encoder: from (B, *event_shape) to (B, 2 * latent_dim), the means first and then the log-variances.
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        latent_dim: the number of values in a code.
        num_samples: K, the number of codes drawn for each example; a step costs K decoder passes.

    Raises:
        ValueError: if ``latent_dim`` or ``num_samples`` is below one.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, latent_dim: int, *, num_samples: int = 5
    ) -> None:
        checks.at_least("num_samples", num_samples, 1)
        super().__init__(encoder, decoder, likelihood, latent_dim)
        self.num_samples = num_samples

    def forward(
        self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> IWAEOutput:
        """Draw K codes for each example and decode all of them as one batch of B * K."""
        mu, logvar = self.posterior(x, **given)
        shape = (len(mu), self.num_samples, self.latent_dim)
        eps = torch.randn(shape, generator=generator, device=mu.device, dtype=mu.dtype)
        draws = mu.unsqueeze(1) + torch.exp(0.5 * logvar).unsqueeze(1) * eps
        repeated = {name: value.repeat_interleave(self.num_samples, dim=0) for name, value in given.items()}
        x_hat, params = self.decoded(draws.flatten(0, 1), **repeated)
        x_hats, draws_params = (values.unflatten(0, shape[:2]) for values in (x_hat, params))
        first_x_hat, first_z, first_params = (values.select(1, 0) for values in (x_hats, draws, draws_params))
        mask = given_steps(x, given)
        return IWAEOutput(first_x_hat, first_z, first_params, mu, logvar, draws, draws_params, mask=mask)

    def loss(self, x: Shaped[Tensor, "B *event"], out: IWAEOutput, phase: str = "main") -> Loss:
        """-log (1/K) sum_k w_k, as the mean over the batch.

        Its terms are those of the evidence lower bound on the same draws; by how much the total lies below their sum is what the
        K samples gain, up to the noise of the draws.
        """
        checks.at_least("the number of examples in x", len(x), 1)
        repeated = x.repeat_interleave(self.num_samples, dim=0)
        mask = None if out.mask is None else out.mask.repeat_interleave(self.num_samples, dim=0)
        nll = self.likelihood.nll(out.draws_params.flatten(0, 1), repeated, mask).reshape(-1, self.num_samples)
        zero = torch.zeros_like(out.draws)
        log_p = gaussian_log_density(out.draws, zero, zero)
        log_q = gaussian_log_density(out.draws, out.mu.unsqueeze(1), out.logvar.unsqueeze(1))
        log_mean = torch.logsumexp(log_p - log_q - nll, dim=1) - math.log(self.num_samples)
        terms = {"recon": nll.mean().detach(), "kl": gaussian_kl(out.mu, out.logvar).mean().detach()}
        return Loss(-log_mean.mean(), terms)

"""The variational autoencoder (variant V7)."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from aelib import checks
from aelib.core import AEOutput, GenerativeAutoencoder, Loss
from aelib.likelihoods import Likelihood
from aelib.losses import gaussian_kl


@dataclass(frozen=True)
class VAEOutput(AEOutput):
    """An :class:`~aelib.core.AEOutput` with the posterior q(z | x) = N(mu, diag(exp(logvar))) that z was drawn from.

    Attributes:
        mu: the posterior means, shape (B, latent_dim).
        logvar: the logarithms of the posterior variances, shape (B, latent_dim).
    """

    mu: Tensor
    logvar: Tensor


@final
class VAE(GenerativeAutoencoder[VAEOutput]):
    """q(z | x) = N(mu(x), diag(exp(logvar(x)))), p(z) = N(0, I), trained to maximize the evidence lower bound.

    The bound on log p(x) is E_q[log p(x | z)] - KL(q(z | x) || p(z)); the loss is its *negative* (erratum E5).
    Source: Kingma and Welling (2013), equation 3; with beta, Higgins et al. (2017), equation 4.

    Args:
        encoder: from (B, *event_shape) to (B, 2 * latent_dim), the means first and then the log-variances.
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        latent_dim: the number of values in a code.
        beta: the weight of the KL term; 1 gives the bound, and no other value does.

    Raises:
        ValueError: if ``latent_dim`` is below one or ``beta`` below zero.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, latent_dim: int, *, beta: float = 1.0
    ) -> None:
        checks.at_least("latent_dim", latent_dim, 1)
        checks.at_least("beta", beta, 0)
        super().__init__(encoder, decoder, likelihood)
        self.latent_dim = latent_dim
        self.beta = beta

    def posterior(
        self, x: Float[Tensor, "B *event"], **given: Tensor
    ) -> tuple[Float[Tensor, "B latent_dim"], Float[Tensor, "B latent_dim"]]:
        """The means and the log-variances of q(z | x).

        Raises:
            ValueError: if the encoder's output is not of shape (B, 2 * latent_dim).
        """
        out: Tensor = self.encoder(x, **given)
        checks.batch("the encoder's output", out, (2 * self.latent_dim,))
        mu, logvar = out.chunk(2, dim=1)
        return mu, logvar

    def encode(self, x: Float[Tensor, "B *event"], **given: Tensor) -> Float[Tensor, "B latent_dim"]:
        """The posterior mean mu(x)."""
        return self.posterior(x, **given)[0]

    def forward(
        self, x: Float[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> VAEOutput:
        """Draw z = mu + exp(logvar / 2) * eps with eps from N(0, I), and decode it (Kingma and Welling, 2013, section 2.4)."""
        mu, logvar = self.posterior(x, **given)
        eps = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
        z = mu + torch.exp(0.5 * logvar) * eps
        x_hat, params = self.decoded(z, **given)
        return VAEOutput(x_hat, z, params, mu, logvar)

    def loss(self, x: Float[Tensor, "B *event"], out: VAEOutput, phase: str = "main") -> Loss:
        """-log p(x | z) + beta KL(q(z | x) || p(z)): with beta = 1, an unbiased estimate of the negative bound."""
        recon = self.likelihood.nll(out.params, x).mean()
        return Loss.weighted({"recon": (1.0, recon), "kl": (self.beta, gaussian_kl(out.mu, out.logvar).mean())})

    @torch.no_grad()
    def sample(self, n: int, *, generator: Generator | None = None, **given: Tensor) -> Float[Tensor, "n *event"]:
        """The means of p(x | z) for ``n`` codes drawn from N(0, I)."""
        like = next(self.decoder.parameters())
        z = torch.randn(n, self.latent_dim, generator=generator, device=like.device, dtype=like.dtype)
        return self.decode(z, **given)

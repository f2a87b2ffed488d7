"""What models with a Gaussian posterior over codes share: q(z | x) = N(mu, diag(exp(logvar))) and p(z) = N(0, I)."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Shaped
from torch import Generator, Tensor, nn

from aelib import checks
from aelib.core import AEOutput, GenerativeAutoencoder, OutT
from aelib.likelihoods import Likelihood


@dataclass(frozen=True)
class VAEOutput(AEOutput):
    """An :class:`~aelib.core.AEOutput` with the posterior q(z | x) = N(mu, diag(exp(logvar))) that z was drawn from.

    Attributes:
        mu: the posterior means, shape (B, latent_dim).
        logvar: the logarithms of the posterior variances, shape (B, latent_dim).
    """

    mu: Tensor
    logvar: Tensor


class GaussianPosteriorAutoencoder(GenerativeAutoencoder[OutT]):
    """What every model with q(z | x) = N(mu(x), diag(exp(logvar(x)))) and p(z) = N(0, I) shares.

    The examples may be padded sequences with ``lengths`` of shape (B,) beside them, if encoder and decoder take these:
    ``model(x, lengths=lengths)``. Padding then counts nothing, as in :class:`aelib.models.sequence.SequenceAE`.

    Args:
        encoder: from (B, *event_shape) to (B, 2 * latent_dim), the means first and then the log-variances.
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        latent_dim: the number of values in a code.

    Raises:
        ValueError: if ``latent_dim`` is below one.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, latent_dim: int) -> None:
        checks.at_least("latent_dim", latent_dim, 1)
        super().__init__(encoder, decoder, likelihood)
        self.latent_dim = latent_dim

    @final
    def posterior(
        self, x: Shaped[Tensor, "B *event"], **given: Tensor
    ) -> tuple[Float[Tensor, "B latent_dim"], Float[Tensor, "B latent_dim"]]:
        """The means and the log-variances of q(z | x).

        Raises:
            ValueError: if the encoder's output is not of shape (B, 2 * latent_dim).
        """
        out: Tensor = self.encoder(x, **given)
        checks.batch("the encoder's output", out, (2 * self.latent_dim,))
        mu, logvar = out.chunk(2, dim=1)
        return mu, logvar

    @final
    def encode(self, x: Shaped[Tensor, "B *event"], **given: Tensor) -> Float[Tensor, "B latent_dim"]:
        """The posterior mean mu(x)."""
        return self.posterior(x, **given)[0]

    @final
    @torch.no_grad()
    def sample(self, n: int, *, generator: Generator | None = None, **given: Tensor) -> Float[Tensor, "n ..."]:
        """The means of p(x | z) for ``n`` codes drawn from N(0, I)."""
        like = next(self.decoder.parameters())
        z = torch.randn(n, self.latent_dim, generator=generator, device=like.device, dtype=like.dtype)
        return self.decode(z, **given)

"""What models share that have a deterministic encoder and match the distribution of its codes to a prior."""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Shaped
from torch import Generator, Tensor, nn

from aelib.core import AEOutput, DirectAutoencoder, GenerativeAutoencoder
from aelib.likelihoods import Likelihood
from aelib.samplers import Sampler
from aelib.sequences import given_steps


@dataclass(frozen=True)
class MatchingOutput(AEOutput):
    """An :class:`~aelib.core.AEOutput` with as many draws from the prior as there are codes.

    Attributes:
        z_prior: draws from p(z), shape (B, latent_dim), to be compared with ``z``.
    """

    z_prior: Tensor


class MatchingAutoencoder(DirectAutoencoder[MatchingOutput], GenerativeAutoencoder[MatchingOutput]):
    """z = f(x); the codes of all the data together, the aggregated posterior q(z), are to follow the prior p(z).

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim).
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        prior: p(z); anything that can be drawn from will do.
        adversary: see :class:`~aelib.core.Autoencoder`.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        prior: Sampler,
        *,
        adversary: nn.Module | None = None,
    ) -> None:
        super().__init__(encoder, decoder, likelihood, adversary=adversary)
        self.prior = prior

    def forward(
        self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> MatchingOutput:
        """Encode, decode, and draw from the prior."""
        z = self.encode(x, **given)
        x_hat, params = self.decoded(z, **given)
        return MatchingOutput(x_hat, z, params, self.prior(len(z), generator=generator), mask=given_steps(x, given))

    @final
    @torch.no_grad()
    def sample(self, n: int, *, generator: Generator | None = None, **given: Tensor) -> Float[Tensor, "n ..."]:
        """The means of p(x | z) for ``n`` codes drawn from the prior."""
        return self.decode(self.prior(n, generator=generator), **given)

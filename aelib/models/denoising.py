"""The denoising autoencoder (variant V5)."""

from dataclasses import dataclass
from typing import final

from jaxtyping import Shaped
from torch import Generator, Tensor, nn

from aelib.core import AEOutput, DirectAutoencoder, Loss
from aelib.corruption import Corruption
from aelib.likelihoods import Likelihood
from aelib.sequences import given_steps


@dataclass(frozen=True)
class DenoisingOutput(AEOutput):
    """An :class:`~aelib.core.AEOutput` with the corrupted examples that were encoded.

    Attributes:
        x_tilde: the corrupted examples, shape (B, *event_shape).
    """

    x_tilde: Tensor


@final
class DenoisingAE(DirectAutoencoder[DenoisingOutput]):
    """x_tilde = corruption(x), z = f(x_tilde), x_hat = E[x | g(z)], scored against the *clean* x.

    With a Gaussian likelihood the best r(x_tilde) is the posterior mean E[x | x_tilde]. With Gaussian noise of standard deviation
    sigma this is x_tilde + sigma^2 grad log p_sigma(x_tilde), with the score of the *noisy* density at the noisy point
    (erratum E4).
    Source: Vincent et al. (2008), section 2.3; for the score, Vincent (2011) and, on Tweedie's formula, Efron (2011).

    ``forward`` corrupts in training and evaluation alike, so that both score the same task. ``encode`` and ``decode`` do not:
    give them a clean example or a noisy one.

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim).
        decoder: g, from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        corruption: from (x, generator) to corrupted examples of the same shape: one of :mod:`aelib.corruption` or any callable.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, corruption: Corruption) -> None:
        super().__init__(encoder, decoder, likelihood)
        self.corruption = corruption

    def forward(
        self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> DenoisingOutput:
        """Corrupt, encode, decode.

        Raises:
            ValueError: if the corruption changed the shape.
        """
        x_tilde = self.corruption(x, generator)
        if x_tilde.shape != x.shape:
            raise ValueError(
                f"corruption: it made shape {tuple(x_tilde.shape)} of {tuple(x.shape)}; expected the same shape"
            )
        z = self.encode(x_tilde, **given)
        x_hat, params = self.decoded(z, **given)
        return DenoisingOutput(x_hat, z, params, x_tilde, mask=given_steps(x, given))

    def loss(self, x: Shaped[Tensor, "B *event"], out: DenoisingOutput, phase: str = "main") -> Loss:
        """-log p(x | z) of the clean ``x``, where z was made from the corrupted one."""
        return Loss.weighted({"recon": (1.0, self.recon(x, out))})

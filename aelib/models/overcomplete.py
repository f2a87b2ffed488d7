"""The autoencoder with noise on its code, which a code larger than the data needs to be of use (variant V3)."""

from typing import final

from jaxtyping import Shaped
from torch import Generator, Tensor, nn

from aelib.core import AEOutput, DirectAutoencoder, Loss
from aelib.corruption import Corruption
from aelib.likelihoods import Likelihood
from aelib.sequences import given_steps


@final
class NoisyCodeAE(DirectAutoencoder[AEOutput]):
    """z = corruption(f(x)), x_hat = E[x | g(z)]: what is decoded is a corrupted code.

    With latent_dim >= d a plain autoencoder can copy. Noise on the code makes copying costly: for a linear decoder with columns
    w_j and a Gaussian likelihood, dropout with probability p adds p / (1 - p) * sum_j z_j^2 ||w_j||^2 / 2 to the loss, which is
    smaller where many units share the work. (The noise must have a scale: Gaussian noise is evaded by a large code.)
    Source: for the penalty, Srivastava et al. (2014), section 9.1; for noise on codes, Poole et al. (2014).

    ``forward`` corrupts in training and evaluation alike, so that both score the same task; ``encode`` and ``decode`` do not.

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim).
        decoder: g, from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        corruption: from (z, generator) to corrupted codes, such as :func:`aelib.corruption.dropout`.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, corruption: Corruption) -> None:
        super().__init__(encoder, decoder, likelihood)
        self.corruption = corruption

    def forward(
        self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> AEOutput:
        """Encode, corrupt the code, decode."""
        z = self.corruption(self.encode(x, **given), generator)
        x_hat, params = self.decoded(z, **given)
        return AEOutput(x_hat, z, params, mask=given_steps(x, given))

    def loss(self, x: Shaped[Tensor, "B *event"], out: AEOutput, phase: str = "main") -> Loss:
        """-log p(x | z) for the corrupted code z."""
        return Loss.weighted({"recon": (1.0, self.recon(x, out))})

"""The undercomplete autoencoder: a code smaller than the data, and nothing else (variant V2)."""

from typing import final

from jaxtyping import Float
from torch import Tensor

from aelib.core import AEOutput, DeterministicAutoencoder, Loss


@final
class VanillaAE(DeterministicAutoencoder):
    """z = f(x) and x_hat = E[x | g(z)] for any networks f and g, trained on the reconstruction alone.

    Nothing but the size of the code keeps it from copying. A latent_dim below d rules out the identity on all of R^d, but not
    memorizing a finite training set (erratum E9).
    Source: Hinton and Salakhutdinov (2006).

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim).
        decoder: g, from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
    """

    def loss(self, x: Float[Tensor, "B *event"], out: AEOutput, phase: str = "main") -> Loss:
        """-log p(x | z), the reconstruction term alone."""
        return Loss.weighted({"recon": (1.0, self.recon(x, out))})

"""The Wasserstein autoencoder with the MMD penalty (variant V11)."""

import math
from collections.abc import Callable
from functools import partial
from typing import final

from jaxtyping import Shaped
from torch import Tensor, nn

from aelib import checks
from aelib.core import Loss
from aelib.likelihoods import Likelihood
from aelib.losses import inverse_multiquadratic, mmd
from aelib.matching import MatchingAutoencoder, MatchingOutput
from aelib.samplers import Sampler


@final
class WassersteinAE(MatchingAutoencoder):
    """z = f(x) without noise; the codes of a batch are pulled to the prior by the squared maximum mean discrepancy.

    A VAE pulls the posterior of *each* example to the prior; here only the codes of all examples together are.
    Source: Tolstikhin et al. (2018), equation 4 and algorithm 2. Their cost ||x - x_hat||^2 is twice the reconstruction term of
    a Gaussian likelihood with sigma = 1 without its constant, so their lambda corresponds to mmd_weight = lambda / 2.

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim).
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        prior: p(z).
        kernel: from squared distances of codes to the values of a kernel; None: the inverse multiquadratic kernel with
            scale^2 = 2 * latent_dim, the mean squared distance of two draws from N(0, I).
        mmd_weight: the weight of the penalty.

    Raises:
        ValueError: if ``mmd_weight`` is below zero.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        prior: Sampler,
        *,
        kernel: Callable[[Tensor], Tensor] | None = None,
        mmd_weight: float = 10.0,
    ) -> None:
        checks.at_least("mmd_weight", mmd_weight, 0)
        super().__init__(encoder, decoder, likelihood, prior)
        self.kernel = kernel or partial(inverse_multiquadratic, scale=math.sqrt(2 * prior.latent_dim))
        self.mmd_weight = mmd_weight

    def loss(self, x: Shaped[Tensor, "B *event"], out: MatchingOutput, phase: str = "main") -> Loss:
        """-log p(x | z) + mmd_weight MMD^2(codes, draws from the prior).

        The penalty is a property of the batch and not a mean over its examples. One code alone tells nothing about a
        distribution: for a batch of one (the last of an epoch may be) it is zero.
        """
        recon = self.recon(x, out)
        discrepancy = mmd(out.z, out.z_prior, self.kernel) if len(x) > 1 else recon.new_zeros(())
        return Loss.weighted({"recon": (1.0, recon), "mmd": (self.mmd_weight, discrepancy)})

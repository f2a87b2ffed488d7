"""The vector-quantized autoencoder, VQ-VAE (variant V11)."""

from dataclasses import dataclass
from typing import final

from jaxtyping import Float, Shaped
from torch import Generator, Tensor, nn

from aelib import checks
from aelib.core import AEOutput, Autoencoder, Loss
from aelib.likelihoods import Likelihood
from aelib.quantizers import GradientQuantizer, Quantizer
from aelib.sequences import given_steps


@dataclass(frozen=True)
class VQOutput(AEOutput):
    """An :class:`~aelib.core.AEOutput` with what the codebook made of the encoder's output. ``z`` has the values of ``z_q``.

    Attributes:
        z_e: what the encoder returned, shape (B, latent_dim).
        z_q: the nearest entries of the codebook, shape (B, latent_dim).
        indices: which entries these are, shape (B, num_tokens); see :func:`aelib.quantizers.code_perplexity`.
    """

    z_e: Tensor
    z_q: Tensor
    indices: Tensor


@final
class VQVAE(Autoencoder[VQOutput]):
    """z_e = f(x) in num_tokens parts, each replaced by the nearest entry of a codebook; the decoder sees only these, z_q.

    It has no prior over its codes; :class:`aelib.index_frequencies.IndexFrequencies` puts a simple one beside it.

    The nearest entry is a step function of z_e, so the gradient at z_q is used for z_e as it is (*straight through*).
    Source: Oord et al. (2017), equation 3.

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim), with latent_dim = num_tokens * code_dim of the quantizer.
        decoder: from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        quantizer: the codebook, and how it is trained.
        commit_weight: the weight of ||z_e - z_q||^2 in the encoder's loss.

    Raises:
        ValueError: if ``commit_weight`` is below zero.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        quantizer: Quantizer,
        *,
        commit_weight: float = 0.25,
    ) -> None:
        checks.at_least("commit_weight", commit_weight, 0)
        super().__init__(encoder, decoder, likelihood)
        self.quantizer = quantizer
        self.commit_weight = commit_weight

    def encode(self, x: Shaped[Tensor, "B *event"], **given: Tensor) -> Float[Tensor, "B latent_dim"]:
        """z_q, the entries of the codebook that are nearest to f(x)."""
        return self.quantizer.lookup(self.quantizer.nearest(self.encoder(x, **given)))

    def forward(
        self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> VQOutput:
        """Encode, quantize and decode. In training mode the quantizer then sees the batch; the output is that from before."""
        z_e: Tensor = self.encoder(x, **given)
        indices = self.quantizer.nearest(z_e)
        z_q = self.quantizer.lookup(indices)
        # The value of z_q with the gradient of z_e.
        z = z_e + (z_q - z_e).detach()
        x_hat, params = self.decoded(z, **given)
        if self.training:
            self.quantizer.update(z_e, indices, generator)
        return VQOutput(x_hat, z, params, z_e, z_q, indices, mask=given_steps(x, given))

    def loss(self, x: Shaped[Tensor, "B *event"], out: VQOutput, phase: str = "main") -> Loss:
        """-log p(x | z_q) + commit_weight ||z_e - sg(z_q)||^2 + ||sg(z_e) - z_q||^2, where sg stops the gradient.

        The last term trains a codebook that is a parameter; without one it is left out. Distances are summed over the code.
        """
        terms = {
            "recon": (1.0, self.recon(x, out)),
            "commit": (self.commit_weight, (out.z_e - out.z_q.detach()).square().sum(1).mean()),
        }
        if isinstance(self.quantizer, GradientQuantizer):
            terms["codebook"] = (1.0, (out.z_e.detach() - out.z_q).square().sum(1).mean())
        return Loss.weighted(terms)

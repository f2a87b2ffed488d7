"""The sequence autoencoder, over sequences of different lengths (variant V9)."""

from typing import final

from jaxtyping import Shaped
from torch import Generator, Tensor, nn

from aelib.core import AEOutput, DirectAutoencoder, Loss
from aelib.likelihoods import Likelihood
from aelib.sequences import given_steps


@final
class SequenceAE(DirectAutoencoder[AEOutput]):
    """z = f(x_1 ... x_L) and x_hat = E[x | g(z)], trained on the reconstruction of the L steps that are there.

    A batch holds sequences padded to T steps, and ``lengths`` of shape (B,) beside it: ``model(x, lengths=lengths)`` and
    ``fit(model, x, given={"lengths": lengths})``. Without it all sequences are full. Padding counts nothing, whatever it holds.
    An example's loss is the sum over its own steps, so a longer sequence has a larger one.
    Source: Sutskever et al. (2014); Cho et al. (2014).

    Args:
        encoder: f, from sequences and ``lengths`` to (B, latent_dim).
        decoder: g, from (B, latent_dim) and ``lengths`` to the likelihood's parameters: (B, T, C), or logits (B, V, T).
        likelihood: p(x | z): Gaussian for real values (B, T, C), Categorical for tokens (B, T).
        teacher_forcing: whether the decoder also gets the true sequence, as ``targets``, of which each step may see the steps
            before it. The loss is then exactly -sum_t log p(x_t | x_1 ... x_(t-1), z), and ``x_hat`` holds one-step forecasts;
            ``decode`` generates from z alone, feeding each step what came out of the one before.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, *, teacher_forcing: bool = False
    ) -> None:
        super().__init__(encoder, decoder, likelihood)
        self.teacher_forcing = teacher_forcing

    def forward(
        self, x: Shaped[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> AEOutput:
        """Encode and decode; nothing is sampled, so ``generator`` is not used."""
        z = self.encode(x, **given)
        seen = {**given, "targets": x} if self.teacher_forcing else given
        x_hat, params = self.decoded(z, **seen)
        return AEOutput(x_hat, z, params, mask=given_steps(x, given))

    def loss(self, x: Shaped[Tensor, "B *event"], out: AEOutput, phase: str = "main") -> Loss:
        """-log p(x | z), summed over the steps that are there."""
        return Loss.weighted({"recon": (1.0, self.recon(x, out))})

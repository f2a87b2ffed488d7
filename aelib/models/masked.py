"""The masked autoencoder: most patches of an image are hidden, and are to be told from the others (variant V11)."""

from typing import final

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from aelib.core import AEOutput, DirectAutoencoder, Loss
from aelib.likelihoods import Likelihood
from aelib.patches import Patches


@final
class MaskedAE(DirectAutoencoder[AEOutput]):
    """x_hat = E[x | g(f(visible patches of x))], trained on the patches that f did not see.

    In training a random share ``ratio`` of the patches of each image is hidden: always the same number, so that shapes do not
    depend on the draw. The loss counts hidden patches alone, so what comes out for visible ones is not trained. ``encode`` sees
    the whole image.

    With tokens as codes (:class:`~aelib.patches.PatchEncoder` with ``out_dim=None``) this is the model of the source:
    latent_dim = N * token_dim, and the code holds a mask token for each hidden patch. With ``out_dim`` the tokens pass through
    a code of that size first, which the source does not have.
    Source: He et al. (2022).

    Args:
        encoder: f, from images, and the indices ``visible`` of the patches that it may see, to (B, latent_dim).
        decoder: g, from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        patches: how images are cut.
        ratio: the share of patches that is hidden, rounded to whole patches; at least one is hidden and one visible.

    Raises:
        ValueError: if ``ratio`` hides no patch or all of them.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        patches: Patches,
        *,
        ratio: float = 0.75,
    ) -> None:
        hidden = round(ratio * patches.number) if 0 <= ratio <= 1 else 0
        if not 0 < hidden < patches.number:
            raise ValueError(
                f"ratio: got {ratio!r}, for {patches.number} patches; expected a share that hides some but not all"
            )
        super().__init__(encoder, decoder, likelihood)
        self.patches = patches
        self.num_visible = patches.number - hidden

    def forward(self, x: Float[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor) -> AEOutput:
        """Hide patches, encode what is visible, and decode; every set of ``num_visible`` patches is equally likely.

        The output's ``mask`` is True at each pixel of a patch that the encoder did not see, shape (B, C, H, W).
        """
        hidden = torch.ones_like(self.patches.split(x), dtype=torch.bool)
        noise = torch.rand(hidden.shape[:2], generator=generator, device=x.device)
        visible = noise.argsort(dim=1).narrow(1, 0, self.num_visible)
        z: Tensor = self.encoder(x, visible=visible, **given)
        x_hat, params = self.decoded(z, **given)
        hidden = hidden.scatter(1, visible.unsqueeze(2).expand(-1, -1, hidden.shape[2]), False)
        return AEOutput(x_hat, z, params, mask=self.patches.join(hidden))

    def loss(self, x: Float[Tensor, "B *event"], out: AEOutput, phase: str = "main") -> Loss:
        """-log p(x | z) of the hidden patches."""
        return Loss.weighted({"recon": (1.0, self.recon(x, out))})

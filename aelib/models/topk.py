"""The sparse autoencoder that keeps only the largest values of its code (variant V4)."""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from aelib import checks
from aelib.activations import BatchTopK, TopK
from aelib.core import AEOutput, Autoencoder, Loss
from aelib.likelihoods import Likelihood
from aelib.sequences import given_steps


@final
class DeadUnits(nn.Module):
    """Finds the units that no example has used for long, and makes a code of them alone.

    Args:
        latent_dim: the number of units.
        dead_after: a unit is dead when it was zero for this many training examples in a row.
        aux_k: how many dead units an example may use in the auxiliary code, the largest first; None: half of the units.
        weight: of the auxiliary loss.

    Raises:
        ValueError: if a value is below one (the weight: below zero), or ``aux_k`` above ``latent_dim``.
    """

    unused: Tensor

    def __init__(
        self, latent_dim: int, *, dead_after: int = 10_000, aux_k: int | None = None, weight: float = 1 / 32
    ) -> None:
        super().__init__()
        aux_k = math.ceil(latent_dim / 2) if aux_k is None else aux_k
        for name, value in (("latent_dim", latent_dim), ("dead_after", dead_after), ("aux_k", aux_k)):
            checks.at_least(name, value, 1)
        checks.at_least("weight", weight, 0)
        if aux_k > latent_dim:
            raise ValueError(f"aux_k: got {aux_k} with latent_dim {latent_dim}; expected at most {latent_dim}")
        self.dead_after = dead_after
        self.aux_k = aux_k
        self.weight = weight
        self.register_buffer("unused", torch.zeros(latent_dim, dtype=torch.long))

    @property
    def dead(self) -> Tensor:
        """Which units are dead, booleans of shape (latent_dim,)."""
        return self.unused >= self.dead_after

    def watch(self, z: Float[Tensor, "B latent_dim"]) -> None:
        """Count the examples since each unit was last used."""
        self.unused.add_(len(z)).masked_fill_((z > 0).any(0), 0)

    def forward(self, a: Float[Tensor, "B latent_dim"]) -> Float[Tensor, "B latent_dim"]:
        """The ``aux_k`` largest of the dead units' values, and zero elsewhere; all zero where no unit is dead.

        They pass no ReLU, so that a unit that is negative for all examples gets a gradient too.
        """
        values, indices = torch.where(self.dead, a, -torch.inf).topk(self.aux_k, dim=1)
        return torch.zeros_like(a).scatter(1, indices, torch.where(values > -torch.inf, values, 0.0))


@dataclass(frozen=True)
class TopKOutput(AEOutput):
    """An :class:`~aelib.core.AEOutput` with the reconstruction that dead units improve.

    Attributes:
        aux_params: ``params``, detached, plus what the dead units add, shape of ``params``.
    """

    aux_params: Tensor


@final
class TopKAE(Autoencoder[TopKOutput]):
    """z = select(f(x)) with at most a few active units: sparse by construction, and nothing shrinks what is kept.

    A unit that is never among the largest gets no gradient and stays dead. The auxiliary loss lets dead units reconstruct what
    the others leave: with e = g(z_dead) - g(0), for a linear g the dead units' own contribution, it is
    -log p(x | params + e) + log p(x | params) with ``params`` held fixed, the nats that e costs or saves. For a Gaussian of unit
    variance this is 1/2 ||(x - x_hat) - e||^2 up to a constant, and 0 where no unit is dead.
    Source: Gao et al. (2024), sections 2.3 and 2.4 and appendix A.2; Bussmann et al. (2024) for the batch.

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim) values that may have any sign.
        decoder: g, from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        select: which values to keep, :class:`~aelib.activations.TopK` or :class:`~aelib.activations.BatchTopK`.
        dead_units: counts the unused units and weighs the auxiliary loss.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: Likelihood,
        select: TopK | BatchTopK,
        dead_units: DeadUnits,
    ) -> None:
        super().__init__(encoder, decoder, likelihood)
        self.select = select
        self.dead_units = dead_units

    def encode(self, x: Float[Tensor, "B *event"], **given: Tensor) -> Float[Tensor, "B latent_dim"]:
        """The largest values of f(x). With :class:`~aelib.activations.BatchTopK`, call ``eval()`` first."""
        z: Tensor = self.select(self.encoder(x, **given))
        return z

    def forward(
        self, x: Float[Tensor, "B *event"], *, generator: Generator | None = None, **given: Tensor
    ) -> TopKOutput:
        """Encode and decode, and once more with the dead units; nothing is sampled, so ``generator`` is not used."""
        a = self.encoder(x, **given)
        z = self.select(a)
        x_hat, params = self.decoded(z, **given)
        z_dead = self.dead_units(a)
        contribution = self.decoder(z_dead, **given) - self.decoder(torch.zeros_like(z_dead), **given)
        if self.training:
            self.dead_units.watch(z.detach())
        return TopKOutput(x_hat, z, params, params.detach() + contribution, mask=given_steps(x, given))

    def loss(self, x: Float[Tensor, "B *event"], out: TopKOutput, phase: str = "main") -> Loss:
        """-log p(x | z), and what dead units cost or save under the name "aux"."""
        recon = self.recon(x, out)
        aux = self.likelihood.nll(out.aux_params, x, out.mask).mean() - recon.detach()
        return Loss.weighted({"recon": (1.0, recon), "aux": (self.dead_units.weight, aux)})

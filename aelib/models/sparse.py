"""The sparse autoencoder with a penalty on its code (variant V4)."""

from abc import ABC, abstractmethod
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.utils import parametrize

from aelib import checks
from aelib.core import AEOutput, DeterministicAutoencoder, Loss
from aelib.likelihoods import Likelihood
from aelib.losses import l1_norm, rate_kl


class SparsityPenalty(ABC):
    """What a code costs: a function of a batch of codes, and its weight in the loss.

    Args:
        weight: the factor of the penalty in the loss, zero or more.

    Raises:
        ValueError: if ``weight`` is below zero.
    """

    def __init__(self, weight: float) -> None:
        checks.at_least("weight", weight, 0)
        self.weight = weight

    @abstractmethod
    def __call__(self, z: Float[Tensor, "B latent_dim"]) -> Float[Tensor, ""]:
        """The penalty without its weight, a mean over the batch."""


@final
class L1(SparsityPenalty):
    """The mean L1 norm of the codes.

    For a linear decoder with orthonormal columns the best code is soft-thresholded at ``weight``.
    It is evaded by a small code and a steep decoder, unless the decoder's columns are held at unit length
    (:func:`unit_columns`) or pay for their length (weight decay).
    Source: Olshausen and Field (1996), with the absolute value as the cost of a coefficient.
    """

    def __call__(self, z: Float[Tensor, "B latent_dim"]) -> Float[Tensor, ""]:
        """The mean over the batch of sum |z_j|."""
        return l1_norm(z).mean()


@final
class KLRate(SparsityPenalty):
    """sum_j KL(Bernoulli(rho) || Bernoulli(mean of z_j)) for codes in (0, 1), such as those of a sigmoid.

    At its minimum each unit has the *mean* rho, so that the k values of a code sum to rho * k on average. That many units are
    active only if values are 0 or 1; a code with all values at rho pays nothing (erratum E8).
    Source: Ng (2011).

    Args:
        weight: the factor of the penalty in the loss, zero or more.
        rho: the target rate, in (0, 1).

    Raises:
        ValueError: if a value is out of its range.
    """

    def __init__(self, weight: float, *, rho: float = 0.05) -> None:
        super().__init__(weight)
        if not 0 < rho < 1:
            raise ValueError(f"rho: got {rho!r}; expected a rate in (0, 1)")
        self.rho = rho

    def __call__(self, z: Float[Tensor, "B latent_dim"]) -> Float[Tensor, ""]:
        """The divergence of the rates in this batch from rho.

        Raises:
            ValueError: if a code on the CPU is outside [0, 1].
        """
        if z.device.type == "cpu" and not torch.compiler.is_compiling():
            checks.within("z (a rate needs an encoder that ends in a sigmoid)", z, 0, 1)
        return rate_kl(z, self.rho)


@final
class SparseAE(DeterministicAutoencoder):
    """z = f(x), x_hat = E[x | g(z)], with a penalty that makes codes sparse.

    Args:
        encoder: f, from (B, *event_shape) to (B, latent_dim); its last activation decides what a zero is: a ReLU for
            :class:`L1`, a sigmoid for :class:`KLRate`.
        decoder: g, from (B, latent_dim) to the likelihood's parameters.
        likelihood: p(x | z).
        penalty: :class:`L1`, :class:`KLRate`, or another :class:`SparsityPenalty`.
    """

    def __init__(
        self, encoder: nn.Module, decoder: nn.Module, likelihood: Likelihood, penalty: SparsityPenalty
    ) -> None:
        super().__init__(encoder, decoder, likelihood)
        self.penalty = penalty

    def loss(self, x: Float[Tensor, "B *event"], out: AEOutput, phase: str = "main") -> Loss:
        """-log p(x | z) + weight * penalty(z)."""
        recon = self.recon(x, out)
        return Loss.weighted({"recon": (1.0, recon), "sparsity": (self.penalty.weight, self.penalty(out.z))})


class _UnitColumns(nn.Module):
    def forward(self, weight: Float[Tensor, "d k"]) -> Float[Tensor, "d k"]:
        unit: Tensor = weight / torch.linalg.vector_norm(weight, dim=0)
        return unit

    def right_inverse(self, weight: Float[Tensor, "d k"]) -> Float[Tensor, "d k"]:
        return weight


def unit_columns(layer: nn.Linear) -> nn.Linear:
    """Hold every column of the layer's weight at unit length from now on, and return the layer.

    In the first layer of a decoder a column is what one unit of the code adds; with its length fixed, a penalty on the code
    means something.
    Source: Olshausen and Field (1996), where the lengths are controlled too.
    """
    parametrize.register_parametrization(layer, "weight", _UnitColumns())
    return layer

"""Distributions over codes, apart from any model: priors to train against, and mixtures fitted on the codes of a trained model.

Each is a module, so that it moves to a device and is saved together with a model that holds it.
"""

import math
from abc import ABC, abstractmethod
from typing import final

import numpy as np
import torch
from jaxtyping import Float
from sklearn import mixture
from torch import Generator, Tensor, nn

from aelib import checks


class Sampler(nn.Module, ABC):
    """A distribution over codes that can be drawn from: ``sampler(n, generator=generator)``."""

    latent_dim: int
    """The number of values in a code."""

    @abstractmethod
    def forward(self, n: int, *, generator: Generator | None = None) -> Float[Tensor, "n latent_dim"]:
        """``n`` independent codes, drawn from ``generator`` or from torch's own."""


@final
class StandardNormal(Sampler):
    """N(0, I).

    Args:
        latent_dim: the number of values in a code.

    Raises:
        ValueError: if ``latent_dim`` is below one.
    """

    zero: Tensor

    def __init__(self, latent_dim: int) -> None:
        super().__init__()
        checks.at_least("latent_dim", latent_dim, 1)
        self.latent_dim = latent_dim
        self.register_buffer("zero", torch.zeros(()))

    def forward(self, n: int, *, generator: Generator | None = None) -> Float[Tensor, "n latent_dim"]:
        """eps from N(0, I)."""
        return _normal(n, self.latent_dim, self.zero, generator)


@final
class GaussianMixture(Sampler):
    """sum_c weights_c N(means_c, L_c L_c^T).

    Args:
        means: the centers, shape (C, latent_dim).
        scale_tril: L_c, any square roots of the covariances, shape (C, latent_dim, latent_dim).
        weights: the probability of each component, shape (C,); they are divided by their sum. None: all the same.

    Raises:
        ValueError: if shapes do not fit, values are not finite, or weights are negative or all zero.
    """

    means: Tensor
    scale_tril: Tensor
    cumulative: Tensor

    def __init__(
        self,
        means: Float[Tensor, "C latent_dim"],
        scale_tril: Float[Tensor, "C latent_dim latent_dim"],
        weights: Float[Tensor, " C"] | None = None,
    ) -> None:
        super().__init__()
        checks.batch("means", means)
        checks.at_least("the number of rows of means", len(means), 1)
        self.latent_dim = means.shape[1]
        weights = torch.ones_like(means[:, 0]) if weights is None else weights
        for argument, value, expected in (
            ("scale_tril", scale_tril, (len(means), self.latent_dim, self.latent_dim)),
            ("weights", weights, (len(means),)),
        ):
            if value.shape != expected:
                raise ValueError(f"{argument}: got shape {tuple(value.shape)}; expected {expected}, to go with means")
            checks.finite(argument, value)
        checks.finite("means", means)
        if not (weights >= 0).all() or not weights.sum() > 0:
            raise ValueError(f"weights: got {weights.tolist()}; expected values of at least 0, not all of them 0")
        self.register_buffer("means", means)
        self.register_buffer("scale_tril", scale_tril)
        self.register_buffer("cumulative", weights.cumsum(0) / weights.sum())

    @classmethod
    def ring(cls, num_components: int, *, radius: float = 4.0, std: float = 0.5) -> "GaussianMixture":
        """Equal components N(m_c, std^2 I) in the plane, with centers spaced evenly on a circle about the origin.

        Raises:
            ValueError: if there are no components, or ``radius`` or ``std`` is below zero.
        """
        for argument, value, minimum in (("num_components", num_components, 1), ("radius", radius, 0), ("std", std, 0)):
            checks.at_least(argument, value, minimum)
        angles = torch.arange(num_components) * (2 * math.pi / num_components)
        means = radius * torch.stack([angles.cos(), angles.sin()], dim=1)
        return cls(means, (std * torch.eye(2)).repeat(num_components, 1, 1))

    @classmethod
    def fitted(cls, z: Float[Tensor, "N latent_dim"], num_components: int, *, seed: int = 0) -> "GaussianMixture":
        """The mixture with full covariances that scikit-learn's EM algorithm fits to the codes ``z``.

        A deterministic autoencoder has no prior of its own; decoded draws from this mixture are its samples. Fitted on the codes
        of a VAE it can follow the aggregated posterior where N(0, I) does not. Source: Ghosh et al. (2020), section 4.

        Raises:
            ValueError: if ``z`` is no batch of vectors, not finite, or has fewer rows than ``num_components`` (or than two).
        """
        checks.batch("z", z, z.shape[-1:])
        checks.finite("z", z)
        checks.at_least("num_components", num_components, 1)
        checks.at_least("the number of rows of z", len(z), max(2, num_components))
        fit = mixture.GaussianMixture(num_components, random_state=seed).fit(z.detach().cpu().double().numpy())
        found = (fit.means_, np.linalg.cholesky(fit.covariances_), fit.weights_)
        return cls(*(torch.from_numpy(value).to(z) for value in found))

    def forward(self, n: int, *, generator: Generator | None = None) -> Float[Tensor, "n latent_dim"]:
        """Choose a component c, then means_c + L_c eps with eps from N(0, I)."""
        u = _uniform(n, self.means, generator)
        # The last bound may be rounded to below one.
        chosen = torch.searchsorted(self.cumulative, u, right=True).clamp(max=len(self.means) - 1)
        eps = _normal(n, self.latent_dim, self.means, generator)
        scale_tril = self.scale_tril.index_select(0, chosen)
        return self.means.index_select(0, chosen) + (scale_tril @ eps.unsqueeze(2)).squeeze(2)


@final
class SwissRoll(Sampler):
    """A spiral in the plane, radius * s (cos t, sin t) with t = 3 pi s, plus noise; s^2 is uniform in [1/9, 1].

    s^2 rather than s is uniform because the spiral's length grows almost as s^2: the roll is then about equally dense everywhere.
    Source: Makhzani et al. (2015), for a roll as the prior of codes.

    Args:
        radius: the distance of the outer end from the origin, in units of the code.
        noise: the standard deviation of N(0, noise^2 I), in units of the code.

    Raises:
        ValueError: if a value is below zero or not finite.
    """

    radius: Tensor

    def __init__(self, *, radius: float = 4.0, noise: float = 0.1) -> None:
        super().__init__()
        for argument, value in (("radius", radius), ("noise", noise)):
            if not 0 <= value < math.inf:
                raise ValueError(f"{argument}: got {value!r}; expected a finite number of at least 0")
        self.latent_dim = 2
        self.noise = noise
        self.register_buffer("radius", torch.tensor(float(radius)))

    def forward(self, n: int, *, generator: Generator | None = None) -> Float[Tensor, "n latent_dim"]:
        """Draw the place on the spiral, then the noise."""
        s = (1 / 9 + 8 / 9 * _uniform(n, self.radius, generator)).sqrt()
        t = 3 * math.pi * s
        spiral = self.radius * torch.stack([s * t.cos(), s * t.sin()], dim=1)
        return spiral + self.noise * _normal(n, 2, self.radius, generator)


def _normal(n: int, k: int, like: Tensor, generator: Generator | None) -> Tensor:
    checks.at_least("n", n, 0)
    return torch.randn(n, k, generator=generator, device=like.device, dtype=like.dtype)


def _uniform(n: int, like: Tensor, generator: Generator | None) -> Tensor:
    checks.at_least("n", n, 0)
    return torch.rand(n, generator=generator, device=like.device, dtype=like.dtype)

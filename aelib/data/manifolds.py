"""Points on curves and surfaces whose charts are known, and a Gaussian mixture.

Each point is an exact point of the manifold plus isotropic Gaussian noise; the labels are the coordinates of the exact
point. The Swiss roll, the S-curve and the moons are those of scikit-learn, drawn with torch's random numbers.
"""

import math

import torch
from torch import Tensor

from aelib import checks
from aelib.data.dataset import Dataset


def swiss_roll(n: int = 1_000, *, noise: float = 0.0, seed: int = 0) -> Dataset:
    """The Swiss roll (t cos t, h, t sin t), after Marsland (2014).

    Args:
        n: how many points, at least 1.
        noise: standard deviation of the noise in each coordinate, in data units.
        seed: the seed of points and noise.

    Returns:
        ``x`` of shape (n, 3); labels ``angle``, t uniform in [1.5 pi, 4.5 pi], and ``height``, h uniform in [0, 21].

    Raises:
        ValueError: if ``n`` is below 1 or ``noise`` is negative.
    """
    generator = _generator(n, seed)
    t = _uniform(n, 1.5 * math.pi, 4.5 * math.pi, generator)
    h = _uniform(n, 0, 21, generator)
    exact = torch.stack([t * t.cos(), h, t * t.sin()], dim=1)
    return Dataset(_with_noise(exact, noise, generator), {"angle": t, "height": h})


def s_curve(n: int = 1_000, *, noise: float = 0.0, seed: int = 0) -> Dataset:
    """The S-curve (sin t, h, sign(t) (cos t - 1)): two cylinders of radius 1 that touch along t = 0.

    Args:
        n: how many points, at least 1.
        noise: standard deviation of the noise in each coordinate, in data units.
        seed: the seed of points and noise.

    Returns:
        ``x`` of shape (n, 3); labels ``angle``, t uniform in [-1.5 pi, 1.5 pi], and ``height``, h uniform in [0, 2].

    Raises:
        ValueError: if ``n`` is below 1 or ``noise`` is negative.
    """
    generator = _generator(n, seed)
    t = _uniform(n, -1.5 * math.pi, 1.5 * math.pi, generator)
    h = _uniform(n, 0, 2, generator)
    exact = torch.stack([t.sin(), h, t.sign() * (t.cos() - 1)], dim=1)
    return Dataset(_with_noise(exact, noise, generator), {"angle": t, "height": h})


def circle(n: int = 1_000, *, noise: float = 0.0, seed: int = 0) -> Dataset:
    """The unit circle (cos t, sin t).

    Args:
        n: how many points, at least 1.
        noise: standard deviation of the noise in each coordinate, in data units.
        seed: the seed of points and noise.

    Returns:
        ``x`` of shape (n, 2); label ``angle``, t uniform in [0, 2 pi].

    Raises:
        ValueError: if ``n`` is below 1 or ``noise`` is negative.
    """
    generator = _generator(n, seed)
    t = _uniform(n, 0, 2 * math.pi, generator)
    exact = torch.stack([t.cos(), t.sin()], dim=1)
    return Dataset(_with_noise(exact, noise, generator), {"angle": t})


def helix(n: int = 1_000, *, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Three turns of the helix (cos t, sin t, t / (2 pi)), which climbs by 1 in a turn.

    Args:
        n: how many points, at least 1.
        noise: standard deviation of the noise in each coordinate, in data units.
        seed: the seed of points and noise.

    Returns:
        ``x`` of shape (n, 3); label ``angle``, t uniform in [0, 6 pi]. Arc length is proportional to t.

    Raises:
        ValueError: if ``n`` is below 1 or ``noise`` is negative.
    """
    generator = _generator(n, seed)
    t = _uniform(n, 0, 6 * math.pi, generator)
    exact = torch.stack([t.cos(), t.sin(), t / (2 * math.pi)], dim=1)
    return Dataset(_with_noise(exact, noise, generator), {"angle": t})


def moons(n: int = 1_000, *, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Two interleaved half circles: (cos t, sin t) and (1 - cos t, 1/2 - sin t).

    Args:
        n: how many points, at least 1.
        noise: standard deviation of the noise in each coordinate, in data units.
        seed: the seed of points and noise.

    Returns:
        ``x`` of shape (n, 2); labels ``moon`` (a class, each with probability 1/2) and ``angle``, t uniform in [0, pi].

    Raises:
        ValueError: if ``n`` is below 1 or ``noise`` is negative.
    """
    generator = _generator(n, seed)
    moon = torch.randint(2, (n,), generator=generator)
    t = _uniform(n, 0, math.pi, generator)
    upper = torch.stack([t.cos(), t.sin()], dim=1)
    lower = torch.stack([1 - t.cos(), 0.5 - t.sin()], dim=1)
    exact = torch.where(moon[:, None] == 0, upper, lower)
    return Dataset(_with_noise(exact, noise, generator), {"moon": moon, "angle": t}, {"moon": ("upper", "lower")})


def gaussian_mixture(
    n: int = 1_000,
    *,
    means: Tensor,
    scale: float | Tensor = 1.0,
    weights: Tensor | None = None,
    seed: int = 0,
) -> Dataset:
    """Points of the mixture sum_k w_k N(m_k, s_k^2 I).

    Args:
        n: how many points, at least 1.
        means: the means m_k, shape (K, d).
        scale: the standard deviation s of every component, or shape (K,) for one each; 0 gives the means themselves.
        weights: the probabilities w_k, shape (K,), up to a common factor; without them all are equal.
        seed: the seed of components and points.

    Returns:
        ``x`` of shape (n, d); label ``component`` (a class, named "0" to "K-1").

    Raises:
        ValueError: if ``n`` is below 1, a shape is wrong, a number is not finite, a scale or weight is negative, or all
            weights are 0.
    """
    if means.ndim != 2 or len(means) == 0:
        raise ValueError(f"means: got shape {tuple(means.shape)}; expected (K, d) with K at least 1")
    num_components = len(means)
    scales = torch.as_tensor(scale, dtype=torch.float32)
    if scales.ndim == 0:
        scales = scales.expand(num_components)
    weights = torch.ones(num_components) if weights is None else weights
    checks.finite("means", means)
    for name, values in (("scale", scales), ("weights", weights)):
        if tuple(values.shape) != (num_components,):
            raise ValueError(
                f"{name}: got shape {tuple(values.shape)}; expected ({num_components},), one for each mean"
            )
        checks.finite(name, values)
        checks.at_least(name, values.min().item(), 0)
    if not weights.any():
        raise ValueError(f"weights: got {weights.tolist()}; expected at least one above 0")

    generator = _generator(n, seed)
    component = torch.multinomial(weights.double(), n, replacement=True, generator=generator)
    eps = torch.randn(n, means.shape[1], generator=generator)
    x = means[component].float() + scales[component, None] * eps
    return Dataset(x, {"component": component}, {"component": tuple(map(str, range(num_components)))})


def _generator(n: int, seed: int) -> torch.Generator:
    checks.at_least("n", n, 1)
    return torch.Generator().manual_seed(seed)


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return low + (high - low) * torch.rand(n, generator=generator)


def _with_noise(exact: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    checks.at_least("noise", noise, 0)
    return exact + noise * torch.randn(exact.shape, generator=generator)

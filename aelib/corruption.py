"""Corruptions: what may happen to an example before a denoising autoencoder sees it.

Each function below returns a corruption, a callable ``corruption(x, generator) -> x_tilde`` that draws anew at every call and
leaves ``x`` as it was. Any callable of this form will do in their place.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Float, Shaped
from torch import Generator, Tensor

Corruption = Callable[[Tensor, Generator | None], Tensor]
"""Takes examples and a source of randomness (None is torch's own) and gives corrupted examples of the same shape."""


def gaussian(sigma: float) -> Corruption:
    """x_tilde = x + sigma * eps with eps from N(0, I).

    Args:
        sigma: the standard deviation of the noise, in the units of the data; zero or more.

    Raises:
        ValueError: if ``sigma`` is negative, NaN or infinite.
    """
    if not 0 <= sigma < math.inf:
        raise ValueError(f"sigma: got {sigma!r}; expected a finite number of at least 0")
    return partial(_gaussian, sigma)


def masking(p: float) -> Corruption:
    """Set each value to zero with probability ``p``, independently; the others stay as they are.

    On average x_tilde is (1 - p) x, so it is not unbiased; :func:`dropout` is.
    Source: Vincent et al. (2010), where a fixed *number* of values is masked instead.

    Raises:
        ValueError: if ``p`` is not in [0, 1].
    """
    _probability(p)
    return partial(_masking, p)


def dropout(p: float) -> Corruption:
    """Masking with probability ``p``, and the values that stay divided by 1 - p, so that the mean of x_tilde is x.

    Source: Srivastava et al. (2014), section 10.

    Raises:
        ValueError: if ``p`` is not in [0, 1).
    """
    if not 0 <= p < 1:
        raise ValueError(f"p: got {p!r}; expected a probability in [0, 1)")
    return partial(_dropout, p)


def salt_and_pepper(p: float, low: float = 0.0, high: float = 1.0) -> Corruption:
    """Replace each value with probability ``p``, independently, by ``low`` or ``high``, which are equally likely.

    Source: Vincent et al. (2010).

    Args:
        p: the probability that a value is replaced.
        low: the least value of the data, "pepper".
        high: the largest value of the data, "salt".

    Raises:
        ValueError: if ``p`` is not in [0, 1], or if ``low`` is not below ``high``.
    """
    _probability(p)
    if not low < high:
        raise ValueError(f"low, high: got {low!r} and {high!r}; expected low to be below high")
    return partial(_salt_and_pepper, p, low, high)


def _probability(p: float) -> None:
    if not 0 <= p <= 1:
        raise ValueError(f"p: got {p!r}; expected a probability in [0, 1]")


def _hits(p: float, x: Tensor, generator: Generator | None) -> Tensor:
    """True with probability ``p``, in the shape of ``x``."""
    return torch.empty_like(x, dtype=torch.bool).bernoulli_(p, generator=generator)


def _gaussian(sigma: float, x: Float[Tensor, "B *event"], generator: Generator | None) -> Float[Tensor, "B *event"]:
    return x + sigma * torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)


def _masking(p: float, x: Shaped[Tensor, "B *event"], generator: Generator | None) -> Shaped[Tensor, "B *event"]:
    return x.masked_fill(_hits(p, x, generator), 0)


def _dropout(p: float, x: Float[Tensor, "B *event"], generator: Generator | None) -> Float[Tensor, "B *event"]:
    return _masking(p, x, generator) / (1 - p)


def _salt_and_pepper(
    p: float, low: float, high: float, x: Shaped[Tensor, "B *event"], generator: Generator | None
) -> Shaped[Tensor, "B *event"]:
    replaced, salt = _hits(p, x, generator), _hits(0.5, x, generator)
    return x.masked_fill(replaced & salt, high).masked_fill(replaced & ~salt, low)

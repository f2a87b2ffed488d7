"""Rate and distortion: what codes cost as bytes, once they are rounded, and what the rounding costs in the reconstruction."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from aelib import checks
from aelib.metrics.coder import entropy_encode
from aelib.metrics.reconstruction import mean_squared_error


@dataclass(frozen=True)
class RatePoint:
    """One point of a rate-distortion curve.

    Attributes:
        step: the distance between neighboring levels of a rounded code.
        bytes_per_example: the size of all coded examples, tables included, divided by their number; lower is better.
        bits_per_value: the same in bits per value of ``x``: bits per pixel for images with one channel.
        mse: the mean of (x - x_hat)^2 over all values, in squared data units; lower is better.
    """

    step: float
    bytes_per_example: float
    bits_per_value: float
    mse: float


def quantize(z: Float[Tensor, "N *code"], step: float) -> Shaped[Tensor, "N *code"]:
    """round(z / step) as 64-bit integers; step times these is off by half a step at most.

    Raises:
        ValueError: if ``step`` is not above 0, codes are not finite, or a level does not fit in 53 bits.
    """
    if not 0 < step < math.inf:
        raise ValueError(f"step: got {step!r}; expected a finite number above 0")
    checks.finite("z", z)
    levels = (z.double() / step).round()
    checks.within("z / step", levels, -(2.0**53), 2.0**53)
    return levels.long()


@torch.no_grad()
def rate_distortion(
    x: Float[Tensor, "N *event"],
    z: Float[Tensor, "N *code"],
    decode: Callable[[Tensor], Tensor],
    steps: Sequence[float],
    *,
    batch_size: int = 256,
) -> list[RatePoint]:
    """Round the codes uniformly, code the integers with :func:`~aelib.metrics.entropy_encode`, and decode what was rounded.

    Each unit of the code has its own table of frequencies, taken from the codes themselves and counted in the size. All N
    examples share the tables, so that few examples cost more each. The decoder's weights are not counted.

    Args:
        x: the examples.
        z: their codes, in any shape; each value of one example's code is a unit.
        decode: from codes to reconstructions, such as ``model.decode``.
        steps: the distances between levels to try. In units of the codes: a model with larger codes needs larger steps.
        batch_size: examples that go through ``decode`` at a time.

    Returns:
        A point for each step, in their order.

    Raises:
        ValueError: if there are not as many codes as examples, a step is not above 0, or codes are not finite.
    """
    if len(x) != len(z) or len(x) == 0:
        raise ValueError(f"z: got {len(z)} codes for {len(x)} examples; expected one for each, and at least one")
    points = []
    for step in steps:
        levels = quantize(z, step)
        size = sum(len(entropy_encode(unit.cpu().numpy())) for unit in levels.flatten(1).T)
        rounded = (levels.double() * step).to(z.dtype)
        x_hat = torch.cat([decode(batch) for batch in rounded.split(batch_size)])
        bits_per_value = 8 * size / x.numel()
        points.append(RatePoint(step, size / len(x), bits_per_value, mean_squared_error(x, x_hat)))
    return points

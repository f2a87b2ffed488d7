"""Walks through a latent space: straight lines, arcs, and along one unit."""

import torch
from jaxtyping import Float
from torch import Tensor

from aelib import checks


def lerp(
    a: Float[Tensor, "B latent_dim"], b: Float[Tensor, "B latent_dim"], t: Float[Tensor, " T"]
) -> Float[Tensor, "T B latent_dim"]:
    """(1 - t) a + t b for each t: the straight line from a, at t = 0, to b, at t = 1; beyond these it goes on.

    Between two independent codes from N(0, I) its middle is shorter than both, by sqrt(2) on average, and in high dimension
    lies where the prior has next to no mass; :func:`slerp` keeps the length.

    Raises:
        ValueError: if the shapes differ.
    """
    _check_ends(a, b)
    t = t.to(a)[:, None, None]
    return (1 - t) * a + t * b


def slerp(
    a: Float[Tensor, "B latent_dim"], b: Float[Tensor, "B latent_dim"], t: Float[Tensor, " T"]
) -> Float[Tensor, "T B latent_dim"]:
    """(sin((1 - t) w) a + sin(t w) b) / sin(w) for each t, with w the angle between a and b, below 180 degrees.

    Where a and b have the same length this is the shorter arc of the sphere through both, at constant speed. Where their lengths
    differ it leads smoothly from one to the other. Where they are parallel, or one is 0, there is no arc, and this is
    :func:`lerp`.
    Source: Shoemake (1985); White (2016) for latent codes.

    Raises:
        ValueError: if the shapes differ, or a and b point in opposite directions, between which there is no shortest arc.
    """
    _check_ends(a, b)
    length_a, length_b = a.norm(dim=1, keepdim=True), b.norm(dim=1, keepdim=True)
    # Unlike the arc cosine this is exact for small angles too. With a zero vector both norms are 0 and so is the angle.
    apart, together = (a * length_b - b * length_a).norm(dim=1), (a * length_b + b * length_a).norm(dim=1)
    angle = 2 * torch.atan2(apart, together)
    tiny = torch.finfo(a.dtype).eps ** 0.5
    if (angle > torch.pi - tiny).any():
        row = int((angle > torch.pi - tiny).nonzero()[0])
        raise ValueError(
            f"b: row {row} points away from row {row} of a; expected directions less than 180 degrees apart"
        )
    t, angle = t.to(a)[:, None, None], angle[:, None]
    arc = (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)
    return torch.where(angle > tiny, arc, (1 - t) * a + t * b)


def traversal(
    z: Float[Tensor, "B latent_dim"], unit: int, values: Float[Tensor, " T"]
) -> Float[Tensor, "T B latent_dim"]:
    """Copies of the codes in which one unit takes each of ``values`` in turn, and all others stay.

    Raises:
        ValueError: if there is no such unit.
    """
    _check_unit(z, unit)
    walk = z.expand(len(values), *z.shape).clone()
    walk[:, :, unit] = values.to(z)[:, None]
    return walk


def unit_quantiles(z: Float[Tensor, "N latent_dim"], unit: int, q: Float[Tensor, " T"]) -> Float[Tensor, " T"]:
    """The quantiles of one unit over a data set, with linear interpolation: values for :func:`traversal` that do occur.

    Args:
        z: the codes of a data set.
        unit: the number of the unit, from 0.
        q: which quantiles, from 0 for the smallest value to 1 for the largest.

    Raises:
        ValueError: if there are no codes or no such unit, or ``q`` is out of range.
    """
    _check_unit(z, unit)
    checks.at_least("the number of examples in z", len(z), 1)
    checks.within("q", q, 0, 1)
    # torch.quantile refuses more than 16 million values; one unit of a data set may have more.
    ordered = z[:, unit].sort().values
    position = q.to(ordered) * (len(z) - 1)
    below, above = position.floor().long(), position.ceil().long()
    return torch.lerp(ordered[below], ordered[above], position - below)


def _check_ends(a: Tensor, b: Tensor) -> None:
    checks.batch("a", a)
    checks.batch("b", b, a.shape[1:])
    if len(a) != len(b):
        raise ValueError(f"b: got {len(b)} codes; expected {len(a)}, as in a")


def _check_unit(z: Tensor, unit: int) -> None:
    checks.batch("z", z)
    if not 0 <= unit < z.shape[1]:
        raise ValueError(f"unit: got {unit}; expected 0 to {z.shape[1] - 1}")

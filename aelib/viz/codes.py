"""Codes of two values, with their classes."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from torch import Tensor

from aelib import checks


def class_scatter(
    ax: Axes, z: Float[Tensor, "N 2"], classes: Int[Tensor, " M"], names: Sequence[str], *, size: float = 22.0
) -> None:
    """Codes in the plane, each one drawn as the name of its class, so that colors need not tell all classes apart.

    Args:
        ax: where to draw.
        z: the codes.
        classes: the class of each code, from 0.
        names: the name of each class; one or two characters can be read.
        size: the area of a mark, in square points.

    Raises:
        ValueError: if the codes are not in the plane, or there is not one class with a name for each of them.
    """
    checks.batch("z", z, (2,))
    if len(classes) != len(z):
        raise ValueError(f"classes: got {len(classes)}; expected one for each of the {len(z)} codes")
    checks.within("classes", classes, 0, len(names) - 1)
    for number in torch.unique(classes).tolist():
        across, up = z[classes == number].T.tolist()
        marker = rf"$\mathrm{{{names[number]}}}$"
        ax.scatter(across, up, s=size, color=f"C{number % 7}", marker=marker, linewidths=0, alpha=0.85)
    ax.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")

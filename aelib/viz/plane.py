"""Data in the plane."""

from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from aelib import checks


def reconstructions(ax: Axes, x: Float[Tensor, "N 2"], x_hat: Float[Tensor, "N 2"]) -> None:
    """Points, their reconstructions, and the line from each to its own: the squared lengths are what the loss adds up.

    Raises:
        ValueError: if the points are not in the plane, or the shapes differ.
    """
    checks.batch("x", x, (2,))
    checks.batch("x_hat", x_hat, (2,))
    for point, reconstruction in zip(x.tolist(), x_hat.tolist(), strict=True):
        ax.plot(*zip(point, reconstruction, strict=True), color="0.6", linewidth=1, zorder=1)
    ax.scatter(*x.T.tolist(), color="C0", label="data $x$", zorder=2)
    ax.scatter(*x_hat.T.tolist(), color="C1", marker="x", label=r"reconstruction $\hat{x}$", zorder=3)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    ax.legend()

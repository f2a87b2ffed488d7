"""Quantities along a line: training epochs, components."""

from collections.abc import Sequence

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from aelib import checks


def learning_curve(
    ax: Axes, values: Sequence[float], *, label: str, reference: tuple[str, float] | None = None, every: int = 1
) -> None:
    """A value after each epoch, with a dashed line at a value to compare with.

    Args:
        ax: where to draw; label its y axis with the quantity and its unit.
        values: one value for each ``every`` epochs, the first after epoch ``every``.
        label: the curve's name in the legend.
        reference: the dashed line's (name, value).
        every: epochs between two values.
    """
    ax.plot([every * (i + 1) for i in range(len(values))], values, label=label)
    if reference is not None:
        name, value = reference
        ax.axhline(value, color="black", linestyle="--", linewidth=1.2, label=name)
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True))  # there is no half epoch
    ax.legend()


def spectrum(ax: Axes, eigenvalues: Float[Tensor, " d"], *, keep: int) -> None:
    """Eigenvalues as bars, the ``keep`` largest, which a code of that size retains, apart from those it discards.

    Raises:
        ValueError: if ``keep`` is negative.
    """
    checks.at_least("keep", keep, 0)
    values = eigenvalues.sort(descending=True).values.tolist()
    positions = range(1, len(values) + 1)
    ax.bar(positions[:keep], values[:keep], color="C0", label=f"kept: {sum(values[:keep]):.3g}")
    ax.bar(positions[keep:], values[keep:], color="C1", label=f"discarded: {sum(values[keep:]):.3g}")
    ax.set(xlabel="component", ylabel="variance (squared data units)")
    ax.legend()

"""Images side by side."""

import math

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from aelib import checks


def image_grid(
    ax: Axes, images: Float[Tensor, "N C H W"], *, columns: int | None = None, low: float = 0.0, high: float = 1.0
) -> None:
    """Tile ``N`` images on one axes, row by row, with a line between them.

    Args:
        ax: where to draw.
        images: gray (C = 1) or color (C = 3).
        columns: images in a row; None takes one row.
        low: the value that is drawn black; for color images 0 is used.
        high: the value that is drawn white; for color images 1 is used.

    Raises:
        ValueError: if the images do not have 1 or 3 channels, or there are none.
    """
    checks.at_least("the number of images", len(images), 1)
    n, channels, height, width = images.shape
    if channels not in (1, 3):
        raise ValueError(f"images: got {channels} channels; expected 1 (gray) or 3 (color)")
    columns = columns or n
    rows = math.ceil(n / columns)
    # Empty places and the lines between images are NaN, which matplotlib leaves blank.
    canvas = torch.full((rows, columns, height + 1, width + 1, channels), math.nan)
    canvas.view(-1, height + 1, width + 1, channels)[:n, :height, :width] = images.detach().cpu().permute(0, 2, 3, 1)
    tiled = canvas.permute(0, 2, 1, 3, 4).reshape(rows * (height + 1), columns * (width + 1), channels)[:-1, :-1]
    pixels = tiled.nan_to_num(1.0) if channels == 3 else tiled.squeeze(2)
    ax.imshow(pixels.numpy(), vmin=low, vmax=high)
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)

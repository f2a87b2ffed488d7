"""Convolutional encoders and decoders for images of any size. They know no model."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from aelib import checks


def receptive_field(steps: Sequence[tuple[int, int]]) -> int:
    """How many pixels, in a row, one value of the last feature map depends on: 1 + sum_l (k_l - 1) prod_(i<l) s_i.

    Args:
        steps: (kernel size k_l, stride s_l) of each convolution or pooling, in order.
    """
    field, stride = 1, 1
    for kernel_size, own_stride in steps:
        field += (kernel_size - 1) * stride
        stride *= own_stride
    return field


def _halved(event_shape: Sequence[int], channels: Sequence[int]) -> list[tuple[int, int]]:
    """(height, width) before the first level and after each; an odd size 2n + 1 becomes n + 1."""
    checks.image_shape("event_shape", event_shape)
    checks.at_least("the number of channels given", len(channels), 1)
    for size in channels:
        checks.at_least("channels", size, 1)
    sizes = [(event_shape[1], event_shape[2])]
    for _ in channels:
        height, width = sizes[-1]
        sizes.append((math.ceil(height / 2), math.ceil(width / 2)))
    return sizes


def _odd(kernel_size: int) -> None:
    if kernel_size < 1 or kernel_size % 2 == 0:
        raise ValueError(
            f"kernel_size: got {kernel_size}; expected an odd number, so that a kernel has a pixel in its middle"
        )


class ConvEncoder(nn.Module):
    """An image to a vector: each level convolves and halves the height and the width, rounding up; then one affine map.

    "stride" halves with the convolution itself, which computes a quarter of the values; "pool" convolves at full size and then
    keeps the largest of every 2 x 2 values, which also keeps a feature that has moved by one pixel.

    Args:
        event_shape: (channels, height, width) of an image; any size.
        channels: of each level, in order.
        out_dim: the number of values that come out.
        down: "stride" or "pool".
        kernel_size: of every convolution; odd.
        activation: makes the module that follows each convolution.

    Attributes:
        features: the levels, from (B, *event_shape) to the last feature map.
        steps: (kernel size, stride) of each convolution and pooling, for :func:`receptive_field`.

    Raises:
        ValueError: for a size below one, an even kernel size, or another ``down``.
    """

    def __init__(
        self,
        event_shape: Sequence[int],
        channels: Sequence[int],
        out_dim: int,
        *,
        down: str = "stride",
        kernel_size: int = 3,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        checks.choice("down", down, ("stride", "pool"))
        _odd(kernel_size)
        checks.at_least("out_dim", out_dim, 1)
        height, width = _halved(event_shape, channels)[-1]
        self.event_shape = tuple(event_shape)
        stride = 2 if down == "stride" else 1
        levels: list[nn.Module] = []
        for fan_in, fan_out in pairwise([event_shape[0], *channels]):
            levels += [nn.Conv2d(fan_in, fan_out, kernel_size, stride, kernel_size // 2), activation()]
            if down == "pool":
                levels += [nn.MaxPool2d(2, ceil_mode=True)]
        self.features = nn.Sequential(*levels)
        level = [(kernel_size, 2)] if down == "stride" else [(kernel_size, 1), (2, 2)]
        self.steps = level * len(channels)
        self.to_out = nn.Linear(channels[-1] * height * width, out_dim)

    def forward(self, x: Float[Tensor, "B *event"]) -> Float[Tensor, "B out_dim"]:
        """Map (B, *event_shape) to (B, out_dim).

        Raises:
            ValueError: if ``x`` has another shape.
        """
        checks.batch("x", x, self.event_shape)
        out: Tensor = self.to_out(self.features(x).flatten(1))
        return out


class ConvDecoder(nn.Module):
    """A vector to an image: one affine map, then levels that each double the height and the width.

    It mirrors a :class:`ConvEncoder` with the same channels in reverse. Where the encoder rounded up an odd size, the last row or
    column is cut off, so that the output has exactly the shape ``event_shape``.

    A transposed convolution whose kernel size its stride of 2 does not divide adds up a different number of inputs in
    neighboring pixels, which shows as a checkerboard; "resize" (each pixel four times, then a convolution) and a transposed
    convolution with an even kernel do not. Source: Odena et al. (2016).

    Args:
        in_dim: the number of values that go in.
        channels: of the input of each level, in order.
        event_shape: (channels, height, width) of an image; any size.
        up: "resize" or "transpose".
        kernel_size: of every convolution; odd for "resize", at least 2 for "transpose". None: 3 for "resize", 4 for "transpose".
        activation: makes the module that comes before each level.

    Raises:
        ValueError: for a size below one, a kernel size that does not suit ``up``, or another ``up``.
    """

    def __init__(
        self,
        in_dim: int,
        channels: Sequence[int],
        event_shape: Sequence[int],
        *,
        up: str = "resize",
        kernel_size: int | None = None,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        checks.choice("up", up, ("resize", "transpose"))
        checks.at_least("in_dim", in_dim, 1)
        if kernel_size is None:
            kernel_size = 3 if up == "resize" else 4
        if up == "resize":
            _odd(kernel_size)
        else:
            checks.at_least("kernel_size", kernel_size, 2)
        start, *self.sizes = reversed(_halved(event_shape, channels))
        self.start_shape = (channels[0], *start)
        self.in_dim = in_dim
        self.from_in = nn.Linear(in_dim, math.prod(self.start_shape))
        self.levels = nn.ModuleList()
        for fan_in, fan_out in pairwise([*channels, event_shape[0]]):
            if up == "resize":
                grow: list[nn.Module] = [nn.Upsample(scale_factor=2)]
                grow += [nn.Conv2d(fan_in, fan_out, kernel_size, padding=kernel_size // 2)]
            else:
                odd = kernel_size % 2
                grow = [nn.ConvTranspose2d(fan_in, fan_out, kernel_size, 2, (kernel_size - 1) // 2, odd)]
            self.levels.append(nn.Sequential(activation(), *grow))

    def forward(self, z: Float[Tensor, "B in_dim"]) -> Float[Tensor, "B C H W"]:
        """Map (B, in_dim) to (B, *event_shape).

        Raises:
            ValueError: if ``z`` has another shape.
        """
        checks.batch("z", z, (self.in_dim,))
        h: Tensor = self.from_in(z).reshape(len(z), *self.start_shape)
        for level, (height, width) in zip(self.levels, self.sizes):
            h = level(h).narrow(2, 0, height).narrow(3, 0, width)
        return h

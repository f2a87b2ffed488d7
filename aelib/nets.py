"""Encoders and decoders. They know shapes and layers, and nothing of the models that use them."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from jaxtyping import Float
from torch import Tensor, nn

from aelib import checks


class MLP(nn.Module):
    """A fully connected network from any shape to any shape: h_0 = x, h_l = activation(W_l h_(l-1) + b_l), the last layer affine.

    Without hidden layers it is one affine map, W x + b.

    Args:
        in_shape: the shape of one input, such as (1, 28, 28).
        hidden_dims: the width of each hidden layer; may be empty.
        out_shape: the shape of one output, such as (latent_dim,).
        activation: makes the module that follows each hidden layer.

    Raises:
        ValueError: if a size is below one.
    """

    def __init__(
        self,
        in_shape: Sequence[int],
        hidden_dims: Sequence[int],
        out_shape: Sequence[int],
        *,
        activation: Callable[[], nn.Module] = nn.ReLU,
    ) -> None:
        super().__init__()
        for argument, sizes in (("in_shape", in_shape), ("hidden_dims", hidden_dims), ("out_shape", out_shape)):
            for size in sizes:
                checks.at_least(argument, size, 1)
        self.in_shape, self.out_shape = tuple(in_shape), tuple(out_shape)
        widths = [math.prod(in_shape), *hidden_dims, math.prod(out_shape)]
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(widths):
            layers += [nn.Linear(fan_in, fan_out), activation()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, x: Float[Tensor, "B *event"]) -> Float[Tensor, "B *out"]:
        """Map (B, *in_shape) to (B, *out_shape).

        Raises:
            ValueError: if ``x`` has another shape.
        """
        checks.batch("x", x, self.in_shape)
        out: Tensor = self.layers(x.flatten(1))
        return out.reshape(len(x), *self.out_shape)

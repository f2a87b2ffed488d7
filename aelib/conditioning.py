"""Networks that also see the class of an example: what turns any model into a conditional one."""

from typing import final

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from aelib import checks


@final
class Conditioned(nn.Module):
    """net([x, code of y]): the input, made flat, with a code of its class behind it.

    A model passes what an example comes with to its encoder and decoder by name, so a VAE whose encoder and decoder are wrapped
    in this is a conditional VAE: ``model(x, y=y)``, ``model.sample(n, y=y)``.

    Args:
        net: takes (B, d + c), where d is the number of values of an input and c that of the code of a class.
        num_classes: the number of classes, at least one.
        embed_dim: c values for each class that are learned; None: c = num_classes values, 1 for the class and 0 elsewhere.

    Raises:
        ValueError: if ``num_classes`` or ``embed_dim`` is below one.
    """

    def __init__(self, net: nn.Module, num_classes: int, *, embed_dim: int | None = None) -> None:
        super().__init__()
        checks.at_least("num_classes", num_classes, 1)
        if embed_dim is not None:
            checks.at_least("embed_dim", embed_dim, 1)
        self.net = net
        self.num_classes = num_classes
        self.embedding = None if embed_dim is None else nn.Embedding(num_classes, embed_dim)

    def forward(self, x: Float[Tensor, "B *event"], *, y: Int[Tensor, " B"]) -> Shaped[Tensor, "B *out"]:
        """Apply the network to inputs ``x`` of the classes ``y``, integers from 0 to num_classes - 1.

        Raises:
            ValueError: if there is not one class for each input or, where looking does not stall a GPU, for a class out of range.
        """
        if y.shape != x.shape[:1]:
            raise ValueError(f"y: got shape {tuple(y.shape)}; expected ({len(x)},), one class for each example of x")
        if y.device.type == "cpu" and not torch.compiler.is_compiling():
            checks.within("y", y, 0, self.num_classes - 1)
        if self.embedding is None:
            code = (y.unsqueeze(1) == torch.arange(self.num_classes, device=y.device)).to(x.dtype)
        else:
            code = self.embedding(y)
        out: Tensor = self.net(torch.cat([x.flatten(1), code], dim=1))
        return out

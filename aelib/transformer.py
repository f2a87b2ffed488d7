"""Attention, and the encoders and decoders made of it. They know no model.

The blocks normalize before each part rather than after it, which trains without a warm-up: Xiong et al. (2020).
"""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Shaped
from torch import Tensor, nn

from aelib import checks
from aelib.sequences import Steps, valid_steps


def sinusoidal_positions(num_steps: int, width: int) -> Float[Tensor, "T width"]:
    """sin(t / 10000^(2i/width)) in the even columns 2i, and the cosine in the odd columns 2i + 1.

    Source: Vaswani et al. (2017), section 3.5.
    """
    frequencies = torch.exp(-math.log(10000) * torch.arange(0, width, 2) / width)
    angles = torch.arange(num_steps)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


class Attention(nn.Module):
    """softmax(Q K^T / sqrt(d)) V for each head, with Q from ``x`` and K and V from ``memory``, then an affine map.

    Source: Vaswani et al. (2017), equation 1. The keys have no bias: it would add the same number to all scores of a query, and
    softmax does not see that.

    Args:
        width: the size of each vector.
        num_heads: divides ``width`` into heads of d = width / num_heads values.

    Raises:
        ValueError: if ``num_heads`` does not divide ``width``.
    """

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        checks.at_least("num_heads", num_heads, 1)
        checks.at_least("width", width, 1)
        if width % num_heads:
            raise ValueError(f"width: got {width} with num_heads={num_heads}; expected a multiple of num_heads")
        self.num_heads = num_heads
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        x: Float[Tensor, "B T width"],
        memory: Float[Tensor, "B S width"],
        mask: Bool[Tensor, "B S"] | None = None,
    ) -> Float[Tensor, "B T width"]:
        """For each of the T vectors of ``x``, a mixture of the S vectors of ``memory`` where ``mask`` is True."""
        parts = (self.query(x), self.key(memory), self.value(memory))
        q, k, v = (part.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for part in parts)
        mixed = F.scaled_dot_product_attention(
            q, k, v, attn_mask=None if mask is None else mask.unflatten(1, (1, 1, -1))
        )
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out


class Block(nn.Module):
    """Three residual parts, each on normalized vectors: attention to a memory (if ``cross``), to one another, and an MLP.

    Args:
        width: the size of each vector.
        num_heads: of each attention; divides ``width``.
        cross: whether there is a memory to attend to.

    Raises:
        ValueError: if ``num_heads`` does not divide ``width``.
    """

    def __init__(self, width: int, num_heads: int, *, cross: bool = False) -> None:
        super().__init__()
        self.cross = Attention(width, num_heads) if cross else None
        self.cross_norm = nn.LayerNorm(width) if cross else None
        self.own = Attention(width, num_heads)
        self.own_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(
        self,
        h: Float[Tensor, "B T width"],
        mask: Bool[Tensor, "B T"] | None = None,
        memory: Float[Tensor, "B S width"] | None = None,
    ) -> Float[Tensor, "B T width"]:
        """Update the T vectors; no vector sees one of them where ``mask`` is False."""
        if self.cross is not None and self.cross_norm is not None and memory is not None:
            h = h + self.cross(self.cross_norm(h), memory)
        normed = self.own_norm(h)
        h = h + self.own(normed, normed, mask)
        out: Tensor = h + self.mlp(h)
        return out


class TransformerEncoder(nn.Module):
    """Steps attend to one another, and one learned query attends to them all; an affine map of what it finds comes out.

    Args:
        steps: what the sequences hold.
        width: the size of the vector of each step; even.
        out_dim: the number of values that come out.
        num_heads: of each attention; divides ``width``.
        num_layers: the number of blocks.

    Raises:
        ValueError: for a size below one, or a width that is odd or not a multiple of ``num_heads``.
    """

    positions: Tensor

    def __init__(self, steps: Steps, width: int, out_dim: int, *, num_heads: int = 4, num_layers: int = 2) -> None:
        super().__init__()
        _check_sizes(width, num_layers)
        checks.at_least("out_dim", out_dim, 1)
        self.steps = steps
        self.register_buffer("positions", sinusoidal_positions(steps.num_steps, width), persistent=False)
        self.embed = nn.Linear(steps.size, width)
        self.blocks = nn.ModuleList(Block(width, num_heads) for _ in range(num_layers))
        self.norm = nn.LayerNorm(width)
        self.query = nn.Parameter(torch.randn(1, 1, width))
        self.pool = Attention(width, num_heads)
        self.to_out = nn.Linear(width, out_dim)

    def forward(self, x: Shaped[Tensor, "B *event"], *, lengths: Tensor | None = None) -> Float[Tensor, "B out_dim"]:
        """Map sequences, of which ``lengths`` steps are valid, to (B, out_dim).

        Raises:
            TypeError: if ``lengths`` does not hold integers.
            ValueError: if ``x`` or ``lengths`` does not fit.
        """
        v, mask = self.steps.read(x, lengths, self.query)
        h = self.embed(v) + self.positions
        for block in self.blocks:
            h = block(h, mask)
        pooled = self.pool(self.query.expand(len(x), -1, -1), self.norm(h), mask)
        out: Tensor = self.to_out(pooled.squeeze(1))
        return out


class TransformerDecoder(nn.Module):
    """Positions attend to a memory that z holds, and to one another; an affine map of each is what comes out.

    Args:
        in_dim: the number of values that go in.
        width: the size of the vector of each step; even.
        steps: what the sequences hold.
        num_heads: of each attention; divides ``width``.
        num_layers: the number of blocks.
        num_slots: how many vectors z is mapped to. With one, attention to it has no choice: all steps get the same.

    Raises:
        ValueError: for a size below one, or a width that is odd or not a multiple of ``num_heads``.
    """

    positions: Tensor

    def __init__(
        self, in_dim: int, width: int, steps: Steps, *, num_heads: int = 4, num_layers: int = 2, num_slots: int = 4
    ) -> None:
        super().__init__()
        _check_sizes(width, num_layers)
        checks.at_least("in_dim", in_dim, 1)
        checks.at_least("num_slots", num_slots, 1)
        self.in_dim = in_dim
        self.steps = steps
        self.num_slots = num_slots
        self.register_buffer("positions", sinusoidal_positions(steps.num_steps, width), persistent=False)
        self.to_memory = nn.Linear(in_dim, num_slots * width)
        self.blocks = nn.ModuleList(Block(width, num_heads, cross=True) for _ in range(num_layers))
        self.to_out = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, steps.size))

    def forward(self, z: Float[Tensor, "B in_dim"], *, lengths: Tensor | None = None) -> Float[Tensor, "B ..."]:
        """Map (B, in_dim) to the likelihood's parameters, with zeros after the first ``lengths`` steps.

        Raises:
            TypeError: if ``lengths`` does not hold integers.
            ValueError: if ``z`` or ``lengths`` does not fit.
        """
        checks.batch("z", z, (self.in_dim,))
        mask = valid_steps(z, self.steps.num_steps, lengths)
        memory = self.to_memory(z).unflatten(1, (self.num_slots, -1))
        h = self.positions.expand(len(z), -1, -1)
        for block in self.blocks:
            h = block(h, mask, memory)
        return self.steps.write(self.to_out(h), mask)


def _check_sizes(width: int, num_layers: int) -> None:
    checks.at_least("num_layers", num_layers, 1)
    if width < 2 or width % 2:
        raise ValueError(f"width: got {width}; expected an even number, for a sine and a cosine of each frequency")

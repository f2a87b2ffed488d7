"""Images as sets of patches, and the Transformers that read and write them. They know no model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor, nn

from aelib import checks
from aelib.transformer import Block


@dataclass(frozen=True)
class Patches:
    """How an image is cut into square patches, row by row, that do not overlap.

    Args:
        event_shape: (channels, height, width) of an image.
        patch_size: the height and the width of a patch; divides those of the image.

    Raises:
        ValueError: if it does not, or a size is below one.
    """

    event_shape: Sequence[int]
    patch_size: int

    def __post_init__(self) -> None:
        checks.image_shape("event_shape", self.event_shape)
        checks.at_least("patch_size", self.patch_size, 1)
        if any(size % self.patch_size for size in self.event_shape[1:]):
            raise ValueError(
                f"patch_size: got {self.patch_size} for images of shape {tuple(self.event_shape)}; "
                "expected a divisor of the height and of the width"
            )

    @property
    def number(self) -> int:
        """N, the patches of an image."""
        return math.prod(self.event_shape[1:]) // self.patch_size**2

    @property
    def size(self) -> int:
        """The number of values of a patch."""
        return self.event_shape[0] * self.patch_size**2

    def split(self, x: Shaped[Tensor, "B *event"]) -> Shaped[Tensor, "B N size"]:
        """Images to their patches.

        Raises:
            ValueError: if ``x`` has another shape.
        """
        checks.batch("x", x, self.event_shape)
        channels, height, width = self.event_shape
        p = self.patch_size
        cut = x.reshape(len(x), channels, height // p, p, width // p, p)
        return cut.permute(0, 2, 4, 1, 3, 5).reshape(len(x), self.number, self.size)

    def join(self, tokens: Shaped[Tensor, "B N size"]) -> Shaped[Tensor, "B C H W"]:
        """Patches to the images that they were cut from; the exact inverse of :meth:`split`."""
        channels, height, width = self.event_shape
        p = self.patch_size
        cut = tokens.reshape(len(tokens), height // p, width // p, channels, p, p)
        return cut.permute(0, 3, 1, 4, 2, 5).reshape(len(tokens), channels, height, width)


class PatchEncoder(nn.Module):
    """Patches attend to one another; each becomes a token of ``token_dim`` values. Patches that are not visible are not read.

    Source: Dosovitskiy et al. (2021), without their class token; He et al. (2022), for reading the visible patches alone.

    Args:
        patches: how images are cut.
        width: the size of the vector of each patch.
        token_dim: the size of a token.
        out_dim: None: the N tokens, one after the other, come out. A number: an affine map of them to ``out_dim`` values.
        num_heads: of each attention; divides ``width``.
        num_layers: the number of blocks.

    Raises:
        ValueError: for a size below one, or a width that is not a multiple of ``num_heads``.
    """

    def __init__(
        self,
        patches: Patches,
        width: int,
        token_dim: int,
        *,
        out_dim: int | None = None,
        num_heads: int = 4,
        num_layers: int = 2,
    ) -> None:
        super().__init__()
        checks.at_least("token_dim", token_dim, 1)
        checks.at_least("num_layers", num_layers, 1)
        self.patches = patches
        self.embed = nn.Linear(patches.size, width)
        self.positions = nn.Parameter(0.5 * torch.randn(patches.number, width))
        self.blocks = nn.ModuleList(Block(width, num_heads) for _ in range(num_layers))
        self.to_token = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, token_dim))
        self.mask_token = nn.Parameter(0.02 * torch.randn(token_dim))
        self.to_out = nn.Identity() if out_dim is None else nn.Linear(patches.number * token_dim, out_dim)

    def tokens(
        self, x: Float[Tensor, "B *event"], visible: Int[Tensor, "B V"] | None = None
    ) -> Float[Tensor, "B V token_dim"]:
        """The tokens of the visible patches alone, in the order of ``visible``; None: of all N."""
        h = self.embed(self.patches.split(x)) + self.positions
        if visible is not None:
            # What is not gathered here does not enter the blocks, which are most of the work.
            h = h.gather(1, visible.unsqueeze(2).expand(-1, -1, h.shape[2]))
        for block in self.blocks:
            h = block(h)
        out: Tensor = self.to_token(h)
        return out

    def forward(
        self, x: Float[Tensor, "B *event"], *, visible: Int[Tensor, "B V"] | None = None
    ) -> Float[Tensor, "B latent_dim"]:
        """The tokens of all N patches, with the mask token for each that is not visible, one after the other.

        Raises:
            ValueError: if ``x`` has another shape.
        """
        tokens = self.tokens(x, visible)
        if visible is not None:
            blank = self.mask_token.expand(len(x), self.patches.number, -1)
            tokens = blank.scatter(1, visible.unsqueeze(2).expand_as(tokens), tokens)
        out: Tensor = self.to_out(tokens.flatten(1))
        return out


class PatchDecoder(nn.Module):
    """Tokens, those of patches and mask tokens alike, attend to one another; each becomes a patch.

    Args:
        token_dim: the size of a token; N * token_dim values go in.
        width: the size of the vector of each token.
        patches: how images are cut.
        num_heads: of each attention; divides ``width``.
        num_layers: the number of blocks.

    Raises:
        ValueError: for a size below one, or a width that is not a multiple of ``num_heads``.
    """

    def __init__(
        self, token_dim: int, width: int, patches: Patches, *, num_heads: int = 4, num_layers: int = 1
    ) -> None:
        super().__init__()
        checks.at_least("token_dim", token_dim, 1)
        checks.at_least("num_layers", num_layers, 1)
        self.token_dim = token_dim
        self.patches = patches
        self.embed = nn.Linear(token_dim, width)
        self.positions = nn.Parameter(0.5 * torch.randn(patches.number, width))
        self.blocks = nn.ModuleList(Block(width, num_heads) for _ in range(num_layers))
        self.to_patch = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, patches.size))

    def forward(self, z: Float[Tensor, "B latent_dim"]) -> Float[Tensor, "B C H W"]:
        """Map (B, N * token_dim) to (B, *event_shape).

        Raises:
            ValueError: if ``z`` has another shape.
        """
        checks.batch("z", z, (self.patches.number * self.token_dim,))
        h = self.embed(z.unflatten(1, (self.patches.number, self.token_dim))) + self.positions
        for block in self.blocks:
            h = block(h)
        return self.patches.join(self.to_patch(h))

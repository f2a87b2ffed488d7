"""Activations that make a code sparse: they keep the largest values and set all others to zero."""

from typing import final

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from aelib import checks


@final
class TopK(nn.Module):
    """z = the ``k`` largest values of each example's relu(a), and zero elsewhere. Only values that are kept get a gradient.

    At most ``k`` units are active: fewer where fewer are positive.
    Source: Gao et al. (2024), section 2.3; Makhzani and Frey (2014), without the ReLU.

    Args:
        k: how many units an example may use.

    Raises:
        ValueError: if ``k`` is below one.
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        checks.at_least("k", k, 1)
        self.k = k

    def forward(self, a: Float[Tensor, "B latent_dim"]) -> Float[Tensor, "B latent_dim"]:
        """Keep the ``k`` largest of each row.

        Raises:
            ValueError: if a code has fewer than ``k`` values.
        """
        _check_size(a, self.k)
        values, indices = torch.relu(a).topk(self.k, dim=1)
        return torch.zeros_like(a).scatter(1, indices, values)


@final
class BatchTopK(nn.Module):
    """In training, z = the B * ``k`` largest values of relu(a) in the whole batch; in evaluation, all that exceed a threshold.

    An example may use more units than another: ``k`` is the mean. In evaluation an example must not depend on those beside it,
    so the batch is replaced by a threshold, the running mean of the smallest value that training kept. Before any training
    the threshold is zero, which makes this a ReLU.
    Source: Bussmann et al. (2024).

    Args:
        k: how many units an example uses on average.
        momentum: how much of the running mean stays at each step once 1 / (1 - momentum) steps are done; until then it is the
            plain mean, so that the zero it starts from leaves no trace.

    Raises:
        ValueError: if ``k`` is below one or ``momentum`` not in [0, 1).
    """

    threshold: Tensor
    steps: Tensor

    def __init__(self, k: int, *, momentum: float = 0.99) -> None:
        super().__init__()
        checks.at_least("k", k, 1)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum: got {momentum!r}; expected a number in [0, 1)")
        self.k = k
        self.momentum = momentum
        self.register_buffer("threshold", torch.tensor(0.0))
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, a: Float[Tensor, "B latent_dim"]) -> Float[Tensor, "B latent_dim"]:
        """Keep the largest values of the batch, or those above the threshold.

        Raises:
            ValueError: if a code has fewer than ``k`` values.
        """
        _check_size(a, self.k)
        if not self.training:
            return torch.where(a > self.threshold, a, 0.0)
        values, indices = torch.relu(a).flatten().topk(self.k * len(a))
        self._follow(values.detach())
        return torch.zeros_like(a).flatten().scatter(0, indices, values).reshape(a.shape)

    def _follow(self, kept: Float[Tensor, " n"]) -> None:
        """Move the threshold toward the smallest positive value; a batch without one leaves it where it is."""
        positive = torch.where(kept > 0, kept, torch.inf).to(self.threshold.dtype)
        # With infinity at the end, because a batch of no examples has no smallest value.
        smallest = F.pad(positive, (0, 1), value=torch.inf).min()
        found = torch.isfinite(smallest)
        self.steps.add_(found)
        rate = (1 / self.steps.clamp(min=1)).clamp(min=1 - self.momentum).to(self.threshold.dtype)
        self.threshold.lerp_(torch.where(found, smallest, self.threshold), rate)


def _check_size(a: Tensor, k: int) -> None:
    if a.shape[1] < k:
        raise ValueError(f"k: got {k} for codes of {a.shape[1]} values; expected at most {a.shape[1]}")

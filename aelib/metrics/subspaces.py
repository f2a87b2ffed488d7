"""How close two subspaces are."""

import torch
from jaxtyping import Float
from torch import Tensor

from aelib import checks


def principal_angles(a: Float[Tensor, "d k"], b: Float[Tensor, "d l"]) -> Float[Tensor, " m"]:
    """The min(k, l) angles between the spans of the columns of ``a`` and of ``b``, in degrees, largest first.

    All are 0 where one span holds the other, and 90 where they are orthogonal. Where a cosine would round an angle below about
    1e-8 radians to zero, the sine is used instead.
    Source: Björck and Golub (1973).

    Raises:
        ValueError: if the columns of ``a`` or ``b`` are none, not finite or not linearly independent, as they then span fewer
            dimensions than they seem to, or if they have different lengths.
    """
    checks.at_least("the number of columns of a", a.shape[1], 1)
    checks.at_least("the number of columns of b", b.shape[1], 1)
    if len(a) != len(b):
        raise ValueError(f"b: got columns of {len(b)} values; expected {len(a)}, as in a")
    q_a, q_b = _orthonormal("a", a), _orthonormal("b", b)
    if q_a.shape[1] < q_b.shape[1]:
        q_a, q_b = q_b, q_a
    overlap = q_a.T @ q_b
    cosines = torch.linalg.svdvals(overlap).flip(0).clamp(max=1)
    sines = torch.linalg.svdvals(q_b - q_a @ overlap).clamp(max=1)
    radians = torch.where(cosines**2 < 0.5, torch.arccos(cosines), torch.arcsin(sines))
    return torch.rad2deg(radians)


def _orthonormal(argument: str, a: Float[Tensor, "d k"]) -> Float[Tensor, "d k"]:
    checks.finite(argument, a)
    u: Tensor
    u, s, _ = torch.linalg.svd(a.double(), full_matrices=False)
    rank = int((s > s.max() * max(a.shape) * torch.finfo(a.dtype).eps).sum())
    if rank < a.shape[1]:
        raise ValueError(
            f"{argument}: its {a.shape[1]} columns span {rank} dimensions; expected linearly independent columns"
        )
    return u

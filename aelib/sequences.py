"""What all networks over sequences share: what one step holds, and which steps are there and which are padding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Shaped
from torch import Tensor

from aelib import checks


def valid_steps(rows: Shaped[Tensor, "B ..."], num_steps: int, lengths: Tensor | None) -> Bool[Tensor, "B T"]:
    """True at the first ``lengths[i]`` of the ``num_steps`` steps of sequence i, and False at its padding.

    Args:
        rows: any tensor with a row for each sequence; the answer is on its device.
        num_steps: T, to which all sequences are padded.
        lengths: the number of steps of each sequence, integers from 1 to T, shape (B,). None: all are full.

    Raises:
        TypeError: if ``lengths`` is not a tensor of integers.
        ValueError: if it has another shape or, on the CPU, a value out of range. On a GPU looking at the values would stall
            every training step.
    """
    if lengths is None:
        return torch.ones(len(rows), num_steps, dtype=torch.bool, device=rows.device)
    if not isinstance(lengths, Tensor) or lengths.is_floating_point() or lengths.dtype == torch.bool:
        given = lengths.dtype if isinstance(lengths, Tensor) else type(lengths).__name__
        raise TypeError(f"lengths: got {given}; expected a tensor of integers, one for each sequence")
    if lengths.shape != rows.shape[:1]:
        raise ValueError(f"lengths: got shape {tuple(lengths.shape)}; expected ({len(rows)},), one for each sequence")
    if lengths.device.type == "cpu" and not torch.compiler.is_compiling():
        checks.within("lengths", lengths, 1, num_steps)
    return torch.arange(num_steps, device=rows.device) < lengths.unsqueeze(1)


def given_steps(x: Shaped[Tensor, "B *event"], given: Mapping[str, Tensor]) -> Bool[Tensor, "B T"] | None:
    """Which steps of the examples ``x`` count, by their ``lengths`` in ``given``; None, for all values, if there are none.

    Raises:
        TypeError: if the lengths are not a tensor of integers.
        ValueError: if they do not fit.
    """
    return valid_steps(x, x.shape[1], given["lengths"]) if "lengths" in given else None


def without_padding(x: Shaped[Tensor, "B T *step"], mask: Bool[Tensor, "B T"]) -> Shaped[Tensor, "B T *step"]:
    """``x`` with zeros for padding, so that whatever was there, even NaN, reaches no result and no gradient."""
    return torch.where(mask.reshape(*mask.shape, *[1] * (x.ndim - 2)), x, 0)


@dataclass(frozen=True)
class Steps:
    """What the sequences of a data set hold: T steps of C real values each, or of one of V classes ("tokens") each.

    Sequences differ in length: a batch holds them padded to T steps, with ``lengths`` of shape (B,) beside it.

    Args:
        event_shape: (T, C) for real values; (T,) for tokens.
        num_classes: V for tokens; None for real values.

    Raises:
        ValueError: if ``event_shape`` has another number of axes, or a size is below one.
    """

    event_shape: Sequence[int]
    num_classes: int | None = None

    def __post_init__(self) -> None:
        axes, names = (2, "(T, C) for real values") if self.num_classes is None else (1, "(T,) for tokens")
        if len(self.event_shape) != axes:
            raise ValueError(f"event_shape: got {tuple(self.event_shape)}; expected {names}")
        for size in self.event_shape:
            checks.at_least("event_shape", size, 1)
        if self.num_classes is not None:
            checks.at_least("num_classes", self.num_classes, 2)

    @property
    def num_steps(self) -> int:
        """T, the steps of the longest sequence."""
        return self.event_shape[0]

    @property
    def size(self) -> int:
        """How many numbers stand for one step, which is C for real values and V for tokens."""
        return self.event_shape[1] if self.num_classes is None else self.num_classes

    def read(
        self, x: Shaped[Tensor, "B T ..."], lengths: Tensor | None, like: Float[Tensor, "..."]
    ) -> tuple[Float[Tensor, "B T size"], Bool[Tensor, "B T"]]:
        """A vector for each step, zeros for padding, and which steps are valid.

        Real values are their own vectors. A token c is the unit vector e_c, so that the linear layer that follows is a table
        with a row for each class.

        Args:
            x: sequences, (B, T, C) real or (B, T) integer.
            lengths: as in :func:`valid_steps`.
            like: a tensor of the dtype that is wanted.

        Raises:
            TypeError: if ``lengths`` does not hold integers.
            ValueError: if ``x`` has another shape or tokens out of range, or ``lengths`` does not fit.
        """
        checks.batch("x", x, self.event_shape)
        mask = valid_steps(x, self.num_steps, lengths)
        x = without_padding(x, mask)
        if self.num_classes is None:
            return x, mask
        if x.is_floating_point():
            raise ValueError(f"x: got {x.dtype}; expected integers from 0 to {self.num_classes - 1}")
        if x.device.type == "cpu" and not torch.compiler.is_compiling():
            checks.within("x", x, 0, self.num_classes - 1)
        classes = torch.arange(self.num_classes, device=x.device)
        return without_padding((x.unsqueeze(2) == classes).to(like.dtype), mask), mask

    def write(self, out: Float[Tensor, "B T size"], mask: Bool[Tensor, "B T"]) -> Float[Tensor, "B ..."]:
        """A likelihood's parameters, zeros for padding: (B, T, C) as they are, and for tokens logits (B, V, T)."""
        out = without_padding(out, mask)
        return out if self.num_classes is None else out.movedim(2, 1)

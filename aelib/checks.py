"""Checks of what a caller passes in. Every error names the argument, what was given and what would be right."""

import difflib
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor


def choice(argument: str, value: object, choices: Iterable[str]) -> None:
    """Check that ``value`` is one of ``choices``.

    Raises:
        ValueError: with the choices and, for a likely slip of the pen, the closest one.
    """
    names = sorted(choices)
    if value in names:
        return
    close = difflib.get_close_matches(str(value), names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    raise ValueError(f"{argument}: got {value!r}; expected one of {', '.join(map(repr, names))}{hint}")


def at_least(argument: str, value: float, minimum: float) -> None:
    """Check that the number ``value`` is ``minimum`` or more (NaN is not).

    Raises:
        ValueError: if it is smaller or NaN.
    """
    if not value >= minimum:
        raise ValueError(f"{argument}: got {value!r}; expected a number of at least {minimum}")


def finite(argument: str, x: Tensor) -> None:
    """Check that ``x`` has no NaN and no infinity.

    Raises:
        ValueError: with how many values are not finite and where the first one is.
    """
    # Both bounds are NaN if any value is; that takes no memory, as a mask would.
    if x.numel() and not torch.stack(torch.aminmax(x)).isfinite().all():
        bad = ~torch.isfinite(x)
        first = tuple(bad.nonzero()[0].tolist())
        raise ValueError(
            f"{argument}: {int(bad.sum())} of {x.numel()} values are NaN or infinite, the first at index {first}; "
            "expected finite numbers"
        )


def within(argument: str, x: Tensor, low: float, high: float) -> None:
    """Check that every value of ``x`` lies in ``[low, high]``.

    Raises:
        ValueError: with the range that was found.
    """
    if x.numel() == 0:
        return
    smallest, largest = (bound.item() for bound in torch.aminmax(x))
    if not (low <= smallest and largest <= high):
        raise ValueError(
            f"{argument}: values run from {smallest:.4g} to {largest:.4g}; expected all of them in [{low:g}, {high:g}]"
        )


def batch(argument: str, x: Tensor, event_shape: Sequence[int] | None = None) -> None:
    """Check that ``x`` is a batch of shape ``(B, *event_shape)``; without an event shape, of rank two or more.

    Raises:
        TypeError: if it is not a tensor.
        ValueError: with the shape that was given and the shape that would be right.
    """
    if not isinstance(x, Tensor):
        raise TypeError(f"{argument}: got {type(x).__name__}; expected a torch.Tensor (torch.as_tensor makes one)")
    given = tuple(x.shape)
    if event_shape is None:
        if x.ndim < 2:
            raise ValueError(f"{argument}: got shape {given}; expected a batch of shape (B, *event_shape)")
    elif given[1:] != tuple(event_shape) or x.ndim == 0:
        wanted = ", ".join(["B", *map(str, event_shape)])
        raise ValueError(f"{argument}: got shape {given}; expected a batch of shape ({wanted})")


def image_shape(argument: str, event_shape: Sequence[int]) -> None:
    """Check that ``event_shape`` is (channels, height, width), each at least one.

    Raises:
        ValueError: with the shape that was given.
    """
    if len(event_shape) != 3:
        raise ValueError(f"{argument}: got {tuple(event_shape)}; expected (channels, height, width)")
    for size in event_shape:
        at_least(argument, size, 1)

"""What a reader moves in an explorer: a point in a plane, and sliders."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes


def _check_range(name: str, ends: tuple[float, float], start: float) -> None:
    low, high = ends
    if not low < high:
        raise ValueError(f"{name}: got {low} to {high}; expected the first to be less than the second")
    if not low <= start <= high:
        raise ValueError(f"{name}: starts at {start}; expected a value from {low} to {high}")


@dataclass(frozen=True)
class Plane:
    """A point that the reader drags: two values of a model's input.

    Attributes:
        x: the least and the largest first value.
        y: the least and the largest second value.
        names: what the two are called.
        start: where the point is at first; None is the middle.
        background: draws what lies behind the point, on axes.

    Raises:
        ValueError: if a range is empty or the start is not in it.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    names: tuple[str, str] = ("z₁", "z₂")
    start: tuple[float, float] | None = None
    background: Callable[[Axes], object] | None = None

    def __post_init__(self) -> None:
        for name, ends, at in zip(self.names, (self.x, self.y), self.values, strict=True):
            _check_range(name, ends, at)

    @property
    def values(self) -> tuple[float, ...]:
        """The values at first."""
        return self.start or tuple((low + high) / 2 for low, high in (self.x, self.y))


@dataclass(frozen=True)
class Slider:
    """One value of a model's input: a quantity or, with ``labels``, the number of a choice.

    Attributes:
        name: what it is called.
        low: the least value.
        high: the largest value.
        start: the value at first; None is the least one.
        labels: the names of the choices. The values are then 0, 1, 2, ..., whatever ``low`` and ``high`` say.

    Raises:
        ValueError: if the range is empty, the start is not in it, or there is only one choice.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    start: float | None = None
    labels: Sequence[str] = ()

    def __post_init__(self) -> None:
        _check_range(self.name, self.ends, self.values[0])

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the largest value."""
        return (0.0, len(self.labels) - 1.0) if self.labels else (self.low, self.high)

    @property
    def values(self) -> tuple[float, ...]:
        """The value at first, alone."""
        return (self.ends[0] if self.start is None else self.start,)

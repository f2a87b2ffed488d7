"""Numbers about a class, from the points of its submissions: how hard a test is, and whether it tells strong from weak."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

FEWEST = 10
"""Submissions below which a correlation says nothing."""


@dataclass(frozen=True)
class Item:
    """One graded cell in a class.

    Attributes:
        name: of the cell.
        worth: its points.
        count: submissions that have a mark for it.
        mean: the mean share of its points that were reached; for a test, the share of submissions that passed.
        discrimination: the correlation of its points with the points for everything else, from -1 to 1; high is good. NaN
            where it is not defined, because all submissions have the same points.
    """

    name: str
    worth: float
    count: int
    mean: float
    discrimination: float


def items(points: Sequence[Mapping[str, float]], worth: Mapping[str, float]) -> list[Item]:
    """The graded cells of an assignment in the order of ``worth``.

    Args:
        points: for each submission, the name of a graded cell -> points reached; those that nobody has read yet are left out.
        worth: name of a graded cell -> points that can be reached.
    """
    made = []
    for name, most in worth.items():
        own = [one[name] for one in points if name in one]
        rest = [sum(one.values()) - one[name] for one in points if name in one]
        mean = fmean(own) / most if own and most else math.nan
        made.append(Item(name, most, len(own), mean, correlation(own, rest)))
    return made


def correlation(x: Sequence[float], y: Sequence[float]) -> float:
    """Pearson's correlation of pairs; point-biserial where ``x`` has two values. NaN if one of the two does not vary."""
    if not x:
        return math.nan
    dx, dy = ([value - fmean(values) for value in values] for values in (x, y))
    spread = math.sqrt(math.fsum(a * a for a in dx) * math.fsum(b * b for b in dy))
    if spread < 1e-12:
        return math.nan
    return math.fsum(a * b for a, b in zip(dx, dy)) / spread


def histogram(scores: Sequence[float], most: float, bins: int = 10) -> list[int]:
    """How many scores lie in each of ``bins`` equal parts of [0, most]; a score on a border counts in the part above it."""
    counts = [0] * bins
    for score in scores:
        counts[min(bins - 1, max(0, int(score / most * bins + 1e-9)))] += 1
    return counts

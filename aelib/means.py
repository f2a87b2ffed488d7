"""Means of losses over an epoch."""

from collections.abc import Mapping

import torch
from torch import Tensor

from aelib.distributed import Group


class Means:
    """Means of loss terms over the examples. The device is waited for once, by :meth:`result`, and not at every step."""

    def __init__(self) -> None:
        self._values: dict[str, list[Tensor]] = {}
        self._sizes: dict[str, list[int]] = {}

    def add(self, total: Tensor, terms: Mapping[str, Tensor], size: int) -> None:
        """Count the means over ``size`` examples in."""
        for name, value in {"total": total.detach(), **terms}.items():
            self._values.setdefault(name, []).append(value)
            self._sizes.setdefault(name, []).append(size)

    def result(self, group: Group) -> dict[str, float]:
        """The means over all examples of all processes; "total" is the loss."""
        means = {}
        for name, values in self._values.items():
            sizes = torch.tensor(self._sizes[name], dtype=torch.float64)
            sums = torch.stack([torch.stack(values).cpu().double() @ sizes, sizes.sum()])
            sums = sums.to(values[0].device)
            group.sum_([sums])
            means[name] = (sums[0] / sums[1]).item()
        return means

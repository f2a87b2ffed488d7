"""What every data function returns: examples with their labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from aelib import checks


@dataclass(frozen=True)
class Dataset:
    """Examples ``x`` of shape (N, *event_shape) with one tensor of N labels for each thing that is known about them.

    Attributes:
        x: the examples, shape (N, *event_shape).
        labels: name -> tensor of shape (N,); integers for classes, floats for quantities.
        classes: for a label that is a class, the name of each class, by its integer.

    Raises:
        ValueError: if a label does not have one value for each example.
    """

    x: Tensor
    labels: Mapping[str, Tensor] = field(default_factory=dict)
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, label in self.labels.items():
            if tuple(label.shape) != (len(self.x),):
                raise ValueError(
                    f"labels[{name!r}]: got shape {tuple(label.shape)}; expected one value for each example, ({len(self.x)},)"
                )

    def __len__(self) -> int:
        return len(self.x)

    @property
    def event_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(self.x.shape[1:])

    def take(self, index: Tensor) -> "Dataset":
        """The examples at ``index`` (integers or a mask), with their labels."""
        return Dataset(self.x[index], {k: v[index] for k, v in self.labels.items()}, self.classes)

    def split(self, num_test: int, *, seed: int = 0) -> tuple["Dataset", "Dataset"]:
        """Shuffle with ``seed`` and cut into (train, test), the test part with ``num_test`` examples.

        Raises:
            ValueError: if either part would be empty.
        """
        if not 0 < num_test < len(self):
            raise ValueError(
                f"num_test: got {num_test}; expected 1 to {len(self) - 1}, as there are {len(self)} examples"
            )
        order = torch.randperm(len(self), generator=torch.Generator().manual_seed(seed))
        return self.take(order[num_test:]), self.take(order[:num_test])

    def flat(self) -> Tensor:
        """The examples as vectors, shape (N, d)."""
        checks.batch("x", self.x)
        return self.x.flatten(1)

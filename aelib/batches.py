"""Where batches come from: tensors that lie on the device, or a torch Dataset that is read as training goes on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from aelib.core import Autoencoder

Batch = tuple[Tensor, dict[str, Tensor]]
"""The examples of a batch, and what they come with."""


@runtime_checkable
class Batches(Protocol):
    """A set of examples that batches can be taken from."""

    def __len__(self) -> int:
        """The number of examples."""

    def take(self, indices: Iterable[Tensor]) -> Iterator[Batch]:
        """One batch for each tensor of indices, on the model's device."""


class TensorBatches:
    """Examples in one tensor: they go to the device once, and batches are cut there.

    Args:
        model: says which device and dtype.
        x: the examples, shape (N, *event_shape).
        given: what they come with, N rows each.
    """

    def __init__(self, model: Autoencoder[Any], x: Tensor, given: Mapping[str, Tensor]) -> None:
        self.x = to_model(model, x)
        self.given = {name: to_model(model, value) for name, value in given.items()}

    def __len__(self) -> int:
        return len(self.x)

    def take(self, indices: Iterable[Tensor]) -> Iterator[Batch]:
        """Cut the batches."""
        for index in indices:
            index = index.to(self.x.device)
            # index_select is a third of the price of x[index].
            yield (
                self.x.index_select(0, index),
                {name: value.index_select(0, index) for name, value in self.given.items()},
            )


class StreamedBatches:
    """Examples of a torch Dataset, read batch by batch, so that they need not fit in memory.

    Args:
        model: says which device and dtype, and its likelihood checks every batch.
        dataset: gives an example by its number: a tensor, or (tensor, {name: what it comes with}).
    """

    def __init__(self, model: Autoencoder[Any], dataset: Dataset[Any]) -> None:
        self.model = model
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)  # type: ignore[arg-type]  # a Dataset with numbered examples has a length

    def take(self, indices: Iterable[Tensor]) -> Iterator[Batch]:
        """Read the batches."""
        numbers = [index.tolist() for index in indices]
        # The loader draws a seed of its own, which must not come out of the generator that the model's noise comes from.
        loader = DataLoader(self.dataset, batch_sampler=numbers, generator=torch.Generator())
        for batch in loader:
            x, given = batch if isinstance(batch, (tuple, list)) else (batch, {})
            self.model.likelihood.check(x, "x")
            yield to_model(self.model, x), {name: to_model(self.model, value) for name, value in given.items()}


def to_model(model: Autoencoder[Any], x: Tensor) -> Tensor:
    """Bring ``x`` to the model's device and, if it holds floats, to its dtype."""
    like = next(model.parameters())
    return x.to(like.device, like.dtype) if x.is_floating_point() else x.to(like.device)

"""Several processes that train as one, as ``torchrun`` starts them: each takes its share of every batch."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Group:
    """The processes that train together; one process alone is a group of one.

    Attributes:
        rank: this process's number, from 0.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    def share(self, index: Tensor) -> Tensor:
        """This process's part of a batch's indices; may be empty where the batch is smaller than the group."""
        return index[self.rank :: self.size]

    def sum_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by its sum over the processes, in place and in one message."""
        if self.size > 1:
            flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
            dist.all_reduce(flat)
            for tensor, part in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
                tensor.copy_(part.view_as(tensor))

    def same_(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by that of process 0."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, src=0)


def join() -> tuple[Group, str]:
    """The group that ``torchrun`` put this process into, joined if it was not yet, and the device that is this process's own."""
    cuda = torch.cuda.is_available()
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Group(), "cuda" if cuda else "cpu"
    if not dist.is_initialized():
        dist.init_process_group("nccl" if cuda else "gloo")
    return Group(dist.get_rank(), dist.get_world_size()), f"cuda:{os.environ['LOCAL_RANK']}" if cuda else "cpu"

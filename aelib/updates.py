"""Adam's updates of a list of parameters, with its state in plain sight."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam

_BETA1, _BETA2, _EPS = 0.9, 0.999, 1e-8


class AdamUpdates:
    """What ``torch.optim.Adam`` does, by the same function of torch, with less around it.

    A fiftieth of a step on a small network goes into what is left out. The fused update is one call for all parameters. The
    state lies in tensors on the parameters' device, so that an update can be part of a graph that the device replays.
    Source: Kingma and Ba (2015), algorithm 1.

    Args:
        params: what is updated, in place.
        lr: the step size.
        weight_decay: the L2 penalty, added to the gradient.
    """

    def __init__(self, params: Sequence[Tensor], *, lr: float, weight_decay: float) -> None:
        self.params: list[Tensor] = list(params)
        self.lr = lr
        self.weight_decay = weight_decay
        self.means = [torch.zeros_like(p, requires_grad=False) for p in self.params]
        self.squares = [torch.zeros_like(p, requires_grad=False) for p in self.params]
        self.counts = [torch.zeros((), device=p.device) for p in self.params]

    @torch.no_grad()
    def __call__(self, gradients: Sequence[Tensor]) -> None:
        """Update the parameters once by their gradients, given in the same order."""
        adam(
            self.params,
            list(gradients),
            self.means,
            self.squares,
            [],
            self.counts,
            fused=True,
            amsgrad=False,
            beta1=_BETA1,
            beta2=_BETA2,
            lr=self.lr,
            weight_decay=self.weight_decay,
            eps=_EPS,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        """The tensors that the next update depends on, by name."""
        return {
            f"{number}/{name}": value
            for name, values in (("mean", self.means), ("square", self.squares), ("count", self.counts))
            for number, value in enumerate(values)
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what :meth:`state` gave."""
        for name, value in self.state().items():
            value.copy_(state[name])

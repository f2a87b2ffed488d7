"""A training run: what it must remember to go on after it was stopped, and the file that it is kept in."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor

from aelib.checkpoint import check_same, read, shapes, write
from aelib.core import Autoencoder
from aelib.history import History, TrainConfig
from aelib.stepping import Steps


@dataclass
class Run:
    """A model in training, with everything that decides how it goes on.

    Attributes:
        model: what is trained.
        config: how.
        num_examples: on how many examples.
        steps: its optimizers.
        history: the epochs so far.
        best_loss: the lowest validation loss so far, where validation decides when to stop.
        best_epoch: when that was; -1: never yet.
        best_weights: the model's state then.
    """

    model: Autoencoder[Any]
    config: TrainConfig
    num_examples: int
    steps: Steps
    history: History = field(default_factory=History)
    best_loss: float = math.inf
    best_epoch: int = -1
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def keep_best(self, loss: float, epoch: int) -> None:
        """Remember the weights of this epoch as the best ones."""
        self.best_loss, self.best_epoch = loss, epoch
        self.best_weights = {name: value.clone() for name, value in self.model.state_dict().items()}

    def identity(self) -> dict[str, Any]:
        """What must be the same for a checkpoint to be continued; another number of epochs may be asked for."""
        settings = {name: value for name, value in asdict(self.config).items() if name != "epochs"}
        return {
            "kind": "run",
            "model": type(self.model).__name__,
            "shapes": shapes(self.model.state_dict()),
            "num_examples": self.num_examples,
            **settings,
        }

    def save(self, path: Path) -> None:
        """Write everything to a file."""
        parts = {"model": self.model.state_dict(), "best": self.best_weights, "optimizer": self.steps.state()}
        tensors = {f"{part}/{name}": value for part, values in parts.items() for name, value in values.items()}
        progress = {
            "history": asdict(self.history),
            "best_loss": None if math.isinf(self.best_loss) else self.best_loss,
            "best_epoch": self.best_epoch,
        }
        write(path, tensors, {**self.identity(), **progress})

    def resume(self, path: Path) -> None:
        """Go on where the run that wrote this file was.

        Raises:
            ValueError: if the file is damaged, or another run's.
        """
        tensors, about = read(path)
        check_same(path, about, self.identity())
        self.model.load_state_dict(_under(tensors, "model/"))
        self.best_weights = _under(tensors, "best/")
        self.steps.load(_under(tensors, "optimizer/"))
        self.history = History(**about["history"])
        self.best_loss = math.inf if about["best_loss"] is None else about["best_loss"]
        self.best_epoch = about["best_epoch"]


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}

"""What decides a training run, and what is remembered of it."""

from dataclasses import dataclass, field

from aelib import checks


@dataclass(frozen=True)
class TrainConfig:
    """What decides the numbers of a training run. Where it runs and what it shows are arguments of ``fit``.

    Attributes:
        epochs: passes over the data, at least one.
        batch_size: examples in a step; the last batch of an epoch may be smaller.
        lr: Adam's step size.
        weight_decay: Adam's L2 penalty, added to the gradient.
        patience: stop after this many epochs without a lower validation loss and go back to the best weights; None: never.
        seed: decides the order of the examples, and the noise of models that sample.

    Raises:
        ValueError: if a value is out of its range.
    """

    epochs: int = 50
    batch_size: int = 128
    lr: float = 1e-3
    weight_decay: float = 0.0
    patience: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, minimum in (("epochs", 1), ("batch_size", 1), ("lr", 0), ("weight_decay", 0)):
            checks.at_least(name, getattr(self, name), minimum)
        if self.patience is not None:
            checks.at_least("patience", self.patience, 1)


@dataclass
class History:
    """What happened, epoch by epoch.

    Attributes:
        train: term -> its mean over the examples of each epoch, in nats, under the name "total" for the loss itself. Taken
            while the weights still move, so it lags behind ``val`` by about half an epoch.
        val: the same on the validation data after each epoch; empty without validation data.
        seconds: wall-clock time of each epoch.
        best_epoch: the epoch, from 0, whose weights the model has now.
    """

    train: dict[str, list[float]] = field(default_factory=dict)
    val: dict[str, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    best_epoch: int = 0

    def __len__(self) -> int:
        return len(self.seconds)

    def append(self, train: dict[str, float], val: dict[str, float], seconds: float) -> None:
        """Add one epoch; ``val`` is empty where there is no validation data."""
        for log, means in ((self.train, train), (self.val, val)):
            for name, value in means.items():
                log.setdefault(name, []).append(value)
        self.seconds.append(seconds)
        self.best_epoch = len(self) - 1

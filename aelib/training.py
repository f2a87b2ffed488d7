"""One training function for every model."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Shaped
from torch import Tensor
from torch.optim import Adam, Optimizer
from tqdm.auto import tqdm

from aelib import checks
from aelib.checkpoint import load_checkpoint, save_checkpoint
from aelib.core import Autoencoder, Loss
from aelib.history import History, TrainConfig


def fit(
    model: Autoencoder[Any],
    x: Shaped[Tensor, "N *event"],
    config: TrainConfig | None = None,
    *,
    given: Mapping[str, Tensor] | None = None,
    x_val: Shaped[Tensor, "M *event"] | None = None,
    given_val: Mapping[str, Tensor] | None = None,
    device: str | torch.device | None = None,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    on_epoch: Callable[[int, Autoencoder[Any]], None] | None = None,
) -> History:
    """Minimize ``model.loss`` on ``x`` with one Adam for each phase of the model.

    The order of the examples and the noise of the model come from ``config.seed``; torch's own random state is as before when
    ``fit`` returns. The data go to the device once and batches are cut there.

    Args:
        model: is trained in place, and stays on ``device``.
        x: the training examples, shape (N, *event_shape).
        config: see :class:`~aelib.history.TrainConfig`; None takes its defaults.
        given: what the examples come with, by the name under which the model takes it, N rows each: ``{"y": labels}``.
        x_val: examples to judge each epoch by; needed for ``config.patience``.
        given_val: what these come with.
        device: where to train; None takes a GPU if there is one.
        checkpoint: a file that is written after every epoch. If it exists, training goes on from there, and ends with the same
            weights, to the bit on a CPU, as a run that was never stopped.
        progress: whether to show a progress bar.
        on_epoch: called after each epoch with its number, from 0, and the model; to watch training.

    Raises:
        TypeError: if the data are not tensors.
        ValueError: if the data do not fit the model's likelihood, are empty, or patience is set without ``x_val``; or if the
            checkpoint was made with another config, model or number of examples.
        FloatingPointError: if the loss becomes NaN or infinite.
    """
    config = config or TrainConfig()
    if config.patience is not None and x_val is None:
        raise ValueError(
            f"x_val: got None with patience={config.patience}; expected validation examples to judge epochs by"
        )
    given, given_val = dict(given or {}), dict(given_val or {})
    _check_data(model, "x", x, given)
    if x_val is not None:
        _check_data(model, "x_val", x_val, given_val)
    model.to(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    x = _to_model(model, x)
    given = {name: _to_model(model, value) for name, value in given.items()}
    run = _Run(model, config, len(x))

    with _seeded(config.seed, x.device):
        if checkpoint is not None and Path(checkpoint).exists():
            run.resume(Path(checkpoint))
        history = run.history
        done = len(history)
        bar = tqdm(range(done, config.epochs), initial=done, total=config.epochs, unit="epoch", disable=not progress)
        for epoch in bar:
            if config.patience is not None and epoch - run.best_epoch > config.patience:
                break
            start = time.perf_counter()
            train = _train_epoch(model, run.optimizers, x, given, config.batch_size)
            # Judging an epoch draws its noise from a generator of its own, so that it does not change the training.
            val = {} if x_val is None else evaluate(model, x_val, given=given_val, seed=config.seed)
            history.append(train, val, time.perf_counter() - start)
            bar.set_postfix_str(f"loss {(val or train)['total']:.4g}")
            if config.patience is not None and val["total"] < run.best_loss:
                run.keep_best(val["total"], epoch)
            if checkpoint is not None:
                run.save(Path(checkpoint))
            if on_epoch is not None:
                on_epoch(epoch, model)
    if run.best_weights:
        model.load_state_dict(run.best_weights)
        history.best_epoch = run.best_epoch
    return history


@torch.no_grad()
def evaluate(
    model: Autoencoder[Any],
    x: Shaped[Tensor, "N *event"],
    *,
    given: Mapping[str, Tensor] | None = None,
    batch_size: int = 1024,
    seed: int = 0,
) -> dict[str, float]:
    """The model's loss ("total") and its terms on ``x``, as means over the examples, in nats; lower is better.

    The model is in evaluation mode for the time of the call, and the noise of models that sample comes from ``seed``.

    Raises:
        TypeError: if ``x`` is not a tensor.
        ValueError: if it does not fit the model's likelihood or is empty.
    """
    given = dict(given or {})
    _check_data(model, "x", x, given)
    means = _Means()
    was_training = model.training
    model.eval()
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    for index in torch.arange(len(x)).split(batch_size):
        x_batch = _to_model(model, x[index])
        out = model(x_batch, generator=generator, **{name: _to_model(model, v[index]) for name, v in given.items()})
        for phase in model.phases():
            means.add(model.loss(x_batch, out, phase), len(x_batch))
    model.train(was_training)
    return means.result()


class _Means:
    """Means of loss terms over the examples. The device is waited for once, by :meth:`result`, and not at every step."""

    def __init__(self) -> None:
        self._values: dict[str, list[Tensor]] = {}
        self._sizes: dict[str, list[int]] = {}

    def add(self, loss: Loss, size: int) -> None:
        for name, value in {"total": loss.total.detach(), **loss.terms}.items():
            self._values.setdefault(name, []).append(value)
            self._sizes.setdefault(name, []).append(size)

    def result(self) -> dict[str, float]:
        means = {}
        for name, values in self._values.items():
            weights = torch.tensor(self._sizes[name], dtype=torch.float64)
            means[name] = (torch.stack(values).cpu().double() @ weights / weights.sum()).item()
        return means


@dataclass
class _Run:
    """Everything that a training run must remember to go on after it was stopped."""

    model: Autoencoder[Any]
    config: TrainConfig
    num_examples: int
    history: History = field(default_factory=History)
    best_loss: float = math.inf
    best_epoch: int = -1
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.optimizers = {
            phase: Adam(params, lr=self.config.lr, weight_decay=self.config.weight_decay)
            for phase, params in self.model.phases().items()
        }

    def keep_best(self, loss: float, epoch: int) -> None:
        self.best_loss, self.best_epoch = loss, epoch
        self.best_weights = {name: value.clone() for name, value in self.model.state_dict().items()}

    def identity(self) -> dict[str, Any]:
        """What must be the same for a checkpoint to be continued; another number of epochs may be asked for."""
        settings = {name: value for name, value in asdict(self.config).items() if name != "epochs"}
        shapes = {name: tuple(value.shape) for name, value in self.model.state_dict().items()}
        return {"model": type(self.model).__name__, "shapes": shapes, "num_examples": self.num_examples, **settings}

    def save(self, path: Path) -> None:
        state = {
            "identity": self.identity(),
            "model": self.model.state_dict(),
            "optimizers": {phase: optimizer.state_dict() for phase, optimizer in self.optimizers.items()},
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
            "history": asdict(self.history),
            "best": {"best_loss": self.best_loss, "best_epoch": self.best_epoch, "best_weights": self.best_weights},
        }
        save_checkpoint(path, state)

    def resume(self, path: Path) -> None:
        state = load_checkpoint(path, self.identity())
        self.model.load_state_dict(state["model"])
        for phase, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][phase])
        torch.set_rng_state(state["random"])
        if state["random_cuda"]:
            torch.cuda.set_rng_state_all(state["random_cuda"])
        self.history = History(**state["history"])
        for name, value in state["best"].items():
            setattr(self, name, value)


def _check_data(model: Autoencoder[Any], argument: str, x: Tensor, given: Mapping[str, Tensor]) -> None:
    checks.batch(argument, x)
    checks.at_least(f"the number of examples in {argument}", len(x), 1)
    for name, value in given.items():
        if len(value) != len(x):
            raise ValueError(
                f"given[{name!r}]: got {len(value)} rows; expected one for each of the {len(x)} examples of {argument}"
            )
    model.likelihood.check(x, argument)


def _to_model(model: Autoencoder[Any], x: Tensor) -> Tensor:
    """Bring ``x`` to the model's device and, if it holds floats, to its dtype."""
    like = next(model.parameters())
    return x.to(like.device, like.dtype) if x.is_floating_point() else x.to(like.device)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's generators for the length of the block, and put them back afterwards."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _train_epoch(
    model: Autoencoder[Any],
    optimizers: Mapping[str, Optimizer],
    x: Tensor,
    given: Mapping[str, Tensor],
    batch_size: int,
) -> dict[str, float]:
    model.train()
    means = _Means()
    for index in torch.randperm(len(x)).to(x.device).split(batch_size):
        x_batch, given_batch = x[index], {name: value[index] for name, value in given.items()}
        for phase, optimizer in optimizers.items():
            loss = model.loss(x_batch, model(x_batch, **given_batch), phase)
            optimizer.zero_grad()
            loss.total.backward()
            optimizer.step()
            means.add(loss, len(x_batch))
    result = means.result()
    for name, value in result.items():
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss term {name!r} became {value}; a smaller lr usually cures this")
    return result

"""One training function for every model."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm.auto import tqdm

from aelib import checks
from aelib.batches import Batches, StreamedBatches, TensorBatches
from aelib.capturing import CapturedSteps, CudaGraphs
from aelib.core import Autoencoder
from aelib.distributed import Group, join
from aelib.history import History, TrainConfig
from aelib.means import Means
from aelib.runs import Run
from aelib.stepping import Steps


def fit(
    model: Autoencoder[Any],
    x: Tensor | Dataset[Any],
    config: TrainConfig | None = None,
    *,
    given: Mapping[str, Tensor] | None = None,
    x_val: Tensor | Dataset[Any] | None = None,
    given_val: Mapping[str, Tensor] | None = None,
    device: str | torch.device | None = None,
    compile: bool = False,
    capture: bool = True,
    checkpoint: str | Path | None = None,
    progress: bool = True,
    on_epoch: Callable[[int, Autoencoder[Any]], None] | None = None,
) -> History:
    """Minimize ``model.loss`` on ``x`` with one Adam for each phase of the model.

    The order of the examples and the noise of the model come from ``config.seed``; torch's own random state is as before when
    ``fit`` returns. Examples in a tensor go to the device once and batches are cut there.

    Under ``torchrun`` each process takes its share of every batch, and the gradients are those of the whole batch. A model that
    does not sample then trains as in one process, up to rounding, if its loss is a mean over examples; the noise of one that does
    is drawn in each process. What compares the examples of a batch with each other (MMD, the rates of units, free bits) does so
    within each share, and what is learned without gradients (a codebook's moving averages) is learned from the first share.

    Args:
        model: is trained in place, and stays on ``device``.
        x: the training examples, a tensor of shape (N, *event_shape); or a torch Dataset that gives them one by one, each as a
            tensor or as (tensor, {name: what it comes with}), when they do not fit in memory.
        config: see :class:`~aelib.history.TrainConfig`; None takes its defaults.
        given: what the examples come with, by the name under which the model takes it, N rows each: ``{"y": labels}``.
        x_val: examples to judge each epoch by; needed for ``config.patience``.
        given_val: what these come with.
        device: where to train; None takes a GPU if there is one.
        compile: whether to compile the step with ``torch.compile``; takes a minute or less, and pays for long runs.
        capture: whether a GPU may record a step once and replay it, which is several times faster where networks are small. It is
            done where it is safe (see :class:`~aelib.capturing.CapturedSteps`); False for a model that changes, from step to
            step, anything outside of its tensors and its modules' attributes.
        checkpoint: a file that is written after every epoch. If it exists, training goes on from there, and ends with the same
            weights, to the bit on a CPU, as a run that was never stopped.
        progress: whether to show a progress bar.
        on_epoch: called after each epoch with its number, from 0, and the model; to watch training.

    Raises:
        TypeError: if the data are neither a tensor nor a Dataset.
        ValueError: if the data do not fit the model's likelihood, are empty, or patience is set without ``x_val``; or if the
            checkpoint was made with another config, model or number of examples.
        FloatingPointError: if the loss becomes NaN or infinite.
    """
    config = config or TrainConfig()
    if config.patience is not None and x_val is None:
        raise ValueError(
            f"x_val: got None with patience={config.patience}; expected validation examples to judge epochs by"
        )
    group, own_device = join()
    _check_data(model, "x", x, given or {})
    if x_val is not None:
        _check_data(model, "x_val", x_val, given_val or {})
    model.to(device or own_device)
    group.same_([*model.parameters(), *model.buffers()])
    data = _batches(model, x, given or {})
    steps = Steps(model, config, group, compile=compile)
    run = Run(model, config, len(data), steps)
    captured = _captured(steps, model, group) if capture else None
    if checkpoint is not None and Path(checkpoint).exists():
        run.resume(Path(checkpoint))

    history = run.history
    done = len(history)
    hidden = not progress or group.rank > 0
    with tqdm(range(done, config.epochs), initial=done, total=config.epochs, unit="epoch", disable=hidden) as bar:
        for epoch in bar:
            if config.patience is not None and epoch - run.best_epoch > config.patience:
                break
            start = time.perf_counter()
            train = _train_epoch(run, captured or steps, data, group, epoch)
            val = {} if x_val is None else evaluate(model, x_val, given=given_val, seed=config.seed)
            history.append(train, val, time.perf_counter() - start)
            bar.set_postfix_str(f"loss {(val or train)['total']:.4g}")
            if config.patience is not None and val["total"] < run.best_loss:
                run.keep_best(val["total"], epoch)
            if checkpoint is not None and group.rank == 0:
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
    x: Tensor | Dataset[Any],
    *,
    given: Mapping[str, Tensor] | None = None,
    batch_size: int = 1024,
    seed: int = 0,
) -> dict[str, float]:
    """The model's loss ("total") and its terms on ``x``, as means over the examples, in nats; lower is better.

    The model is in evaluation mode for the time of the call, and the noise of models that sample comes from ``seed``.

    Raises:
        TypeError: if ``x`` is neither a tensor nor a Dataset.
        ValueError: if it does not fit the model's likelihood or is empty.
    """
    _check_data(model, "x", x, given or {})
    data = _batches(model, x, given or {})
    means = Means()
    was_training = model.training
    model.eval()
    generator = torch.Generator(next(model.parameters()).device).manual_seed(seed)
    for x_batch, given_batch in data.take(torch.arange(len(data)).split(batch_size)):
        out = model(x_batch, generator=generator, **given_batch)
        for phase in model.phases():
            loss = model.loss(x_batch, out, phase)
            means.add(loss.total, loss.terms, len(x_batch))
    model.train(was_training)
    return means.result(Group())


def seed_of(seed: int, epoch: int, rank: int = 0) -> int:
    """The seed of what happens in one epoch in one process. Any two of them are unrelated, also for neighboring numbers."""
    return int(np.random.SeedSequence([seed, epoch, rank]).generate_state(1, np.uint64)[0] >> 1)


def _captured(steps: Steps, model: Autoencoder[Any], group: Group) -> CapturedSteps | None:
    if group.size > 1 or next(model.parameters()).device.type != "cuda":
        return None
    return CapturedSteps(steps, model, CudaGraphs())


def _train_epoch(run: Run, step: Steps | CapturedSteps, data: Batches, group: Group, epoch: int) -> dict[str, float]:
    run.model.train()
    if isinstance(step, CapturedSteps):
        step.new_epoch()
    means = Means()
    # All processes shuffle alike; the noise of the model is each one's own.
    order = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed_of(run.config.seed, epoch)))
    batches = order.split(run.config.batch_size)
    shares = [group.share(batch) for batch in batches]
    device = next(run.model.parameters()).device
    with _seeded(seed_of(run.config.seed, epoch, 1 + group.rank), device), run.steps.tracing():
        for whole, share, (x, given) in zip(batches, shares, data.take(shares), strict=True):
            for total, terms in step(x, given, len(share) / len(whole)):
                means.add(total, terms, len(share))
    result = means.result(group)
    for name, value in result.items():
        if not math.isfinite(value):
            raise FloatingPointError(f"the loss term {name!r} became {value}; a smaller lr usually cures this")
    return result


def _batches(model: Autoencoder[Any], x: Tensor | Dataset[Any], given: Mapping[str, Tensor]) -> Batches:
    return TensorBatches(model, x, given) if isinstance(x, Tensor) else StreamedBatches(model, x)


def _check_data(model: Autoencoder[Any], argument: str, x: Tensor | Dataset[Any], given: Mapping[str, Tensor]) -> None:
    if isinstance(x, Dataset):
        if given:
            raise ValueError(
                f"given: got {sorted(given)} beside a Dataset; expected the Dataset to give (example, {{name: value}})"
            )
    else:
        checks.batch(argument, x)
        for name, value in given.items():
            if len(value) != len(x):
                raise ValueError(
                    f"given[{name!r}]: got {len(value)} rows; expected one for each of the {len(x)} examples of {argument}"
                )
        model.likelihood.check(x, argument)
    checks.at_least(f"the number of examples in {argument}", len(x), 1)  # type: ignore[arg-type]


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's generators for the length of the block, and put them back afterwards."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield

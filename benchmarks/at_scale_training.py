"""What all models of the at-scale tables share: the sizes, and training until validation says that it is enough."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import report
import torch
from torch import Tensor

from aelib.core import Autoencoder
from aelib.history import TrainConfig
from aelib.training import fit

BATCH = 1000


@dataclass(frozen=True)
class Settings:
    """What decides the numbers, beside the seed of each run.

    Attributes:
        whole_mnist: whether MNIST's 60,000 training images are there; else its 10,000 test images are split.
        mnist_test: how many of these are then for testing.
        validation: the share of the training images by which the best epoch is chosen; nothing is fitted on them.
        images: use so many images of each part only; None: all.
        images_seen: a model of images is trained until it has seen about so many,
        epochs: but for so many epochs at most,
        patience: and until so many epochs in a row have not lowered the validation loss.
        batch_size: of images.
        lr: Adam's step size, everywhere.
        latent_dims: the sizes of codes that are compared.
        sigma: of the noise that is to be removed, in gray levels from 0 to 1.
        denoising_dim: the code of the denoising autoencoder.
        vae_dim: the code of the VAE.
        nll_images: the first test images, for which the likelihood is estimated.
        nll_samples: K of that estimate.
        labels_per_class: how many training images of each class have a label.
        label_draws: how often these are drawn anew; the accuracy of a run is the mean.
        beats_dim: the code of a heartbeat.
        normal: the share of the normal beats that models may see.
        beats_validation: the share of these by which the best epoch is chosen.
        beats_epochs: at most.
        beats_patience: as for images.
        beats_batch: beats in a training step.
    """

    whole_mnist: bool
    mnist_test: int = 2000
    validation: float = 0.1
    images: int | None = None
    images_seen: int = 1_080_000
    epochs: int = 100
    patience: int = 6
    batch_size: int = 128
    lr: float = 1e-3
    latent_dims: tuple[int, ...] = (2, 8, 32)
    sigma: float = 0.5
    denoising_dim: int = 128
    vae_dim: int = 20
    nll_images: int = 1000
    nll_samples: int = 200
    labels_per_class: int = 10
    label_draws: int = 5
    beats_dim: int = 8
    normal: float = 0.8
    beats_validation: float = 0.15
    beats_epochs: int = 400
    beats_patience: int = 60
    beats_batch: int = 32

    def for_images(self, number: int, seed: int) -> TrainConfig:
        """How a model is trained on ``number`` images."""
        epochs = max(1, min(self.epochs, round(self.images_seen / number)))
        return TrainConfig(
            epochs=epochs, batch_size=self.batch_size, lr=self.lr, patience=min(self.patience, epochs), seed=seed
        )

    def for_beats(self, seed: int) -> TrainConfig:
        """How a model is trained on heartbeats."""
        return TrainConfig(
            epochs=self.beats_epochs,
            batch_size=self.beats_batch,
            lr=self.lr,
            patience=self.beats_patience,
            seed=seed,
        )


QUICK = {"images": 300, "mnist_test": 300, "epochs": 2, "nll_images": 20, "nll_samples": 5, "label_draws": 1}
QUICK |= {"beats_epochs": 2, "beats_patience": 2}
"""The sizes that show that everything runs, and no more."""


def trained(
    make: Callable[[], Autoencoder[Any]], x: Tensor, x_val: Tensor, config: TrainConfig, device: str
) -> tuple[Autoencoder[Any], dict[str, Any]]:
    """The model with the weights of its best epoch, in evaluation mode on the CPU, and how training went."""
    start = time.process_time()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        model = make()
    history = fit(model, x, config, x_val=x_val, device=device, progress=False)
    losses = history.val["total"]
    late = -(-len(losses) // 5)
    return model.cpu().eval(), {
        "epochs": len(history),
        "most epochs": config.epochs,
        "best epoch": history.best_epoch + 1,
        "validation nats gained in the last fifth": gained(losses, late),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "CPU seconds": report.significant(time.process_time() - start),
    }


def gained(losses: list[float], late: int) -> float | None:
    """How much lower the best loss became in the last ``late`` epochs; None if there were no others."""
    if len(losses) <= late:
        return None
    return report.significant(min(losses[:-late]) - min(losses))


def in_batches(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The function of all rows, some at a time."""
    return torch.cat([function(part) for part in x.split(BATCH)])
